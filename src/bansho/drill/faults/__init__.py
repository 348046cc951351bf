"""The faults: one small class each, and all of them by name."""

from collections.abc import Iterable

from bansho.drill.choice import selected
from bansho.drill.faults import cluster, database, disk, network, orders, power, pressure, processes
from bansho.drill.faults.fault import Fault, Scene

__all__ = ["FAULTS", "Fault", "Scene", "chosen", "unfit"]

PARTS = (processes, database, pressure, disk, cluster, network, orders, power)
FAULTS: dict[str, Fault] = {fault.name: fault for part in PARTS for fault in part.FAULTS}
"""Name -> fault, gentlest part first: of two at once the later one here strikes second."""
GROUPS = {part.__name__.rpartition(".")[2]: [fault.name for fault in part.FAULTS] for part in PARTS}


def chosen(names: Iterable[str], nodes: int) -> list[Fault]:
    """The faults named, or those of a group named, that this machine and so many nodes permit; all for none named.

    Raises UnknownFault, and UnfitFault for a name that would leave nothing.
    """
    reasons = {name: unfit(fault, nodes) for name, fault in FAULTS.items()}
    return [FAULTS[name] for name in selected(names, reasons, GROUPS)]


def unfit(fault: Fault, nodes: int) -> str:
    """Why a fault cannot be struck on this machine with so many nodes; empty where it can."""
    if fault.least_nodes > nodes:
        return f"it needs {fault.least_nodes} nodes, and there are {nodes}"
    lacking = fault.lacks()
    return lacking and f"this machine lacks {lacking}"
