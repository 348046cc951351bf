"""What a machine must have to carry a lab, and which part of it is missing."""

import os
import shutil
import subprocess
from pathlib import Path

from bansho.lab.namespaces import NODE, PATH

PROGRAMS = {
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "losetup": "mount",
    "mkfs.ext4": "e2fsprogs",
    "useradd": "passwd",
    "corosync": "corosync",
    "pacemakerd": "pacemaker",
    "crm_mon": "pacemaker-cli-utils",
    "crm": "crmsh",
    "modprobe": "kmod",
}
"""Program -> the Debian package that has it."""

AGENTS = Path("/usr/lib/ocf/resource.d/heartbeat/Filesystem")
OVERLAY = "mount -t tmpfs t /tmp && cd /tmp && mkdir u w m && mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w m"
PROBES = {
    "namespaces (unshare: mount, net, uts, ipc, pid, cgroup)": "true",
    "overlay file system of / with its changes on tmpfs": OVERLAY,
    "network bridge": "ip link add br0 type bridge",
    "network cables (veth)": "ip link add n1 type veth peer name n2",
}
"""Part -> a script that shows it, run as root in namespaces of its own, so that nothing of it stays."""


def missing() -> list[str]:
    """The parts that this machine lacks, each in words that say what to do about it; empty where a lab can be."""
    absent = [
        f"program {program} (package {package})"
        for program, package in PROGRAMS.items()
        if shutil.which(program, path=PATH) is None
    ]
    if not AGENTS.exists():
        absent.append("resource agents of the cluster (package resource-agents)")
    if os.geteuid() != 0:
        return [*absent, "root (run it as root)"]
    if not absent:
        absent = _kernel()
    return absent


def _kernel() -> list[str]:
    if not _works("true"):
        return [next(iter(PROBES))]
    absent = [part for part, script in PROBES.items() if not _works(script)]
    if not _quiet("losetup", "--find"):
        absent.append("loop devices (/dev/loop-control)")
    return absent


def _works(script: str) -> bool:
    return _quiet("unshare", *NODE, "--fork", "sh", "-c", script)


def _quiet(*command: str) -> bool:
    result = subprocess.run(command, env=os.environ | {"PATH": PATH}, capture_output=True, check=False)
    return result.returncode == 0
