"""The logical address and its ports, as this node's network has them."""

import ipaddress
import json
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from bansho.cluster.doctor.finding import CannotTell, Finding, Subject, ask, right, unknown, wrong

DISCARD = 9
NEIGHBOUR_ANSWERS_WITHIN = 4.0
"""Seconds: the kernel gives a neighbour up after three questions, one a second."""
LISTENING = "0A"


def nonlocal_bind(subject: Subject) -> Iterator[Finding]:
    """`ip_nonlocal_bind` must be off."""
    version = ipaddress.ip_address(subject.host.ip).version
    path = Path(f"/proc/sys/net/ipv{version}/ip_nonlocal_bind")
    try:
        on = path.read_text().strip() != "0"
    except OSError as error:
        raise CannotTell(f"{path}: {error.strerror}") from None
    setting = f"net.ipv{version}.ip_nonlocal_bind"
    if on:
        yield wrong(f"{setting} is on", f"set {setting}=0 in /etc/sysctl.d and run: sysctl -w {setting}=0")
    else:
        yield right(f"{setting} is off")


def interfaces() -> list[dict[str, Any]]:
    """This node's network interfaces, as ip(8) lists them. Raises CannotTell."""
    done = ask("ip", "-json", "address", "show")
    if done.returncode != 0:
        raise CannotTell(f"ip address show: {done.stderr.strip()}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return [each for each in found if each]


def holding(ip: str) -> list[str]:
    """The interfaces whose network holds the address; that the logical address is there itself says nothing."""
    return [
        interface["ifname"]
        for interface in interfaces()
        for each in interface.get("addr_info", ())
        if each["local"] != ip
        and not ipaddress.ip_address(each["local"]).is_loopback
        and ipaddress.ip_address(ip) in ip_interface(f"{each['local']}/{each['prefixlen']}").network
    ]


def local_network(subject: Subject) -> Iterator[Finding]:
    """The address must belong to a network that this node is in."""
    host, named = subject.host, subject.host.cluster.interface
    names = holding(host.ip)
    if named and named not in [each["ifname"] for each in interfaces()]:
        yield wrong(f"this node has no interface {named}", "correct cluster.interface, or leave it out")
    elif not names:
        yield wrong(
            f"no interface of this node is in the network of {host.address}",
            "give the node an address in that network, or correct the definition's address",
        )
    elif named and named not in names:
        yield wrong(
            f"{host.ip} belongs to the network of {', '.join(names)}, not of {named}", "correct cluster.interface"
        )
    else:
        yield right(f"{host.ip} is in the network of {', '.join(names)}")


def free(subject: Subject) -> Iterator[Finding]:
    """Nobody may have the address but the cluster's own resource."""
    ip = subject.host.ip
    here = [each["ifname"] for each in interfaces() for info in each.get("addr_info", ()) if info["local"] == ip]
    if subject.home:
        yield right(f"{ip} belongs to the logical host, which runs on {subject.home}")
    elif here:
        yield wrong(
            f"{ip} is on {', '.join(here)} of this node, and the logical host does not run",
            "take it out of the node's own network configuration: only the cluster may set it",
        )
    elif not holding(ip):
        yield unknown(f"whether {ip} is free: this node is not in its network", "see 'address in a local network'")
    elif owner := neighbour(ip):
        yield wrong(f"{ip} answers already, from {owner}", "give the logical host an address that nobody has")
    else:
        yield right(f"nobody answers at {ip}")


def neighbour(ip: str) -> str:
    """The link address that answers for an address in a local network; empty where nobody does. Raises CannotTell."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    end = time.monotonic() + NEIGHBOUR_ANSWERS_WITHIN
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.sendto(b"", (ip, DISCARD))  # makes the kernel ask who has it
    while time.monotonic() < end:
        for entry in json.loads(ask("ip", "-json", "neighbour", "show", ip).stdout or "[]"):
            if "lladdr" in entry:
                return str(entry["lladdr"])
            if "FAILED" in entry.get("state", ()):
                return ""
        time.sleep(0.1)
    return ""


def ports(subject: Subject) -> Iterator[Finding]:
    """The ports must be free for the logical address; a service that listens everywhere takes them too."""
    host = subject.host
    taken = listening()
    own = {host.ip} if subject.home != subject.node else set()
    wanted = {"event-service": host.ports.event_service, "console": host.ports.console}
    for key, port in wanted.items():
        places = sorted(address for address, number in taken if number == port and address in {"0.0.0.0", "::", *own})  # noqa: S104 - compared, not bound
        if places:
            where = ", ".join(places)
            yield wrong(
                f"port {port} (ports.{key}) is taken: something listens at {where}",
                f"let it listen at its own address alone, or change ports.{key}; see: ss -ltnp sport = {port}",
            )
        else:
            yield right(f"port {port} is free for {host.ip}")


def listening() -> set[tuple[str, int]]:
    """(address, port) of every TCP listener on this node. Raises CannotTell."""
    found = set()
    for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            lines = path.read_text().splitlines()[1:]
        except FileNotFoundError:
            continue  # this kernel has no IPv6
        fields = [line.split() for line in lines]
        found |= {_socket(each[1]) for each in fields if each[3] == LISTENING}
    return found


def _socket(text: str) -> tuple[str, int]:
    """An address and port as /proc/net/tcp writes them: words of 32 bits in the machine's own order."""
    address, _, port = text.partition(":")
    words = [int(address[at : at + 8], 16).to_bytes(4, "little") for at in range(0, len(address), 8)]
    return str(ipaddress.ip_address(b"".join(words))), int(port, 16)
