#!/bin/sh
# Installs what is missing of scripts/packages for the purposes named, without starting any service. Not root: says so.
set -eu
PATH=$PATH:/usr/sbin:/sbin
missing=$(while read -r purpose shown packages; do
  case " $* " in *" $purpose "*) ;; *) continue ;; esac
  command -v "$shown" >/dev/null 2>&1 || [ -e "$shown" ] || echo "$packages"
done <scripts/packages)
[ -n "$missing" ] || exit 0
missing=$(echo $missing)
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed: $missing (needs root and apt-get); going on without" >&2
  exit 0
fi
echo "installing Debian packages: $missing" >&2
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2
apt-get install -y -qq --no-install-recommends $missing >&2
