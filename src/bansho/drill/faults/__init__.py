"""The faults: one small class each, and all of them by name."""

from collections.abc import Iterable

from bansho.drill.errors import UnknownFault
from bansho.drill.faults import cluster, database, disk, network, orders, power, pressure, processes
from bansho.drill.faults.fault import Fault, Scene

__all__ = ["FAULTS", "Fault", "Scene", "chosen"]

PARTS = (processes, database, pressure, disk, cluster, network, orders, power)
FAULTS: dict[str, Fault] = {fault.name: fault for part in PARTS for fault in part.FAULTS}
"""Name -> fault, gentlest part first: of two at once the later one here strikes second."""
GROUPS = {part.__name__.rpartition(".")[2]: [fault.name for fault in part.FAULTS] for part in PARTS}


def chosen(names: Iterable[str], nodes: int) -> list[Fault]:
    """The faults named, or all of a group named, that this machine and so many nodes permit; all for none named.

    Raises UnknownFault.
    """
    wanted: list[str] = []
    for name in names or GROUPS:
        if name not in GROUPS and name not in FAULTS:
            raise UnknownFault(name=name, names=", ".join([*GROUPS, *FAULTS]))
        wanted += GROUPS.get(name, [name])
    return [
        fault for name, fault in FAULTS.items() if name in wanted and fault.least_nodes <= nodes and not fault.lacks()
    ]
