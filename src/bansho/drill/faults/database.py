"""Faults of the IM database."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE

from bansho.drill import census
from bansho.drill.errors import NoTarget
from bansho.drill.faults.fault import Expected, Fault, Scene
from bansho.drill.stage import HOST, SHARED, UP, run
from bansho.lab.node import Node, Program

HOLD_ALL = """
import sys, threading
import psycopg
from bansho.database.connection import conninfo
from bansho.logicalhost.definition import load
held = []
try:
    while True:
        held.append(psycopg.connect(conninfo(load(sys.argv[1]))))
except psycopg.OperationalError:
    print(len(held), flush=True)
threading.Event().wait()
"""
"""Opens connections until the database refuses one, says how many, and keeps them."""


CONNECT = f"""
import psycopg, threading
from bansho.database.connection import conninfo
from bansho.logicalhost.definition import load
def connect():
    return psycopg.connect(conninfo(load("{HOST}")), autocommit=True)
def execute(*statements):
    with connect() as connection:
        for statement in statements:
            answer = connection.execute(statement)
        return answer
"""
WRITE_MUCH = "execute('create table drill as select n, md5(n::text) from generate_series(1, 300000) n')"
COMMIT = """
def insert(first):
    with connect() as connection:
        for n in range(first, 1 << 30, 8):
            connection.execute("insert into drill values (%s)", [n])
            print(f"{n}\\n", end="", flush=True)
for first in range(8):
    threading.Thread(target=insert, args=[first]).start()
"""
"""Eight clients; each says a number once its row is committed, until its connection breaks."""
READ_AND_DROP = """
with connect() as connection:
    print(*(n for (n,) in connection.execute("select n from drill")))
    connection.execute("drop table drill")
"""
DROP = "execute('drop table if exists drill')"
FIND_PAGE = """
with connect() as connection:
    query = "select pg_relation_filepath(tableoid::regclass) from event order by serial limit 1"
    print(*connection.execute(query).fetchone())
    connection.execute("checkpoint")
"""
READ_ALL = """
try:
    with connect() as connection:
        print(connection.execute("select count(message) from event").fetchone()[0], "rows")
except psycopg.Error as error:
    print(type(error).__name__)
"""
IN_RECOVERY = """
import os, pathlib, signal, sys, time
def first_line():
    try:
        return pathlib.Path(sys.argv[1]).read_text().partition("\\n")[0].strip()
    except OSError:
        return ""
def startup(postmaster):
    try:
        for pid in pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            if b"startup" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
    except OSError:
        pass
before, found, until = first_line(), None, time.monotonic() + 60
print("ready", flush=True)
while not found and time.monotonic() < until:
    now = first_line()
    found = startup(now) if now != before else None
    time.sleep(0.001)
if not found:
    sys.exit(1)
os.kill(found, signal.SIGSTOP)
"""
"""Waits for the process that recovers the database under the next postmaster, and stops it there."""
HOLD = f"{IN_RECOVERY}time.sleep(float(sys.argv[2]))\nos.kill(found, signal.SIGCONT)\n"
"""Lets it go on after so many seconds."""
KILL = f"{IN_RECOVERY}os.kill(int(now), signal.SIGKILL)\nos.system(f'kill -CONT {{found}}')\n"
"""Kills its postmaster meanwhile: the recovery cannot have come to its end. The product may have ended it by then."""
COMMITS = 2000
"""Rows committed before the kill."""
PAGE, HALF = 8192, 4096
"""PostgreSQL's, in bytes."""
RECOVERS = 15.0
"""Seconds."""


class KillPostmaster(Fault):
    """SIGKILL to PostgreSQL's first process: its database must recover."""

    name, what = "kill-postmaster", "kill -9 of the postmaster"
    expected: Expected = "stays"
    may_fence = False
    shows = True

    def strike(self, scene: Scene) -> None:
        """Kills it, by its pid file."""
        kill(scene.victim, postmaster(scene.victim))


