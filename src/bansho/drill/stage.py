"""The stage of a drill: a lab whose nodes run the logical host `watch`, and a sender outside the cluster.

Everything is done by the commands that a user would type on a node.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import bansho
from bansho.contract import operation
from bansho.contract.suites import COMMANDS
from bansho.drill import traffic
from bansho.drill.errors import NotReached, StepFailed
from bansho.drill.mishaps import Mishaps, told
from bansho.drill.progress import step
from bansho.lab.errors import NodeOff
from bansho.lab.lab import Lab
from bansho.lab.node import Node

T = TypeVar("T")
HOST = "watch"
USER = "bansho"
MOUNT_POINT = "/srv/bansho"
SHARED = f"{MOUNT_POINT}/{HOST}"
PROGRAMS = Path(sys.executable).parent
SOURCE = "outside"
BOOT = 6.0
"""Seconds until a node that was fenced boots again: a real machine does not come back into its own takeover either."""
UP = 60.0
"""Seconds for the logical host to come up, or to be taken over."""
ENDS = 10.0
"""Seconds for a sender to end."""
PAUSE = 20.0
"""Seconds until a second try."""
LOOK = 0.1
STATE = 'crmadmin --quiet --status "$(crmadmin --quiet --dc_lookup)"'
"""Says the state of the cluster's coordinator."""

DEFINITION = """\
name = "{name}"
address = "{address}"
shared-directory = "{shared}"
user = "{user}"

[disk]
device = "{device}"
type = "ext4"
mount-point = "{mount_point}"

[cluster]
nodes = {nodes}
interface = "eth0"
monitor-interval = 2
status-timeout = 5
"""


def wait(
    what: str,
    reached: Callable[[], bool],
    limit: float = UP,
    state: Callable[[], object] = lambda: "",
    look: float = LOOK,
) -> None:
    """Returns once `reached()`, asked every `look` seconds. Raises NotReached after `limit` seconds, with `state()`."""
    until = time.monotonic() + limit
    while not reached():
        if time.monotonic() > until:
            raise NotReached(what=what, limit=limit, state=state())
        time.sleep(look)


