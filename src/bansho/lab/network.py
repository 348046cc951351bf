"""The lab's network: a bridge in the lab's own namespace, and a cable (a veth pair) from it to each host."""

import subprocess

from bansho.lab import cable
from bansho.lab.spec import OUTSIDE

BRIDGE = "br0"
PREFIX = 24
BRIDGE_ADDRESS = "10.77.0.1"
LOGICAL_ADDRESS = f"10.77.0.100/{PREFIX}"
"""An address that no host has: free for a logical host."""


def address(host: str) -> str:
    """A host's own address: 10.77.0.11 for n1, 10.77.0.200 for the one outside."""
    return "10.77.0.200" if host == OUTSIDE else f"10.77.0.{10 + int(host[1:])}"


def build() -> None:
    """Makes the bridge in the network namespace of the caller, with an address by which windows reach the nodes."""
    _ip(
        "link set lo up",
        f"link add {BRIDGE} type bridge",
        f"address add {BRIDGE_ADDRESS}/{PREFIX} dev {BRIDGE}",
        f"link set {BRIDGE} up",
    )


def connect(host: str, pid: int, outer: int, state: str) -> None:
    """Gives the network namespace of `pid` its eth0, the other end on the bridge, and the cable its state.

    `pid` is as the caller counts pids, `outer` as /proc does.
    """
    _ip(
        f"link add {host} type veth peer name eth0 netns {pid}",
        f"link set {host} master {BRIDGE} {_link(state)}",
    )
    for command in cable.means(host, outer, state):
        subprocess.run(command, check=True)


def disconnect(host: str) -> None:
    """Takes the host's cable away at once; nothing if it has none."""
    subprocess.run(["ip", "link", "delete", host], check=False, stderr=subprocess.DEVNULL)


def change(host: str, outer: int, state: str) -> None:
    """Gives the cable another state (`bansho.lab.cable`); of a cut one the host sees its carrier go."""
    for command in cable.reset(host, outer):
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
    _ip(f"link set {host} {_link(state)}")
    for command in cable.means(host, outer, state):
        subprocess.run(command, check=True)


def _link(state: str) -> str:
    return "down" if state == cable.CUT else "up"


def _ip(*lines: str) -> None:
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