class FreezePostmaster(Fault):
    """SIGSTOP to PostgreSQL's first process: it lives, and no new connection is served."""

    name, what = "freeze-postmaster", "SIGSTOP of the postmaster"
    undone = "by the cluster, which ends it; SIGCONT to what is left"
    may_fence = False
    shows = True
    hold = 30.0

    def __init__(self) -> None:
        self._pid = ""

    def strike(self, scene: Scene) -> None:
        """Stops it, by its pid file."""
        self._pid = postmaster(scene.victim)
        if not self._pid:
            raise NoTarget(what="PostgreSQL", node=scene.victim.name)
        run(scene.victim, "freeze the postmaster", ["kill", "-STOP", self._pid])

    def undo(self, scene: Scene) -> None:
        """Lets it go on where nobody ended it."""
        if scene.victim.on and self._pid and self._pid == postmaster(scene.victim):
            scene.victim.run(["kill", "-CONT", self._pid])


class InRecovery(Fault):
    """SIGKILL to the postmaster, and something befalls the next one, on the same node, while it recovers."""

    may_fence = False
    shows = True

    def __init__(self, name: str, what: str, script: str, expected: Expected) -> None:
        self.name, self.what, self._script, self.expected = name, what, script, expected

    def strike(self, scene: Scene) -> None:
        """Writes much, so that there is something to recover; kills it; the script does the rest. Raises NoTarget."""
        run(scene.victim, "write much", python(WRITE_MUCH))
        command = [sys.executable, "-c", self._script, f"{SHARED}/database/postmaster.pid", str(RECOVERS)]
        with scene.victim.popen(command, stdout=PIPE, stderr=DEVNULL, text=True) as met:
            assert met.stdout is not None  # noqa: S101 - asked for as a pipe
            met.stdout.readline()
            kill(scene.victim, postmaster(scene.victim))
            if met.wait(timeout=RECOVERS + UP) != 0:
                raise NoTarget(what="a recovery of PostgreSQL", node=scene.victim.name)

    def undo(self, scene: Scene) -> None:
        """Drops what was written."""
        run(scene.stage.wait_up(), "drop what was written", python(DROP))


class KillInCommit(Fault):
    """SIGKILL to every process of PostgreSQL while eight clients commit: what was acknowledged must be there."""

    name, what = "kill-postgres-in-commit", "kill -9 of all of PostgreSQL while clients commit"
    expected: Expected = "stays"
    may_fence = False
    shows = True

    def __init__(self) -> None:
        self._committed: set[int] = set()

    def strike(self, scene: Scene) -> None:
        """Has rows committed one by one, kills in the middle, and keeps what was acknowledged."""
        self.findings, self._committed = None, set()
        run(scene.victim, "make a table", python("execute('create table drill (n int)')"))
        with scene.victim.popen(python(COMMIT), stdout=PIPE, stderr=DEVNULL, text=True) as clients:
            assert clients.stdout is not None  # noqa: S101 - asked for as a pipe
            lines = [clients.stdout.readline() for _ in range(COMMITS)]
            self._kill(scene.victim)
            self._committed = {int(line) for line in [*lines, *clients.stdout] if line.endswith("\n")}

    def _kill(self, node: Node) -> None:
        """All of them, the first one first. Raises NoTarget where that one's children were not there to be killed."""
        pids = _postgres(node)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if len(pids) < 2:
            raise NoTarget(what="more of PostgreSQL than its first process", node=node.name)

    def undo(self, scene: Scene) -> None:
        """Compares, and drops the table; where it did not come to the kill there is nothing to compare."""
        active = scene.stage.wait_up()
        if not self._committed:
            run(active, "drop the table", python(DROP))
            return
        answer = run(active, "read the rows", python(READ_AND_DROP))
        lost = self._committed - {int(line) for line in answer.split()}
        self.findings = [f"{len(lost)} of {len(self._committed)} committed rows are not there"] if lost else []


