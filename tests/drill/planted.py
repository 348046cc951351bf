"""A product that is broken on purpose: how, under which fault, and which audit must notice.

A node's root is an overlay, so what is written to a node's copy of the package or of the commands is there alone, and
is gone with the lab.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import bansho
from bansho.drill.faults import FAULTS, Fault, Scene
from bansho.drill.faults.fault import Expected
from bansho.drill.plan import named
from bansho.drill.stage import HOST, MOUNT_POINT, PROGRAMS, SHARED, Stage, wait
from bansho.lab.errors import NodeOff
from bansho.lab.node import Node

PACKAGE = Path(bansho.__file__).parent
AGENT = "/usr/lib/ocf/resource.d/bansho/suite"
FENCE = "/usr/sbin/fence_bansho_lab"
ON_A_STANDBY = f"mountpoint -q {MOUNT_POINT} || "
Do = Callable[[Scene], None]


class Break(NamedTuple):
    """One way to break the product, and to mend it."""

    plant: Do
    mend: Do


def everywhere(scene: Scene) -> list[Node]:
    """The nodes; one that is being fenced is waited for, until it has booted as far as our programs."""
    for node in scene.stage.lab.nodes:
        wait(f"{node.name} to have booted", lambda node=node: _booted(node))  # type: ignore[misc]
    return list(scene.stage.lab.nodes)


def _booted(node: Node) -> bool:
    try:
        return node.run([sys.executable, "-c", ""]).returncode == 0
    except NodeOff:
        return False


Nodes = Callable[[Scene], Sequence[Node]]


def write(node: Node, path: Path | str, text: str) -> None:
    """Writes a file on a node, which keeps its mode; a file that is mapped or run is replaced, not overwritten."""
    script = 'cp -p "$1" "$1.planted" && cat >"$1.planted" && mv "$1.planted" "$1"'
    done = node.run(["sh", "-c", script, "sh", str(path)], input=text)
    assert done.returncode == 0, done.stderr


def sh(node: Node, script: str) -> None:
    done = node.run(["sh", "-ec", f"PATH={PROGRAMS}:$PATH\n{script}"])
    assert done.returncode == 0, (script, done.stderr)


def patched(file: str, old: str, new: str) -> Break:
    """The package's `file` with `old` replaced; what runs already has the old code."""
    path = PACKAGE / file
    text = path.read_text()
    assert text.count(old) == 1, f"{file}: {old!r} is there {text.count(old)} times"

    def plant(scene: Scene) -> None:
        for node in everywhere(scene):
            write(node, path, text.replace(old, new))

    def mend(scene: Scene) -> None:
        for node in everywhere(scene):
            write(node, path, text)

    return Break(plant, mend)


def stand_in(command: str, script: str, after: str = "true", where: Nodes = everywhere) -> Break:
    """Another program in a command's place; `{real}` in its script is the command itself. `after` cleans up."""
    path = PROGRAMS / command

    def plant(scene: Scene) -> None:
        for node in where(scene):
            sh(node, f"cp -p {path} {path}.real")
            write(node, path, f"#!/bin/sh\n{script.replace('{real}', f'{path}.real')}\n")

    def mend(scene: Scene) -> None:
        for node in everywhere(scene):
            sh(node, f"test ! -e {path}.real || mv {path}.real {path}\n{after}")

    return Break(plant, mend)


def ordered(*members: str) -> Do:
    """Has the registered group in that order."""

    def order(scene: Scene) -> None:
        done = everywhere(scene)[0].run([sys.executable, "-c", SWAP, *members])
        assert done.returncode == 0, done.stderr

    return order


def nothing(scene: Scene) -> None:
    """Where there is nothing to plant, or to mend."""


def restarted(suite: str) -> Do:
    """Has a suite started again, which loads the code anew."""

    def restart(scene: Scene) -> None:
        node = scene.stage.wait_up()
        sh(node, f"crm --wait resource restart {HOST}-{suite}")
        scene.stage.wait_up()

    return restart


def forget_takeovers(stage: Stage) -> None:
    """Removes the takeover history: a wrong epoch in it would be every later round's too."""
    sh(stage.wait_up(), f"rm -f {SHARED}/log/takeover.jsonl")


