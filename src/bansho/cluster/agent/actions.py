"""Start, stop and monitor as a cluster's script must do them (CONTRACT 3.5)."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from bansho.cluster import errors, timing
from bansho.cluster.agent import decide, shared, telling
from bansho.cluster.agent.command import Answer
from bansho.cluster.agent.decide import Context, Outcome, Passage
from bansho.cluster.agent.suite import Look, Question, Suite
from bansho.contract import termination
from bansho.contract.verdicts import TIMED_OUT, Ended
from bansho.logicalhost import history
from bansho.logicalhost.places import SharedPlaces


def start(suite: Suite) -> Outcome:
    """Starts the suite and waits until monitoring says 0. Cleans nothing up: the cluster stops what failed to start.

    Raises SharedDirectoryOffline, DidNotStart, OutOfTime or CommandMissing.
    """
    facts = suite.parameters
    if not suite.online():
        raise errors.SharedDirectoryOffline(suite=facts.suite, host=facts.host, path=facts.directory)
    suite.notes.forget()
    suite.notes.keep_disk(shared.device(facts.mount_point) if facts.releases_disk else None)
    if suite.look().outcome is Outcome.SUCCESS:
        return Outcome.SUCCESS
    mark(suite, "start begins")
    started = suite.start()
    found = wait_for_running(suite, started.ended)
    if found.outcome is not Outcome.SUCCESS:
        # The shortage first: every node would meet it, and Pacemaker shows only 128 characters.
        reasons = "; ".join(filter(None, (shared.shortage(facts.directory), found.words)))
        words = how_it_ended(suite.names.start, started)
        raise errors.DidNotStart(suite=facts.suite, host=facts.host, monitoring=reasons, started=words)
    mark(suite, "started")
    return Outcome.SUCCESS


def wait_for_running(suite: Suite, started: Ended) -> Look:
    """Monitors until the suite runs, or until the same kind of settled answer came as often as retries are specified.

    Anything else goes on to the deadline: it may be a start under way. After an argument error nothing is under way.
    """
    patience = 0 if started.value == termination.ARGUMENT_ERROR else suite.parameters.retries
    settled = 0
    while True:
        found = suite.look()
        settled = settled + 1 if found.verdict in decide.SETTLED else 0
        if found.outcome is Outcome.SUCCESS or settled > patience:
            return found
        suite.deadline.pause(suite.parameters.retry_interval)


def mark(suite: Suite, leg: str) -> None:
    """Leaves a time stamp in the takeover history."""
    places = SharedPlaces(Path(suite.parameters.directory))
    history.mark(places, f"{suite.parameters.suite} {leg}")


def how_it_ended(name: str, answer: Answer) -> str:
    """How a command ended whose value decides nothing, and what it said."""
    said = f": {answer.said}" if answer.said else ""
    if answer.ended == TIMED_OUT:
        return f"{name} had to be given up{said}"
    signal = answer.ended.signal
    return f"{name} was killed by signal {signal}{said}" if signal else f"{name} returned {answer.ended.value}{said}"


def stop(suite: Suite) -> Outcome:
    """Stops the suite, always ends with forced termination, and returns only with proof that nothing is left.

    Without the shared directory there is nothing to stop in order and no monitoring that could tell: it says 1 then,
    whatever lives. Raises NotStopped, OutOfTime or CommandMissing.
    """
    online = suite.online()
    if online and suite.look().outcome is not Outcome.NOT_RUNNING:
        suite.stop()
    return end_for_certain(suite, online)


def kill(suite: Suite) -> Outcome:
    """Forced termination without a stop in order before it, to the same proof. Raises as `stop` does."""
    return end_for_certain(suite, suite.online())


def end_for_certain(suite: Suite, online: bool) -> Outcome:
    """Forced termination, as often as specified, until the proof is complete. Raises as `stop` does."""
    for tries_left in range(suite.parameters.retries, -1, -1):
        missing = terminate_and_prove(suite, online)
        if not missing:
            suite.notes.keep_disk(None)
            return Outcome.SUCCESS
        report(errors.NOT_PROVEN_YET(suite=suite.parameters.suite, host=suite.parameters.host, missing=missing))
        if tries_left:
            suite.deadline.pause(suite.parameters.retry_interval)
    raise errors.NotStopped(suite=suite.parameters.suite, host=suite.parameters.host, missing=missing)


def terminate_and_prove(suite: Suite, online: bool) -> str:
    """Forced termination, then what the proof still lacks; empty when it is complete."""
    undone = undone_by_termination(suite, online)
    found = suite.look() if online else None
    holders = busy_holders(suite, online) if suite.parameters.releases_disk else []
    stopped = found is None or found.outcome is Outcome.NOT_RUNNING
    return decide.missing_proof(stopped, found.words if found else "", undone, holders)


def undone_by_termination(suite: Suite, online: bool) -> str:
    """What forced termination left, in words.

    Its value is our own addition. Of others' commands 0 proves nothing, and monitoring is believed instead; but where
    that cannot tell, an end that is not even 0 leaves nothing to believe.
    """
    answer = suite.terminate()
    if answer.ended.value == termination.NOTHING_LEFT or (online and not suite.is_ours):
        return ""
    return how_it_ended(suite.names.killall, answer)


def busy_holders(suite: Suite, online: bool) -> list[str]:
    """Who keeps the shared directory busy, or the disk that has been unmounted under its processes. Persons apart:
    fencing a node because someone reads a log would be wrong, and the unmount that follows deals with them.
    """
    services, persons = shared.holders(suite.parameters.directory, None if online else suite.notes.disk)
    if persons:
        report(errors.STRANGERS(holders=", ".join(persons)))
    return services


def probe(suite: Suite) -> Outcome:
    """Whether the suite runs on this node at all. Raises Unhealthy, OutOfTime or CommandMissing.

    The cluster probes every node, so this is where a node tells the others how it is furnished.
    """
    if suite.parameters.releases_disk:
        telling.tell_the_others(suite.parameters.host)
    return watch(suite, is_probe=True)


def monitor(suite: Suite) -> Outcome:
    """Whether the suite that should run here is well. Raises Unhealthy, OutOfTime or CommandMissing."""
    return told_once(suite, lambda: watch(suite, is_probe=False))


def deep_monitor(suite: Suite) -> Outcome:
    """The same, and then whether an event comes through our own suite. Raises as `monitor` does."""
    return told_once(suite, lambda: look_deeply(suite))


def told_once(suite: Suite, look: Callable[[], Outcome]) -> Outcome:
    """What a look found; a failure only after the recovery from the one before has had its time, which ends us."""
    try:
        found = look()
    except errors.AgentError:
        suite.notes.tell_once(suite.deadline)
        raise
    if found is not Outcome.SUCCESS:
        suite.notes.tell_once(suite.deadline)
    return found


def look_deeply(suite: Suite) -> Outcome:
    """Monitors, then sends an event through the suite. Raises as `monitor` does."""
    found = watch(suite, is_probe=False)
    if found is Outcome.SUCCESS and suite.is_ours:
        send_through(suite)
    return found


def send_through(suite: Suite) -> None:
    """Sends an event through the suite, again as specified where that fails at once. Raises Unhealthy or OutOfTime."""
    facts, begun = suite.parameters, time.monotonic()
    for tries_left in range(facts.retries, -1, -1):
        spent = time.monotonic() - begun
        answer = suite.send_through(max(timing.THROUGH - spent, facts.retry_interval))
        passage, step = answer.ended.value, answer.said.rpartition(" / ")[2]
        if passage == Passage.NOT_MADE:
            report(errors.NOT_CHECKED(suite=facts.suite, host=facts.host, reason=step))
        if passage in (Passage.THROUGH, Passage.NOT_MADE):
            return
        if answer.ended == TIMED_OUT or not tries_left:
            break
        suite.deadline.pause(facts.retry_interval)
    late = f" after {time.monotonic() - begun:.0f} s" if answer.ended == TIMED_OUT else ""
    raise errors.Unhealthy(suite=facts.suite, host=facts.host, monitoring=f"deep check{late}: {step}")


def watch(suite: Suite, *, is_probe: bool) -> Outcome:
    """Asks each question, as often as is specified."""
    context = Context(is_probe, suite.online())
    answered = decide.without_asking(context)
    if answered:
        return answered
    for question in suite.questions:
        found = persist(suite, question, context)
        if found.outcome is not Outcome.SUCCESS:
            break
    if found.outcome is Outcome.FAILED:
        facts = suite.parameters
        raise errors.Unhealthy(suite=facts.suite, host=facts.host, monitoring=found.words)
    return found.outcome


def persist(suite: Suite, question: Question, context: Context) -> Look:
    """Asks one question again, up to the specified retries, while its answer asks for that."""
    for tries_left in range(suite.parameters.retries, -1, -1):
        found = suite.ask(question, context._replace(tries_left=tries_left))
        if found.outcome is not Outcome.ASK_AGAIN:
            break
        suite.deadline.pause(suite.parameters.retry_interval)
    return found


def validate(suite: Suite) -> Outcome:
    """Whether the parameters are right and every command is here. Raises CommandMissing, or BadParameter before."""
    suite.find_commands()
    return Outcome.SUCCESS


ACTIONS: dict[str, Callable[[Suite], Outcome]] = {
    "start": start,
    "stop": stop,
    "monitor": monitor,
    "validate-all": validate,
}
"""What the cluster may ask for by name; it asks for a probe by a monitor without an interval."""


def report(line: str) -> None:
    """Says it where the cluster logs it."""
    print(line, file=sys.stderr)
