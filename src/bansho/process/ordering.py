"""Start and stop as a caller sees them: ask, follow the progress, come back in time whatever hangs (CONTRACT 3.1)."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from bansho.contract import operation
from bansho.contract.suites import COMMANDS
from bansho.logicalhost.definition import LogicalHost
from bansho.process import bringup, control, messages, silence, text
from bansho.process.control import Broken, NoManager, Order
from bansho.process.daemon import check_leftovers
from bansho.process.deadline import Passed, deadline
from bansho.process.errors import ManagerEnded, NoAnswer, NotRunning
from bansho.process.folder import locked
from bansho.process.reloading import Change
from bansho.process.spawning import Begun

SLACK = 0.5
"""Seconds beyond its limit that the process manager has for its answer; the command then comes back without one."""
RELOAD_LIMIT = 20.0
ATTEMPTS = 3
"""How often a start begins anew because the process manager that it found was about to end."""

Tell = Callable[[str], None]
"""Called with each line of progress."""


class Outcome(NamedTuple):
    """How an order ended: the suite's value of 3.2 and its line; and what is outstanding if it did not end in time."""

    value: int
    text: str
    outstanding: tuple[str, ...] = ()
    in_time: bool = True


def start(host: LogicalHost, suite: str, limit: float, tell: Tell, begun: Begun | None = None) -> Outcome:
    """Has the suite started, by the process manager `begun` if there is one.

    Raises a BanshoError where the start was refused: then nothing was left running; and ManagerMute where its process
    manager is frozen.
    """
    return _in_time(host, suite, limit, lambda until: _start(host, suite, until, tell, begun))


def stop(host: LogicalHost, suite: str, limit: float, tell: Tell) -> Outcome:
    """Has the suite stopped.

    Raises LeftoversLive where services live and their process manager does not, ManagerMute where that is frozen.
    """
    return _in_time(host, suite, limit, lambda until: _stop(host, suite, until, tell))


def _in_time(host: LogicalHost, suite: str, limit: float, order: Callable[[float], Outcome]) -> Outcome:
    began = time.monotonic()
    try:
        with deadline(limit + SLACK):
            return order(began + limit)
    except Broken:
        raise ManagerEnded(name=host.name, suite=suite, log=bringup.folder_of(host, suite).log) from None
    except Passed:
        silent = messages.NO_ANSWER.format(seconds=time.monotonic() - began)
        line = text.line(host.name, suite, operation.RETRY, silent)
        return Outcome(operation.RETRY, line, (silent,), in_time=False)


def _start(host: LogicalHost, suite: str, until: float, tell: Tell, begun: Begun | None) -> Outcome:
    for _ in range(ATTEMPTS):
        bringup.bring_up(host, suite, begun)
        begun = None
        with suppress(NoManager):
            answer = _asked(host, suite, Order("start", _left(until)), tell)
            if answer.get("ended"):
                bringup.await_end(host, suite)
            outcome = _outcome(answer)
            if outcome.value != operation.ALL_STOPPED:  # else it was about to end, and we came too late
                return outcome
        bringup.await_end(host, suite)
    raise Broken


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    """Raises Refused where the process manager answered with an error."""
    if "error" in answer:
        raise bringup.Refused(answer["error"])
    return Outcome(answer["value"], answer["text"], tuple(answer["outstanding"]), answer.get("settled", True))


def _stop(host: LogicalHost, suite: str, until: float, tell: Tell) -> Outcome:
    folder = bringup.folder_of(host, suite)
    stopped = Outcome(operation.ALL_STOPPED, text.line(host.name, suite, operation.ALL_STOPPED))
    if not folder.path.is_dir():
        return stopped
    with locked(folder.order_lock):
        listening = control.listening(folder.control)
    if listening:
        with suppress(NoManager, Broken):  # then it has ended, and what is left decides
            answer = _asked(host, suite, Order("stop", _left(until)), tell)
            outcome = stopped if answer.get("ended") else _outcome(answer)
            if outcome.value != operation.ALL_STOPPED:
                return outcome._replace(in_time=False)
    bringup.await_end(host, suite)
    check_leftovers(folder, host.name, suite)
    return stopped


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


def _asked(host: LogicalHost, suite: str, order: Order, tell: Tell) -> dict[str, Any]:
    """The last answer to an order. Raises NoManager, Broken or ManagerMute."""
    folder = bringup.folder_of(host, suite)
    answers = control.answers(folder.control, order, partial(silence.check, folder, host.name, suite))
    while "progress" in (answer := next(answers)):
        tell(answer["progress"])
    return answer


class Reloaded(NamedTuple):
    """How a reload ended: the suite's line, and what has changed."""

    text: str
    changes: tuple[Change, ...]


def reload(host: LogicalHost, suite: str, limit: float = RELOAD_LIMIT) -> Reloaded:
    """Has the definition read again.

    Raises NotRunning, ManagerEnded, ManagerMute, NoAnswer, or Refused with what is wrong with the definition.
    """
    facts = {"name": host.name, "suite": suite}
    try:
        with deadline(limit + SLACK):
            answer = _asked(host, suite, Order("reload", limit), lambda _: None)
    except NoManager:
        start = COMMANDS[suite].start if suite in COMMANDS else "start"
        raise NotRunning(**facts, start=start) from None
    except Broken:
        raise ManagerEnded(**facts, log=bringup.folder_of(host, suite).log) from None
    except Passed:
        raise NoAnswer(**facts, limit=limit) from None
    return Reloaded(_outcome(answer).text, tuple(Change(**change) for change in answer["changes"]))
