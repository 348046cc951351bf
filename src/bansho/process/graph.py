"""Which services may start now and which must stop next, from their states alone. Pure.

Start: each as soon as all that it waits for are ready, so independent ones start side by side. Stop: the reverse, each
as soon as nothing that waits for it has a process any more.
"""

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from bansho.contract.states import LIVING, UNDER_WAY, ServiceState

Dependencies = Mapping[str, frozenset[str]]
"""Service -> the services that must be ready before it starts."""
States = Mapping[str, ServiceState]


def cycle(dependencies: Dependencies) -> Sequence[str]:
    """A circle of services that wait for each other, first and last the same; empty where there is none."""
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return ()


def may_start(dependencies: Dependencies, states: States) -> list[str]:
    """The waiting services whose dependencies are all ready, in the definition's order."""
    return [
        name
        for name, after in dependencies.items()
        if states[name] is ServiceState.WAITING and all(states[other] is ServiceState.READY for other in after)
    ]


def must_stop(dependencies: Dependencies, states: States, asked: Collection[str]) -> list[str]:
    """The services to ask to stop now: each with a process, unless it was `asked` or one that waits for it has one."""
    held = {other for name, after in dependencies.items() if states[name] in LIVING for other in after}
    return [name for name in dependencies if states[name] in LIVING and name not in held and name not in asked]


def blocked(dependencies: Dependencies, states: States) -> list[str]:
    """The waiting services that something keeps from starting which is neither ready nor under way."""
    stuck: set[str] = set()
    for name in TopologicalSorter(dependencies).static_order():
        if states[name] is ServiceState.WAITING and any(
            other in stuck or states[other] not in UNDER_WAY | {ServiceState.READY} for other in dependencies[name]
        ):
            stuck.add(name)
    return [name for name in dependencies if name in stuck]


def settled(dependencies: Dependencies, states: States) -> bool:
    """Whether a start has nothing left to wait for: no service is on its way that could still arrive."""
    coming = {name for name in dependencies if states[name] in UNDER_WAY}
    return not coming - set(blocked(dependencies, states))