class DamagedPage(Fault):
    """A page of the table of events is damaged on the disk. No takeover mends it: the disk goes with it.

    It must be an error for who reads it, never a shorter answer, and stand in the log; the rest must go on.
    """

    name, what = "damaged-page", "a page of the IM database's events damaged on the disk"
    undone = "the page's bytes put back"
    expected: Expected = "stays"
    may_fence = False
    shows = True

    def __init__(self) -> None:
        self._path, self._bytes = "", b""

    def strike(self, scene: Scene) -> None:
        """Has it written, kills the postmaster so that nobody remembers it, and damages it."""
        self.findings, self._bytes = None, b""
        self._path = run(scene.victim, "find a page", python(FIND_PAGE)).strip()
        kill(scene.victim, postmaster(scene.victim))
        file = self._file(scene.victim)
        self._bytes = file.read_bytes()[:PAGE]
        self._write(scene.victim, bytes(byte ^ 0xFF for byte in self._bytes[HALF:]), HALF)

    def undo(self, scene: Scene) -> None:
        """Reads it, which must be an error; looks for the log's line; and puts the bytes back, if it came to any."""
        if not self._bytes:
            return
        try:
            active = scene.stage.wait_up()
            read = run(active, "read all events", python(READ_ALL)).strip()
        finally:
            self._write(scene.stage.active() or scene.victim, self._bytes, 0)
        log = Path(f"/proc/{active.pid}/root{SHARED}/log/manager.imdb.log").read_text(errors="replace")
        self.findings = [] if read == "DataCorrupted" else [f"reading the damaged page was no error: {read}"]
        if self._path not in log:
            self.findings.append(f"no line of manager.imdb.log names the damaged {self._path}")

    def _file(self, node: Node) -> Path:
        return Path(f"/proc/{node.pid}/root{SHARED}/database", self._path)

    def _write(self, node: Node, content: bytes, at: int) -> None:
        with self._file(node).open("r+b") as file:
            file.seek(at)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


class ConnectionLimit(Fault):
    """Somebody takes every connection that the database has to give."""

    name, what = "connection-limit", "every connection of the IM database taken"
    undone = "connections given back"
    expected: Expected = "stays"
    may_fence = False
    heals = False

    def __init__(self) -> None:
        self._holder: Program | None = None

    def strike(self, scene: Scene) -> None:
        """Takes them, and waits until the database refuses one."""
        command = [sys.executable, "-c", HOLD_ALL, HOST]
        self._holder = scene.victim.popen(command, stdout=PIPE, stderr=DEVNULL, text=True)
        assert self._holder.stdout is not None  # noqa: S101 - asked for as a pipe
        if not self._holder.stdout.readline():
            raise NoTarget(what="the IM database", node=scene.victim.name)

    def undo(self, scene: Scene) -> None:  # noqa: ARG002
        """Gives them back."""
        if self._holder:
            with self._holder as holder:
                holder.kill()


def postmaster(node: Node) -> str:
    """The pid that the postmaster has on its node, by its pid file; "" where there is none."""
    try:
        path = Path(f"/proc/{node.pid}/root{SHARED}/database/postmaster.pid")
        return path.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return ""


def kill(node: Node, pid: str) -> None:
    """SIGKILL. Raises NoTarget, or StepFailed where it is gone already."""
    if not pid:
        raise NoTarget(what="PostgreSQL", node=node.name)
    run(node, "kill the postmaster", ["kill", "-9", pid])


def python(script: str) -> list[str]:
    """The command that runs a script which can `connect()` to, and `execute(...)` in, the IM database."""
    return [sys.executable, "-c", f"{CONNECT}{script}"]


def _postgres(node: Node) -> list[int]:
    """This machine's pids of all of PostgreSQL on a node, the postmaster first."""
    found = [each for each in census.take(node.lab).get(node.name, ()) if each.program == "postgres"]
    return [each.pid for each in sorted(found, key=lambda each: each.ticks)]


FAULTS: list[Fault] = [
    KillPostmaster(),
    FreezePostmaster(),
    KillInCommit(),
    InRecovery(
        "kill-postmaster-in-recovery",
        "kill -9 of the postmaster, and of the next one in the middle of its recovery",
        KILL,
        "either",
    ),
    # status must say so for all of the 15 s, and nobody give up
    InRecovery("long-recovery", "kill -9 of the postmaster, and 15 s of recovery after it", HOLD, "stays"),
    DamagedPage(),
    ConnectionLimit(),
]
