#!/bin/sh
# Prints the interpreter to build .venv with: 3.11 or newer, the distribution's first, since services run as other users.
for python in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
  path=$(command -v "$python") || continue
  "$path" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$path" && exit
done
echo "bansho needs Python 3.11 or newer with its venv module; on Debian: apt-get install python3-venv" >&2
exit 1
