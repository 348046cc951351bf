"""`docs/contract.md`, from the tables themselves: `scripts/docs` writes it, a test holds it."""

from collections.abc import Iterator

from bansho.contract import causes, eventservice, imdatabase, limits, operation
from bansho.contract.verdicts import Table

TABLES = {
    "Operation monitoring: `jco_spmd_status -h LH [-t SEC]`, `jbs_spmd_status -h LH [-t SEC]`": operation.TABLE,
    "IM database monitoring: `jimdbstatus -h LH`": imdatabase.TABLE,
    "Event service monitoring: `jevstat LH [-t SEC]`": eventservice.TABLE,
}

PREAMBLE = """# The contract: return values, verdicts, limits

Written by `scripts/docs` from `src/bansho/contract/`; change it there. The same number means opposite things to
different commands, so a value is never judged without its table. A value that no row lists, death by a signal and a
time-out of the caller's own are classes of their own, never "healthy" and never "stopped".

| command | returns |
|---|---|
| `jbs_start.cluster LH`, `jco_start.cluster LH` | 0 started, or still under way; 1 argument error |
| `jbs_stop.cluster LH`, `jco_stop.cluster LH` | 0 stopped, or still under way; 1 argument error |
| `jbs_killall.cluster LH`, `jco_killall.cluster LH` | 0 nothing is left; 1 argument error, or something survived |
| `jbs_spmd_reload -h LH`, `jco_spmd_reload -h LH` | 0 done, 1 not |
| `jevsend` | 0 registered durably, 255 not |

Start and stop say nothing about success: only monitoring decides. Where `-h` is left out, `JP1_HOSTNAME` names the
logical host, else the command acts on the physical host.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join(
        [PREAMBLE, *(line for title, rows in TABLES.items() for line in _section(title, rows)), *_limits(), *_causes()]
    )


def _section(title: str, rows: Table) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| value | meaning | verdict | exactly when |\n|---|---|---|---|"
    for row in rows.values():
        yield f"| {row.value} | {row.meaning} | {row.verdict.value} | {row.when} |"
    yield ""


def _limits() -> Iterator[str]:
    yield "## Time limits\n\n| limit | seconds | |\n|---|---|---|"
    yield f"| start, stop of a suite | {limits.START:g} | both return by then + {limits.RETURN_SLACK:g} s |"
    yield f"| a service's start | {limits.SERVICE_START:g} | then it counts as not running, and is left alone |"
    yield f"| a service's stop | {limits.SERVICE_STOP:g} | then it is killed |"
    yield f"| a status command (`-t`) | {limits.STATUS} | at most {limits.STATUS_MAXIMUM} |"
    yield f"| the record's beat | {limits.BEAT:g} | stale after {limits.STALE_BEATS}, lost after {limits.LOST_BEATS} |"
    yield f"| beat of the lease | {limits.LEASE_BEAT:g} | no living owner after {limits.LEASE_LOST:g} s without one |"
    yield ""


def _causes() -> Iterator[str]:
    yield "## Each value, from its real cause\n"
    yield "Each of these tests brings about the condition itself and reads the value from the real command.\n"
    yield "| command | value | cause | test |\n|---|---|---|---|"
    for command, rows in causes.CAUSES.items():
        for row in sorted(rows, key=lambda row: row.value):
            yield f"| {command} | {row.value} | {row.cause} | `{row.file}::{row.function}` |"
    yield ""


if __name__ == "__main__":
    print(markdown(), end="")