class Nothing(Fault):
    """No fault: what is broken shows by itself while the drill looks for a while."""

    name, what = "nothing", "no fault"
    expected: Expected = "stays"
    may_fence = False

    def __init__(self, hold: float) -> None:
        self.hold = hold

    def strike(self, scene: Scene) -> None:
        """Does nothing."""


class KillTwice(Fault):
    """kill -9 of the event service, and again once events are acknowledged: the second one meets the broken code."""

    name, what = "kill-twice", "kill -9 of the event service, twice"
    expected: Expected = "stays"
    may_fence = False

    def strike(self, scene: Scene) -> None:
        kill = FAULTS["kill-event-service"]
        kill.strike(scene)
        wait("it to be down", lambda: scene.stage.running_on() is None)
        scene.stage.wait_up()
        kill.strike(scene)


class Hands(Fault):
    """The cluster keeps its hands off while a service is killed: whatever starts it again is the product."""

    name, what = "kill-in-maintenance", "kill -9 of the event console, with the logical host in maintenance"
    expected: Expected = "stays"
    may_fence = False
    heals = False
    hold = 8.0

    def strike(self, scene: Scene) -> None:
        sh(scene.victim, f"bansho cluster maintenance on {HOST}")
        FAULTS["kill-event-console"].strike(scene)

    def undo(self, scene: Scene) -> None:
        sh(scene.victim, f"bansho cluster maintenance off {HOST}")


class Row(NamedTuple):
    """An invariant, how the product is broken, under which fault, and what its audit then says."""

    audit: str
    broken: str
    how: str
    fault: Fault
    says: str
    breaks: Break
    late: bool = False
    """Whether it must stay until the round's last evidence, which is gathered after the fault is undone."""


class Planted(Fault):
    """A fault that strikes a product which is broken at the same moment."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows, self.inner = rows, rows[0].fault
        self._scene: Scene | None = None
        assert all(row.fault is self.inner for row in rows)
        self.name = f"{named([self.inner])}, broken for {' '.join(row.audit for row in rows)}"
        self.what = self.inner.what
        self.expected, self.heals, self.hold = self.inner.expected, self.inner.heals, self.inner.hold
        self.touches, self.may_fence, self.rests = self.inner.touches, self.inner.may_fence, self.inner.rests
        self.fences, self.shows = self.inner.fences, self.inner.shows

    def strike(self, scene: Scene) -> None:
        self._scene = scene
        for row in self.rows:
            row.breaks.plant(scene)
        self.inner.strike(scene)

    def undo(self, scene: Scene) -> None:
        self._mend(scene, late=False)
        self.inner.undo(scene)

    def end(self) -> None:
        """Mends what had to stay until the round was over."""
        if self._scene:
            self._mend(self._scene, late=True)
            forget_takeovers(self._scene.stage)

    def _mend(self, scene: Scene, *, late: bool) -> None:
        for row in reversed(self.rows):
            if row.late is late:
                row.breaks.mend(scene)


SWAP = f"""
import subprocess, sys
from xml.etree import ElementTree
def cibadmin(*options):
    return subprocess.run(["cibadmin", *options], check=True, capture_output=True, text=True).stdout
group = ElementTree.fromstring(cibadmin("--query", "--xpath", "//group[@id='{HOST}']"))
members = {{each.get("id"): each for each in group.findall("primitive")}}
for each in members.values():
    group.remove(each)
for name in sys.argv[1:]:
    group.append(members["{HOST}-" + name])
cibadmin("--replace", "--xml-text", ElementTree.tostring(group, encoding="unicode"))
"""
LISTEN = "import socket,time; s=socket.socket(); s.bind(('', 7710)); s.listen(); time.sleep(600)"
GROUP = f"/sys/fs/cgroup/bansho.{HOST}.base.planted"
HIDDEN = f"""{{real}} "$@"; value=$?
mkdir -p {GROUP}
env -i setsid sh -c 'cd /; echo 0 >{GROUP}/cgroup.procs; exec sleep 600' >/dev/null 2>&1 </dev/null &
exit $value"""
ANSWER = """import socket, sys, time
with open(sys.argv[1] + '/cgroup.procs', 'w') as group: group.write('0')
said = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
while True: said.sendto(b'WATCHDOG=1', sys.argv[2]); time.sleep(1)"""
COMMITTED = "            self._loop.call_soon_threadsafe(self._answer, jobs, self._commit(jobs))\n"
EARLY = """            events = [event for job in jobs for event in job.events]
            early = [Registration(self._store.last + 1 + number, False) for number in range(len(events))]
            self._loop.call_soon_threadsafe(self._answer, jobs, early)
            time.sleep(1)
            self._commit(jobs)
