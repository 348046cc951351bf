"""`python -m bansho.cluster.agent FOLDER BEGUN STEP ACTION`: what the resource agent's file hands over to.

`FOLDER` is where our own commands are, `BEGUN` when the action began, in seconds since the boot, and `STEP` what was
done since: the time limit is the whole action's.
Parameters come as `OCF_RESKEY_*`, the cluster's time limit as `OCF_RESKEY_CRM_meta_timeout` in milliseconds. The exit
code is OCF's. Why something failed goes to stderr, where Pacemaker shows it beside the resource.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from bansho.cluster import timing
from bansho.cluster.agent import actions, telling
from bansho.cluster.agent.deadline import Deadline
from bansho.cluster.agent.decide import Outcome
from bansho.cluster.agent.parameters import Parameters, read
from bansho.cluster.agent.suite import Suite
from bansho.cluster.errors import AgentError, BadParameter, UnknownAction

DEEP = 10
"""The check level (`OCF_CHECK_LEVEL`) from which a monitor sends an event through the suite."""
RUNNING = frozenset({"start", "monitor"})
"""The actions after whose success the suite runs."""
CONSOLE_SUITE = "manager"
KNOWN = (*actions.ACTIONS, "meta-data")
UPTIME = Path("/proc/uptime")
"""The clock of both parts of the agent: some containers have one of their own there."""


class Before(NamedTuple):
    """What came before Python had its turn."""

    spent: float = 0.0
    """Seconds."""
    step: str = "beginning"


AT_ONCE = Before()


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Does the action and returns its exit code."""
    folder, begun, step, *words = arguments
    action = " ".join(words)
    try:
        if action == "meta-data":
            return print_metadata()
        if action not in actions.ACTIONS:
            raise UnknownAction(action=action, actions=", ".join(KNOWN))
        return act(action, folder, environment, Before(since(begun), step))
    except AgentError as error:
        print(environment.get("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:") + str(error), file=sys.stderr)
        return error.code


def since(begun: str) -> float:
    """Seconds since then; 0 where nobody can tell."""
    try:
        return max(0.0, float(UPTIME.read_text(encoding="ascii").split()[0]) - float(begun))
    except (OSError, ValueError):
        return 0.0


def act(action: str, folder: str, environment: Mapping[str, str], before: Before = AT_ONCE) -> int:
    """Does one action on the suite that the environment describes. Raises AgentError."""
    parameters = read(environment)
    limit = own_limit(action, environment.get("OCF_RESKEY_CRM_meta_timeout"), parameters)
    deadline = Deadline(limit, **before._asdict(), action=action, suite=parameters.suite, host=parameters.host)
    suite = Suite(parameters, folder, deadline)
    outcome = kind(action, environment)(suite)
    if outcome is Outcome.SUCCESS and action in RUNNING and has_console(suite):
        telling.tell_the_console(suite.parameters.host)
    return outcome.value


def has_console(suite: Suite) -> bool:
    """Whether the console is among the suite's services: our own Manager's; another product has none of ours."""
    return suite.is_ours and suite.parameters.suite == CONSOLE_SUITE


def kind(action: str, environment: Mapping[str, str]) -> Callable[[Suite], Outcome]:
    """What is to be done: a monitor is a probe where it has no interval, and deep from level 10 on."""
    if action != "monitor":
        return actions.ACTIONS[action]
    if environment.get("OCF_RESKEY_CRM_meta_interval", "0") == "0":
        return actions.probe
    level = environment.get("OCF_CHECK_LEVEL", "0")
    return actions.deep_monitor if level.isdecimal() and int(level) >= DEEP else actions.monitor


def own_limit(action: str, milliseconds: str | None, parameters: Parameters) -> float:
    """The agent's own time limit in seconds. Raises BadParameter."""
    if milliseconds is None:
        return timing.own_limit(timing.usual(parameters.patience)[action].seconds)
    if not (milliseconds.isascii() and milliseconds.isdigit() and int(milliseconds)):
        raise BadParameter(name="CRM_meta_timeout", problem=f"{milliseconds!r}: expected milliseconds")
    return timing.own_limit(int(milliseconds) / 1000)


def print_metadata() -> int:
    """Prints the agent's description of itself."""
    from bansho.cluster.agent import metadata

    print(metadata.document(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
