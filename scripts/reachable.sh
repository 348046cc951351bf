#!/bin/sh
# Runs a command where other users can reach this checkout: as root, services and databases of the tests run as others.
# Where a folder above is private (a home, a temporary one), the command gets a view of its own, a mount namespace, in
# which an empty open folder stands in its place, with the checkout below it. Nothing outside that view changes.
set -eu
here=$PWD
if [ "$(id -u)" = 0 ]; then
  [ "$(stat -c %a "$here")" != 700 ] || chmod go+rx "$here"
  private=$(dirname "$here")
  closed=
  while [ "$private" != / ]; do
    case $(stat -c %A "$private") in *x | *t) ;; *) closed=$private ;; esac
    private=$(dirname "$private")
  done
  if [ -n "$closed" ]; then
    echo "showing $here to other users, in place of $closed, for this run only" >&2
    # shellcheck disable=SC2016
    exec unshare --mount --propagation private sh -c '
      hold=$(mktemp -d) && mount --bind "$0" "$hold" && mount -t tmpfs -o mode=755 view "$1" && mkdir -p "$0" &&
        mount --bind "$hold" "$0" && umount "$hold" && rmdir "$hold" && cd "$0" && shift && exec "$@"' \
      "$here" "$closed" "$@"
  fi
fi
exec "$@"