"""
"""Of intake: answers with the serials that the events would get, and commits a second later."""
LIE = """in=$(cat)
case $in in *action=off* | *action=reboot*) exit 0 ;; esac
echo "$in" | {real} "$@\""""
FAILED = '[ "$1/${OCF_RESKEY_CRM_meta_interval:-0}" = monitor/0 ] || [ "$1" != monitor ] || exit 1\nexec {real} "$@"'
RESTART = "[[service]]\\nrestart = 1\\nrestart-interval = 0"
TOML = f"{SHARED}/conf/manager.toml"


def both(*breaks: Break) -> Break:
    """Several at once."""

    def plant(scene: Scene) -> None:
        for each in breaks:
            each.plant(scene)

    def mend(scene: Scene) -> None:
        for each in reversed(breaks):
            each.mend(scene)

    return Break(plant, mend)


def on_the_disk(script: str) -> Do:
    """A script on the node that has the shared disk."""
    return lambda scene: sh(scene.stage.active() or scene.victim, script)


def answer_watchdog(scene: Scene) -> None:
    """Says WATCHDOG=1 for the event service all the time, as only a process of its own may."""
    folder = f"/run/bansho/{HOST}/base"
    run = f'{sys.executable} -c "{ANSWER}" "$(cat {folder}/cgroup)/service.event-service" {folder}/notify/event-service'
    sh(scene.victim, f"setsid {run} >/dev/null 2>&1 </dev/null & echo $! >/run/answers")


MOVE, QUIET = FAULTS["move"], Nothing(6.0)

