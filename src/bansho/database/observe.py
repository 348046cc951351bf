"""Observing a database's state from outside: the thin edge of `state`, which concludes."""

import os
import subprocess
import time
from pathlib import Path

from bansho.contract import imdatabase
from bansho.database import instance, postmaster, presence, programs
from bansho.database.errors import NotObservable
from bansho.database.state import Facts, State, classify
from bansho.logicalhost.definition import LogicalHost

FIELD = "Database cluster state:"
SLACK = 0.2
"""Seconds of the limit that are kept for saying what was found."""


def observe(host: LogicalHost, limit: float) -> State:
    """`host`'s state on this node, found within `limit` seconds unless the disk hangs.

    Raises NotObservable, VersionMismatch or ProgramsAbsent where it cannot be found out.
    """
    deadline = time.monotonic() + limit
    try:
        state = classify(_settled(host, deadline))
    except OSError as error:
        raise NotObservable(what=error.filename or host.shared.database, reason=error.strerror or error) from None
    if state.value == imdatabase.COULD_NOT_FIND_OUT:
        raise NotObservable(what=host.shared.database, reason=state.reason)
    return state


def _settled(host: LogicalHost, deadline: float) -> Facts:
    """Facts that belong together: while one looks, a database may come up, and its control file says "in production".

    The postmaster is looked for first: a controller shows that it stops before its postmaster goes.
    """
    before = _living(host, deadline)
    while True:
        facts = before if before.postmaster or before.controller else _with_control(host, before, deadline)
        now = _living(host, deadline)
        if _who(now) == _who(before):
            return facts
        if time.monotonic() > deadline:
            raise NotObservable(what=host.shared.database, reason="it changed all the time")
        before = now


def _who(facts: Facts) -> tuple[object, ...]:
    return facts.set_up, facts.postmaster, facts.controller


def _living(host: LogicalHost, deadline: float) -> Facts:
    facts = postmaster_alone(host, deadline)
    alone = facts.set_up and not facts.postmaster
    return facts._replace(controller=presence.look(host)) if alone else facts


def postmaster_alone(host: LogicalHost, deadline: float) -> Facts:
    """Whether `host`'s postmaster lives, and what it answers; not whether a controller does. Raises OSError.

    For the controller itself: a process that closes a file which it holds locked elsewhere loses that lock.
    """
    data = host.shared.database
    if not instance.is_database(data):
        return Facts(set_up=False)
    process = postmaster.living(data)
    if not process:
        return Facts(set_up=True)
    answer = postmaster.ask(host.node.database_socket, deadline - SLACK - time.monotonic())
    return Facts(set_up=True, postmaster=process.pid, postmaster_status=process.status, answer=answer)


def _with_control(host: LogicalHost, facts: Facts, deadline: float) -> Facts:
    return facts._replace(control=control_state(host, deadline - SLACK - time.monotonic())) if facts.set_up else facts


def control_state(host: LogicalHost, limit: float) -> str:
    """The control file's "Database cluster state", in PostgreSQL's words.

    Raises NotObservable where `pg_controldata` fails, doubts the file's checksum (up to version 16 on its output), or
    does not end in time; VersionMismatch where it is another version's.
    """
    path = host.shared.database / "global" / "pg_control"
    bindir = programs.bindir(host)
    answer = _pg_controldata(bindir, host.shared.database, limit)
    states = [line.removeprefix(FIELD).strip() for line in answer.stdout.splitlines() if line.startswith(FIELD)]
    if answer.returncode or answer.stderr or "WARNING" in answer.stdout or len(states) != 1:
        instance.check_version(host, bindir)  # another version's layout looks like damage
        said = (answer.stderr or answer.stdout).strip().partition("\n")[0] or f"status {answer.returncode}"
        raise NotObservable(what=path, reason=f"pg_controldata: {said[:200]}")
    return states[0]


def _pg_controldata(bindir: Path, data: Path, limit: float) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [bindir / "pg_controldata", "-D", data]
    environment = {"LC_ALL": "C", "PATH": os.defpath}
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=max(limit, 0.001), env=environment, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise NotObservable(what=data, reason="pg_controldata did not end in time") from None