class Sender:
    """The sender outside, as a process on the lab's `outside`; its ledger is a file of this machine."""

    def __init__(self, process: subprocess.Popen[bytes], ledger: Path) -> None:
        self._process, self._path = process, ledger
        self._read, self._ledger = 0, traffic.Ledger({}, {})

    def ledger(self) -> traffic.Ledger:
        """What it noted so far. Each call reads what is new."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            lines, _, _ = file.read().rpartition(b"\n")
        traffic.note(self._ledger, lines.decode().splitlines())
        self._read += len(lines) + bool(lines)
        return self._ledger

    def acknowledged_after(self, moment: float) -> float | None:
        """When the first event that was sent after `moment` was acknowledged; wall clock."""
        ledger = self.ledger()
        times = (ack.at for number, ack in ledger.acknowledged.items() if ledger.sent[number] > moment)
        return min(times, default=None)

    def said(self) -> str:
        """How many events are acknowledged; and its last words, where it gave up, such as the refusal of its token."""
        words = self._path.with_suffix(".errors")
        last = words.read_text().strip().splitlines()[-1:] if self._process.poll() is not None else []
        return "; the sender ended: ".join([f"{len(self.ledger().acknowledged)} acknowledged", *last])

    def stop(self) -> None:
        """Ends it; it finishes the request that is under way, or gives it up, by force where that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(timeout=ENDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Stage:
    """A lab that runs `watch`."""

    def __init__(self, lab: Lab, token: str, password: str, folder: Path) -> None:
        self.lab, self.token, self.password, self.folder = lab, token, password, folder

    @property
    def address(self) -> str:
        """The logical IP address."""
        return self.lab.logical_address.partition("/")[0]

    def active(self) -> Node | None:
        """The node that has the shared disk, or None. Reads only /proc."""
        return next((node for node in self.lab.nodes if node.on and mounted(node)), None)

    def value(self, node: Node, suite: str) -> int:
        """What the suite's status command answers on a node (CONTRACT 3.2)."""
        return node.run([str(PROGRAMS / COMMANDS[suite].status), "-h", HOST]).returncode

    def running_on(self) -> Node | None:
        """The node on which both suites are all running, or None."""
        node = self.active()
        if node and all(self.value(node, suite) == operation.ALL_RUNNING for suite in COMMANDS):
            return node
        return None

    def wait_up(self, *, elsewhere_than: str = "", limit: float = UP) -> Node:
        """Waits until both suites are all running, on another node than the one named; returns the node."""

        def reached() -> bool:
            node = self.running_on()
            return node is not None and node.name != elsewhere_than

        wait(f"{HOST} to be all running", reached, limit, self.overview)
        node = self.active()
        assert node is not None  # noqa: S101 - it was running a moment ago, and `wait` raised otherwise
        return node

    def settle(self) -> Node:
        """Brings everything back to a good state: `mend`, and `watch` all running somewhere."""
        self.mend()
        return self.wait_up()

    def give_back(self) -> None:
        """Gives power and cables back."""
        for node in self.lab.nodes:
            node.cable("plug")
            node.management("plug")
            if not node.on:
                node.power("on")

    def mend(self) -> None:
        """Gives power and cables back, waits until every node is online, and has the cluster forget failures.

        Only once it has nothing left to do: a clean-up loses the result of an operation that is under way, and until
        that one's time has passed the cluster does nothing at all (Pacemaker 2.1.5).
        """
        self.give_back()
        self.lab.wait_online(*(node.name for node in self.lab.nodes))
        self.wait_idle()
        run(self.lab.nodes[0], "forget failures", ["crm_resource", "--cleanup"])
        self.wait_idle()

    def wait_idle(self) -> None:
        """Waits until the cluster has nothing left to do; the suites may be all running before it knows."""
        asked = self.lab.nodes[0]
        wait("the cluster to be idle", lambda: asked.run(["sh", "-c", STATE]).stdout.strip() == "S_IDLE", 2 * UP)

    def overview(self) -> dict[str, dict[str, object]]:
        """What runs where: per node its power, cable, whether it has the disk, and each suite's value there."""
        return {node.name: self._node(node) for node in self.lab.nodes}

    def _node(self, node: Node) -> dict[str, object]:
        state: dict[str, object] = dict(node.state())
        if state["power"] == "on":
            active = mounted(node)
            state["disk"] = active
            state |= {suite: self.value(node, suite) if active else None for suite in COMMANDS}
        return state

    def send(self, rate: float, source: str = SOURCE) -> Sender:
        """Starts the sender outside."""
        url = f"http://{self.address}:7710"
        return self.start_sender("bansho.drill.traffic", [url, "/root/token"], rate, source)

    def start_sender(self, module: str, arguments: Sequence[str], rate: float, source: str) -> Sender:
        """Starts a sender's module outside; the ledger is its stdout."""
        path = self.folder / f"{source}.ledger"
        command = [sys.executable, "-m", module, *arguments, "-", "--rate", str(rate), "--source", source]
        with path.open("ab") as ledger, path.with_suffix(".errors").open("ab") as errors:
            process = self.lab.outside.popen(command, stdout=ledger, stderr=errors)
        return Sender(process, path)

    def stored(self, source: str = SOURCE) -> list[int]:
        """The source serials that the IM database holds of a source, asked on the active node."""
        node = self.wait_up()
        answer = run(node, "ask the IM database", [sys.executable, "-m", "bansho.drill.stored", HOST, source])
        return [int(line) for line in answer.split()]


def mounted(node: Node) -> bool:
    """Whether the node has the shared disk mounted, by /proc; false while it has no power."""
    try:
        return f" {MOUNT_POINT} " in Path(f"/proc/{node.pid}/mountinfo").read_text()
    except (OSError, NodeOff):
        return False


def run(node: Node, title: str, command: Sequence[str], text: str | None = None) -> str:
    """Runs a command on a node; its stdout. Raises StepFailed when it ends with an error."""
    answer = node.run(command, input=text) if text is not None else node.run(command)
    if answer.returncode != 0:
        reason = (answer.stderr or answer.stdout).strip().replace("\n", "; ")
        raise StepFailed(step=title, command=" ".join(command), value=answer.returncode, node=node.name, reason=reason)
    return answer.stdout


@contextmanager
def stage(name: str = "lab", nodes: int = 3) -> Iterator[Stage]:
    """Builds a lab, sets the logical host up in it, registers it and waits until it runs; takes all down at the end."""
    with TemporaryDirectory(prefix="bansho-") as folder:
        with step(f"building {nodes} nodes"):
            lab = Lab.up(name, nodes=nodes, users=(USER,), readable=_readable(), tied=True, boot_delay=BOOT)
        with lab:
            yield _set_up(lab, Path(folder))


@contextmanager
def second_try(made: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """What `made` makes, such as a stage; where it does not come up, as on a machine that is too busy, once more.

    One that does not end as it should is said, and no error: the next one's coming up tells whether it is in the way.
    """
    standing = ExitStack()
    try:
        built = standing.enter_context(made())
    except Exception as problem:
        print(f"once more in {PAUSE:g} s, because of: {told(problem)}", file=sys.stderr)
        time.sleep(PAUSE)
        built = standing.enter_context(made())
    try:
        yield built
    finally:
        with (ending := Mishaps()).noted():
            standing.close()
        if ending:
            print(ending, file=sys.stderr)


def _readable() -> list[Path]:
    """What the unprivileged services must reach on the nodes: the package, the environment, the interpreter."""
    return [Path(bansho.__file__).parent, Path(sys.prefix), Path(sys.executable).resolve().parent]


def _set_up(lab: Lab, folder: Path) -> Stage:
    first = lab.nodes[0]
    for node in lab.nodes:
        _define(lab, node)
    with step(f"setting {HOST} up on the shared disk"):
        made, token = _prepare_disk(lab, first)
        run(lab.outside, "give the sender its token", ["sh", "-c", "umask 077; cat >/root/token"], token)
    built = Stage(lab, token, made["password"], folder)
    with step(f"registering {HOST} with Pacemaker, and starting it"):
        run(first, "write the fencing", ["sh", "-c", "cat >/root/fencing"], lab.fencing + "\n")
        run(first, "register", [_bansho(), "cluster", "apply", HOST, "--fencing", "/root/fencing"])
        built.wait_up()
    return built


def _define(lab: Lab, node: Node) -> None:
    text = DEFINITION.format(
        name=HOST,
        address=lab.logical_address,
        shared=SHARED,
        user=USER,
        device=lab.disk,
        mount_point=MOUNT_POINT,
        nodes=json.dumps(list(lab.spec.nodes)),
    )
    path = f"/etc/bansho/logical-hosts/{HOST}.toml"
    script = f"mkdir -p {Path(path).parent} {MOUNT_POINT} && cat >{path}"
    run(node, "write the definition", ["sh", "-c", script], text)
    run(node, "install the agent", [_bansho(), "cluster", "agent", "install"])


def _prepare_disk(lab: Lab, node: Node) -> tuple[dict[str, str], str]:
    run(node, "mount the disk", ["mount", lab.disk, MOUNT_POINT])
    try:
        made: dict[str, str] = json.loads(run(node, "set up", [_bansho(), "setup", HOST, "--json"]))
        create = [_bansho(), "token", "create", SOURCE, "--host", HOST, "--scope", "send"]
        return made, run(node, "make a token", create).strip().splitlines()[-1]
    finally:
        run(node, "unmount the disk", ["umount", MOUNT_POINT])


def _bansho() -> str:
    return str(PROGRAMS / "bansho")