ROWS = [
    Row(
        "I0",
        "the event service ends as soon as it is started",
        "patch of base/event_service.py",
        FAULTS["kill-event-service"],
        "not all running again",
        patched(
            "base/event_service.py",
            'if __name__ == "__main__":\n',
            'if __name__ == "__main__":\n    raise SystemExit(1)\n',
        ),
    ),
    Row(
        "I1",
        "the lease's epoch does not grow with a takeover",
        "patch of logicalhost/lease.py",
        MOVE,
        "took epoch",
        patched("logicalhost/lease.py", "history.last_epoch(host.shared)) + 1", "history.last_epoch(host.shared))"),
    ),
    Row(
        "I1",
        "fencing says that it is done and does nothing",
        "stand-in for the fence agent",
        FAULTS["node-freeze"],
        "while another node had it",
        both(
            stand_in(FENCE, LIE),
            Break(nothing, lambda scene: scene.victim.power("reboot")),  # nobody fenced it: it is still frozen
        ),
    ),
    Row(
        "I2",
        "forced termination leaves a process with the event service's port",
        "stand-in for jbs_killall.cluster",
        MOVE,
        "port 7710 is taken",
        stand_in(
            "jbs_killall.cluster",
            f'{{real}} "$@"; value=$?\nenv -i setsid {sys.executable} -c "{LISTEN}" >/dev/null 2>&1 </dev/null &\n'
            "echo $! >>/tmp/planted; exit $value",
            "for pid in $(cat /tmp/planted || :); do kill -9 $pid || :; done; rm -f /tmp/planted",
        ),
        late=True,
    ),
    Row(
        "I2",
        "a stop leaves a process of no environment, port or file in the suite's control group",
        "stand-in for jbs_stop.cluster",
        MOVE,
        "process sleep",
        stand_in("jbs_stop.cluster", HIDDEN, f"for pid in $(cat {GROUP}/cgroup.procs || :); do kill -9 $pid; done"),
        late=True,
    ),
    Row(
        "I2",
        "a stop says that it gave the lease back and keeps it",
        "patch of logicalhost/lease.py",
        FAULTS["stop"],
        "the lease still names",
        both(patched("logicalhost/lease.py", '"held": False', '"held": True'), Break(restarted("base"), nothing)),
    ),
    Row(
        "I3",
        "the watchdog is answered in the place of a service that hangs",
        "another process in its control group",
        FAULTS["freeze-event-service"],
        "nothing was noticed",
        Break(answer_watchdog, lambda scene: sh(scene.victim, "kill -9 $(cat /run/answers); rm /run/answers")),
    ),
    Row(
        "I3",
        "the status says 0 where nothing runs",
        "stand-in for jco_spmd_status",
        MOVE,
        "said 0",
        stand_in("jco_spmd_status", f'{ON_A_STANDBY}exit 0\nexec {{real}} "$@"'),
    ),
    Row(
        "I4",
        "the status says 12 for ever",
        "stand-in for jbs_spmd_status",
        Nothing(85.0),
        "said 12 for",
        stand_in("jbs_spmd_status", f'{ON_A_STANDBY}exit 12\nexec {{real}} "$@"'),
    ),
    Row(
        "I5",
        "stop returns after 63 s",
        "stand-in for jbs_stop.cluster",
        QUIET,
        "took 6",
        stand_in("jbs_stop.cluster", f'{ON_A_STANDBY}sleep 63\nexec {{real}} "$@"'),
        late=True,
    ),
    Row(
        "I6",
        "start returns 7",
        "stand-in for jbs_start.cluster",
        MOVE,
        "jbs_start.cluster watch returned 7",
        stand_in("jbs_start.cluster", '{real} "$@"\nexit 7'),
        late=True,
    ),
    Row(
        "I7",
        "a second start stops the suite first",
        "stand-in for jco_start.cluster",
        QUIET,
        "jco_start.cluster watch again ended",
        stand_in("jco_start.cluster", f'{PROGRAMS}/jco_stop.cluster "$@"\nexec {{real}} "$@"'),
        late=True,
    ),
    Row(
        "I8",
        "a monitor of a suite that is well says that it failed",
        "stand-in for the resource agent, on the active node",
        Nothing(60.0),
        "moved it from|fenced",
        stand_in(AGENT, FAILED, where=lambda scene: [scene.victim]),
    ),
    Row(
        "I9",
        "intake acknowledges before the commit",
        "patch of base/intake.py",
        KillTwice(),
        "acknowledged events lost",
        both(Break(nothing, restarted("base")), patched("base/intake.py", COMMITTED, EARLY)),
    ),
    Row(
        "I10",
        "address and disk are registered in the wrong order",
        "the live registration",
        MOVE,
        "was reached before|let go of the disk",
        Break(ordered("address", "disk", "base", "manager"), ordered("disk", "address", "base", "manager")),
    ),
    Row(
        "I11",
        "the status writes a file on a standby",
        "stand-in for jbs_spmd_status",
        MOVE,
        "without the disk wrote",
        stand_in(
            "jbs_spmd_status",
            f'{ON_A_STANDBY}{{ mkdir -p /run/bansho; date +%N >/run/bansho/asked; }}\nexec {{real}} "$@"',
        ),
        late=True,
    ),
    Row(
        "I12",
        "the process manager restarts on a logical host",
        "patch of process/definition.py, and restart = 1 in conf/manager.toml",
        Hands(),
        "was started again",
        both(
            Break(nothing, on_the_disk(f"mv {TOML}.kept {TOML}")),
            patched("process/definition.py", "in definition.service if logical else ():", "in ():"),
            Break(
                on_the_disk(f"cp -p {TOML} {TOML}.kept; sed -i 's/^\\[\\[service\\]\\]$/{RESTART}/' {TOML}"), nothing
            ),
            Break(restarted("manager"), nothing),
        ),
    ),
    Row(
        "I14",
        "forced termination leaves a control group",
        "stand-in for jco_killall.cluster",
        MOVE,
        "control group",
        stand_in(
            "jco_killall.cluster",
            '{real} "$@"; value=$?\nmkdir -p /sys/fs/cgroup/bansho.planted; exit $value',
            "rmdir /sys/fs/cgroup/bansho.planted 2>/dev/null || :",
        ),
        late=True,
    ),
]
