"""What is left where nothing may be left."""

from collections.abc import Iterator

from bansho.contract.suites import COMMANDS
from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import Evidence


class NothingLeft(Audit):
    """I2: a node that stopped the logical host, by whatever way, has nothing of it that runs or holds on."""

    id = "I2"
    holds = "where it was stopped or terminated no process, no open file and no port is left"

    def observed(self, evidence: Evidence) -> bool:
        """Only nodes that have power can be looked at."""
        return bool(evidence.remains)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """What is left, by node."""
        for node in evidence.remains:
            yield from (f"{node.node}: process {each}" for each in node.processes)
            yield from (f"{node.node}: open on the shared disk: {each}" for each in node.holders)
            yield from (f"{node.node}: port {each} is taken" for each in node.ports)


class NothingLeaks(Audit):
    """I14: mounts, control groups and run-time files end with what they were made for."""

    id = "I14"
    holds = "no mount, control group or run-time file is left behind"

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
