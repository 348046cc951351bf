"""The logical host's name: known both ways, and never as a loopback address."""

import ipaddress
from collections.abc import Iterator

from bansho.cluster.doctor.finding import CannotTell, Finding, Subject, ask, right, wrong

KNOWN, NOT_FOUND = 0, 2
"""What getent(1) returns."""


def look(subject: Subject) -> Iterator[Finding]:
    """Asks the node's own resolver, whatever it is made of."""
    name, ip = subject.host.name, subject.host.ip
    line = f"write '{ip} {name}' into /etc/hosts of every node, or into the name service"
    found = addresses(name)
    loopback = sorted(each for each in found if ipaddress.ip_address(each).is_loopback)
    if not found:
        yield wrong(f"this node does not know the name {name}", line)
    elif loopback:
        yield wrong(f"{name} is the loopback address {', '.join(loopback)}", f"remove {name} from that line; {line}")
    elif ip not in found:
        yield wrong(f"{name} is {', '.join(sorted(found))}, and the definition says {ip}", line)
    else:
        yield right(f"{name} is {ip}")
    yield _reverse(name, ip, line)


def _reverse(name: str, ip: str, line: str) -> Finding:
    names = [word for answer in answers("hosts", ip) for word in answer.split()[1:]]
    if name in names or name in [each.partition(".")[0] for each in names]:
        return right(f"{ip} is {name}")
    return wrong(f"{ip} is {', '.join(names) or 'no name'}, expected {name}", line)


def addresses(name: str) -> set[str]:
    """The addresses of a name. Raises CannotTell."""
    return {answer.split()[0].partition("%")[0] for answer in answers("ahosts", name)}


def answers(database: str, key: str) -> list[str]:
    """The lines that getent gives. Raises CannotTell."""
    done = ask("getent", database, key)
    if done.returncode not in (KNOWN, NOT_FOUND):
        raise CannotTell(f"getent {database} {key} returned {done.returncode}")
    return done.stdout.splitlines()
