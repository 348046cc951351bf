"""What is left where nothing may be left."""

from collections.abc import Iterator

from bansho.contract.suites import COMMANDS
from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import NOBODY, Evidence
from bansho.drill.footprint import Footprint

DESCRIPTORS, MEMORY = 64, 128 << 10
"""More than a process manager of a few services needs, and KiB."""
DESCRIPTORS_MORE, MEMORY_MORE = 8, 8 << 10
"""More than it may grow by in a round that it lived through: connections under way; KiB."""


class NothingLeft(Audit):
    """I2: a node that stopped the logical host, by whatever way, has nothing of it that runs or holds on."""

    id = "I2"
    holds = "where it was stopped or terminated no process, open file or port is left, and the lease is given back"

    def observed(self, evidence: Evidence) -> bool:
        """Only nodes that have power can be looked at."""
        return bool(evidence.remains)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """What is left, by node."""
        for node in evidence.remains:
            yield from (f"{node.node}: process {each}" for each in node.processes)
            yield from (f"{node.node}: open on the shared disk: {each}" for each in node.holders)
            yield from (f"{node.node}: port {each} is taken" for each in node.ports)
        if evidence.lease_at_rest not in {"", NOBODY}:
            yield f"stopped everywhere, and the lease still names {evidence.lease_at_rest}"


class NothingLeaks(Audit):
    """I14: mounts, control groups and files end with what they were made for, and process managers do not grow."""

    id = "I14"
    holds = "no mount, control group or file is left behind, and no process manager grows"

    def observed(self, evidence: Evidence) -> bool:
        """Only nodes that have power can be looked at."""
        return bool(evidence.remains)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """What is left, by node; more control groups than suites on the active one."""
        for node in evidence.remains:
            yield from (f"{node.node}: mount {each}" for each in node.mounts)
            yield from (f"{node.node}: control group {each}" for each in node.groups)
            yield from (f"{node.node}: file {each}" for each in node.files)
        if evidence.active_groups > len(COMMANDS):
            yield f"{evidence.successor}: {evidence.active_groups} control groups for {len(COMMANDS)} suites"
        before = {(each.node, each.boot): each for each in evidence.before}
        for after in evidence.after:
            yield from _too_much(after)
            if (after.node, after.boot) in before:
                yield from _grown(before[after.node, after.boot], after)


def _too_much(footprint: Footprint) -> Iterator[str]:
    for used in footprint.managers:
        if used.descriptors > DESCRIPTORS or used.memory > MEMORY:
            yield f"{footprint.node}: too much for a process manager: {used}"


def _grown(before: Footprint, after: Footprint) -> Iterator[str]:
    """In one boot of a node: mounts and temporary files, and what a process manager that lived through it uses."""
    if after.mounts > before.mounts:
        yield f"{after.node}: {after.mounts} mounts, {before.mounts} before the round"
    yield from (f"{after.node}: temporary file {each}" for each in sorted(after.temporary - before.temporary))
    lives = {(each.pid, each.ticks): each for each in before.managers}
    for used in after.managers:
        had = lives.get((used.pid, used.ticks), used)
        if used.descriptors - had.descriptors > DESCRIPTORS_MORE or used.memory - had.memory > MEMORY_MORE:
            yield f"{after.node}: grew: {had}, then {used}"
