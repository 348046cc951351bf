#!/bin/bash
# Pid 1 of a node: builds its root, tells the power daemon who it is, starts the cluster software, reaps orphans.
# From the daemon: LAB (the lab's folder), NODE, ADDRESS, USERS, MEMBER (1: cluster software). Started in its own namespaces,
# with the host's /proc still mounted: that is how it learns the pid that the host and the daemon know it by.
set -eu
while read -r key host outer _; do [ "$key" != NSpid: ] || break; done </proc/self/status
echo "$host $outer"   # to the daemon, which then connects eth0 and says so on stdin
exec 3>&1 >&2

store=$LAB/store/$NODE root=$LAB/store/$NODE/root old=/run/bansho-lab/old

overlay() { # FOLDER NAME: the host's folder at the same place in the node, changes kept in the store
  if [ ! -d "$store/$2" ]; then
    mkdir -p "$store/$2/upper" "$store/$2/work"
    chown --reference="$1" "$store/$2/upper"
    chmod --reference="$1" "$store/$2/upper"
  fi
  mkdir -p "$root$1"
  (cd "$1" && mount -t overlay overlay -o "lowerdir=.,upperdir=$store/$2/upper,workdir=$store/$2/work" "$root$1")
}

# A root of its own; the upper layers survive a reboot, as a disk does.
overlay / system
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
[ ! -d "$root/sys/fs/cgroup" ] || mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || true
count=0
while read -r folder; do
  overlay "$folder" "layer$((count += 1))"
done <"$LAB/layers"

# What would reach the host, or not differ between boots.
[ ! -e /proc/sysrq-trigger ] || mount --bind /dev/null "$root/proc/sysrq-trigger"
mkdir -p "$root$old"
cat /proc/sys/kernel/random/uuid >"$root/run/bansho-lab/boot_id"
mount --bind "$root/run/bansho-lab/boot_id" "$root/proc/sys/kernel/random/boot_id"
: >"$root/run/bansho-lab/power.sock"
mount --bind "$LAB/$NODE.sock" "$root/run/bansho-lab/power.sock"

cd "$root"
pivot_root . ".$old"
cd /
echo "$NODE" >/proc/sys/kernel/hostname

if [ ! -e /etc/bansho-lab ]; then # the first boot: nothing of a cluster that the host itself may be in
  rm -rf /var/lib/pacemaker/cib/* /var/lib/corosync/* /etc/corosync/corosync.conf
  for user in $USERS; do
    id "$user" >/dev/null 2>&1 ||
      useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin "$user"
  done
  while read -r path; do chmod go+rX "$path"; done <"$old$LAB/readable"
  if [ "$MEMBER" = 1 ]; then
    install -D -m 0600 -o hacluster -g haclient "$old$LAB/cib.xml" /var/lib/pacemaker/cib/cib.xml
  fi
  echo "$NODE" >/etc/bansho-lab
fi
while read -r mode number path; do
  install -D -m "$mode" "$old$LAB/files/$number" "$path"
done <"$old$LAB/files/manifest"
umount -l "$old"

# What systemd-tmpfiles would make in a fresh /run.
install -d -m 1755 /run/resource-agents
install -d /run/lock
if id postgres >/dev/null 2>&1; then install -d -m 2775 -o postgres -g postgres /run/postgresql; fi

read -r _ && exec </dev/null # eth0 is there
ip -batch - <<IP
link set lo up
address add $ADDRESS dev eth0
link set eth0 up
IP
echo up >&3
exec 3>&-

if [ "$MEMBER" = 1 ]; then
  install -d -m 0750 -o hacluster -g haclient /run/crm
  export PCMK_logfile=/var/log/pacemaker/pacemaker.log PCMK_logfacility=none
  corosync -f &
  until corosync-cfgtool -s >/dev/null 2>&1; do sleep 0.05; done
  pacemakerd &
fi
idle=
while :; do # `wait -n` would return at once without any child
  kill -0 "$idle" 2>/dev/null || { sleep infinity & idle=$!; }
  wait -n || :
done
