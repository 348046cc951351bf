"""What can be asked of a logical host: each an action of the agent on every suite, in the contract's sequence.

Start goes up the sequence and ends at the first suite that does not come up. Stop and forced termination go down it
and leave none out: what Manager's stop leaves open is no reason to let Base run on.
"""

import sys
import time
from collections.abc import Callable

from bansho.cluster.adapter.errors import HalfRunning
from bansho.cluster.adapter.host import Host
from bansho.cluster.agent import actions
from bansho.cluster.agent.decide import Outcome
from bansho.cluster.agent.suite import Suite
from bansho.cluster.conventions import Finding
from bansho.cluster.errors import AgentError, BadParameter, CommandMissing
from bansho.process.notify import notify

CANNOT_TELL = (BadParameter, CommandMissing)
FINDINGS = {
    Outcome.SUCCESS: Finding.HEALTHY,
    Outcome.NOT_RUNNING: Finding.NOT_RUNNING,
    Outcome.FAILED: Finding.FAILED,
}


def start(host: Host) -> Finding:
    """Starts each suite and waits until monitoring says 0."""
    done = all(_done(actions.start, suite) for suite in host.suites("start"))
    return Finding.DONE if done else Finding.NOT_DONE


def stop(host: Host) -> Finding:
    """Stops each suite, with forced termination and proof."""
    done = [_done(actions.stop, suite) for suite in host.suites("stop", backwards=True)]
    return Finding.DONE if all(done) else Finding.NOT_DONE


def kill(host: Host) -> Finding:
    """Forced termination of each suite, with proof."""
    done = [_done(actions.kill, suite) for suite in host.suites("kill", backwards=True)]
    return Finding.DONE if all(done) else Finding.NOT_DONE


def validate(host: Host) -> Finding:
    """Whether every command is on this node."""
    done = [_done(actions.validate, suite) for suite in host.suites("validate")]
    return Finding.DONE if all(done) else Finding.NOT_DONE


def _done(action: Callable[[Suite], Outcome], suite: Suite) -> bool:
    try:
        return action(suite) is Outcome.SUCCESS
    except AgentError as error:
        report(error)
        return False


def monitor(host: Host) -> Finding:
    """Asks every suite. No product says whether it means a probe, so a node without the shared directory is
    "not running", as on a standby server; one that should have it is then acted upon all the same.
    """
    findings = [_find(suite) for suite in host.suites("monitor")]
    for worst in (Finding.CANNOT_TELL, Finding.FAILED):
        if worst in findings:
            return worst
    if len(set(findings)) > 1:
        names = [each.parameters["suite"] for each in host.resources]
        stopped = [name for name, found in zip(names, findings, strict=True) if found is Finding.NOT_RUNNING]
        report(HalfRunning(host=host.model.name, stopped=" and ".join(stopped)))
        return Finding.FAILED
    return findings[0]


def _find(suite: Suite) -> Finding:
    try:
        return FINDINGS[actions.watch(suite, is_probe=True)]
    except CANNOT_TELL as error:
        report(error)
        return Finding.CANNOT_TELL
    except AgentError as error:
        report(error)
        return Finding.FAILED


def watch(host: Host) -> Finding:
    """Monitors at the definition's interval for as long as all is healthy; what it found then. For products that
    watch a process instead of asking.
    """
    while (found := monitor(host)) is Finding.HEALTHY:
        time.sleep(host.model.monitor_interval)
    return found


def run(host: Host) -> Finding:
    """Starts, says so to the service manager (sd_notify), and watches: one process for as long as the host is well."""
    if start(host) is Finding.NOT_DONE:
        return Finding.NOT_DONE
    notify("READY=1")
    return watch(host)


def report(line: object) -> None:
    """Says it where the cluster software logs it."""
    print(line, file=sys.stderr, flush=True)
