"""What a person reads about a suite: one line, or one line a service that is outstanding. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bansho.contract import operation
from bansho.contract.states import ServiceState


class Glance(NamedTuple):
    """One service, as far as a person wants to know."""

    name: str
    state: ServiceState
    seconds: float
    """For how long it is in its state."""
    status: str

    def __str__(self) -> str:
        return f"{self.name} {self.state.value}" + (f" ({self.status})" if self.status else "")


def meaning(value: int) -> str:
    """What a value of 3.2 means."""
    return operation.TABLE[value].meaning


def line(host: str, suite: str, value: int, why: str = "") -> str:
    """The line of a status: "base on watch: partially stopped: event-service failed (ended with status 3)"."""
    return f"{suite} on {host}: {meaning(value)}" + (f": {why}" if why else "")


def reasons(services: Iterable[Glance]) -> str:
    """The services that are not ready, as part of a line."""
    return ", ".join(str(service) for service in services if service.state is not ServiceState.READY)


def outstanding(services: Iterable[Glance], reached: ServiceState) -> list[str]:
    """A line for each service that has not reached what was asked for, and for how long."""
    return [
        f"{service} for {service.seconds:.1f} s"
        for service in services
        if service.state is not reached and not (reached is ServiceState.STOPPED and service.state.value == "waiting")
    ]


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The progress from one look to the next: "event-service: ready"."""
    return [f"{name}: {state}" for name, state in after.items() if before.get(name) != state]
