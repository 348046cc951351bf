"""One owner of a shared directory. The other node is a real process with another host name (a UTS namespace)."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from tests.house import House

from bansho.logicalhost import block, definition, history, lease
from bansho.logicalhost.errors import LeaseDamaged, LeaseHeld, LeaseLost, SharedDirectoryAbsent
from bansho.logicalhost.node import identity

OTHER_NODE = """
import json, os, socket, sys
os.environ["BANSHO_RUN"] += "/" + sys.argv[2]
from bansho.logicalhost import definition, lease
from bansho.contract.messages import BanshoError
socket.sethostname(sys.argv[2])
host = definition.load(sys.argv[1])
print(json.dumps("up"), flush=True)
keeper = None
for line in sys.stdin:
    verb = line.strip()
    answer = None
    try:
        if verb == "acquire":
            answer = lease.acquire(host).epoch
        elif verb == "start":
            mine = lease.acquire(host)
            keeper = lease.Keeper(host, mine, lambda state: None)
            keeper.start()
            answer = mine.epoch
        elif verb == "release":
            keeper and keeper.stop()
            answer = lease.release(host, "base")
        elif verb == "state":
            answer = keeper.state.value
    except BanshoError as error:
        answer = str(error)
    print(json.dumps(answer), flush=True)
"""


class Node:
    """Another node: tell it a verb, get its answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self.process = process
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout

    def say(self, verb: str) -> None:
        self._in.write(verb + "\n")
        self._in.flush()

    def hear(self) -> Any:
        return json.loads(self._out.readline())

    def ask(self, verb: str) -> Any:
        self.say(verb)
        return self.hear()

    def freeze(self) -> None:
        """Returns once all of it stands still: until then it may beat."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)


@contextmanager
def other_node(name: str = "elsewhere") -> Iterator[Node]:
    command = ["unshare", "--uts", sys.executable, "-c", OTHER_NODE, "watch", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            node = Node(process)
            assert node.hear() == "up"
            yield node
        finally:
            process.kill()


@pytest.fixture
def host(house: House, as_root: None) -> definition.LogicalHost:
    house.define("watch")
    return definition.load("watch")


def test_an_absent_directory_is_not_taken(host: definition.LogicalHost) -> None:
    host.shared.conf.rmdir()
    with pytest.raises(SharedDirectoryAbsent, match="no conf/"):
        lease.acquire(host)
    assert not host.shared.lease.exists()


def test_a_directory_below_an_empty_mount_point_is_absent(house: House, host: definition.LogicalHost) -> None:
    house.define("watch", f'[disk]\ndevice = "/dev/none"\nmount-point = "{host.shared.root}"')
    with pytest.raises(SharedDirectoryAbsent, match="nothing is mounted"):
        lease.available(definition.load("watch"))


def test_the_first_owner_has_epoch_one_and_joins_itself(host: definition.LogicalHost) -> None:
    first = lease.acquire(host)
    assert (first.epoch, first.held) == (1, True)
    assert lease.acquire(host).epoch == 1


def test_services_of_other_users_can_read_it_whatever_the_umask(host: definition.LogicalHost) -> None:
    before = os.umask(0o077)
    try:
        lease.acquire(host)
    finally:
        os.umask(before)
    assert host.shared.lease.stat().st_mode & 0o777 == 0o644


def test_a_lease_given_back_is_taken_at_once_with_the_next_epoch(host: definition.LogicalHost) -> None:
    lease.acquire(host)
    assert lease.release(host, "base")
    with other_node() as node:
        assert node.ask("acquire") == 2


def test_a_living_owner_is_respected_and_named(host: definition.LogicalHost) -> None:
    with other_node() as node:
        assert node.ask("start") == 1
        with pytest.raises(LeaseHeld, match=r"node elsewhere \(epoch 1\)"):
            lease.acquire(host)
        found = lease.held_elsewhere(host.shared.root)
        assert found is not None
        assert found.node == "elsewhere"


def test_a_dead_owner_is_followed(host: definition.LogicalHost) -> None:
    with other_node() as node:
        node.ask("start")
    assert lease.acquire(host).epoch == 2


def test_of_two_nodes_that_start_at_once_one_owns(host: definition.LogicalHost) -> None:
    with other_node("n1") as one, other_node("n2") as two:
        one.say("start")
        two.say("start")
        answers = [one.hear(), two.hear()]
    winners = [answer for answer in answers if isinstance(answer, int)]
    refused = [answer for answer in answers if isinstance(answer, str)]
    assert len(winners) == 1, answers
    assert len(refused) == 1
    assert "BSHO1006-E" in refused[0]


def test_an_owner_that_was_taken_over_learns_it_and_writes_no_claim(host: definition.LogicalHost) -> None:
    with other_node() as node:
        node.ask("start")
        node.freeze()  # as a node that fencing did not reach
        mine = lease.acquire(host)
        node.process.send_signal(signal.SIGCONT)
        lost = threading.Event()
        keeper = lease.Keeper(host, mine, lambda state: lost.set())
        keeper.start()
        assert node.process.poll() is None
        while node.ask("state") != "lost":
            pass
        keeper.stop()
        assert not lost.is_set()
        now = lease.read(host.shared.root)
        assert now is not None
        assert (now.epoch, now.owner) == (mine.epoch, mine.owner)


def test_a_guard_stops_the_old_owners_writes(host: definition.LogicalHost) -> None:
    guard = lease.Guard(host.shared.root, lease.acquire(host).epoch, interval=0)
    guard.check()
    lease.release(host, "base")
    with other_node() as node:
        node.ask("acquire")
        with pytest.raises(LeaseLost, match="epoch 1 was ours, epoch 2 of node elsewhere"):
            guard.check()


def test_a_physical_host_has_nothing_to_guard(tmp_path: Path) -> None:
    lease.Guard(tmp_path, 0).check()


def test_a_lease_stays_while_another_suite_of_the_host_is_here(host: definition.LogicalHost) -> None:
    lease.acquire(host)
    record = host.node.suite("manager") / "record"
    record.parent.mkdir(parents=True)
    record.write_text(f"bansho-record 1 0 {identity().boot_id} 1 1 1\n")
    assert not lease.release(host, "base")
    record.unlink()
    assert lease.release(host, "base")


def test_a_keeper_notices_a_directory_that_went_away_and_came_back(host: definition.LogicalHost) -> None:
    heard: list[lease.KeeperState] = []
    changed = threading.Semaphore(0)

    def note(state: lease.KeeperState) -> None:
        heard.append(state)
        changed.release()

    keeper = lease.Keeper(host, lease.acquire(host), note)
    keeper.start()
    host.shared.conf.rename(host.shared.root / "gone")
    assert changed.acquire(timeout=10)
    (host.shared.root / "gone").rename(host.shared.conf)
    assert changed.acquire(timeout=10)
    keeper.stop()
    assert heard == [lease.KeeperState.STALLED, lease.KeeperState.HELD]


def test_a_damaged_lease_is_said_and_not_taken(host: definition.LogicalHost) -> None:
    lease.acquire(host)
    host.shared.lease.write_bytes(b"x" * 2 * block.SIZE)
    with pytest.raises(LeaseDamaged, match="lease"):
        lease.acquire(host)


def test_the_takeovers_are_kept_newest_first(host: definition.LogicalHost) -> None:
    lease.acquire(host)
    history.mark(host.shared, "base started")
    lease.release(host, "base")
    with other_node() as node:
        node.ask("acquire")
    with history.path(host.shared).open("a") as file:
        file.write('{"at": 1.0, "node": "cut sho')
    found = history.read(host.shared)
    assert (found[0].epoch, found[0].node, found[0].previous) == (2, "elsewhere", identity().node)
    assert [leg.leg for leg in found[1].legs] == ["lease", "base started"]


@pytest.mark.parametrize("remains", ["\0" * 300, '{"at": 1.0, "node": "n1", "le'], ids=["zeros", "half a mark"])
def test_what_a_power_loss_leaves_at_the_historys_end_hides_no_later_mark(house: House, remains: str) -> None:
    house.define()
    shared = definition.load("watch").shared
    history.mark(shared, "lease", epoch=1)
    with history.path(shared).open("a") as file:
        file.write(remains)
    history.mark(shared, "lease", epoch=2, silent_since=1.5)
    assert [(each.leg, each.facts) for each in history.marks(shared)] == [
        ("lease", {"epoch": 1}),
        ("lease", {"epoch": 2, "silent_since": 1.5}),
    ]


def test_the_history_does_not_grow_for_ever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.define("watch")
    shared = definition.load("watch").shared
    monkeypatch.setattr(history, "KEPT_BYTES", 2000)
    for number in range(100):
        history.mark(shared, "leg", number=number)
    kept = history.marks(shared)
    assert kept[-1].facts == {"number": 99}
    assert history.path(shared).stat().st_size <= 2200


def test_a_lease_that_was_removed_does_not_begin_anew(host: definition.LogicalHost) -> None:
    lease.acquire(host)
    lease.release(host, "base")
    lease.acquire(host)
    host.shared.lease.unlink()
    assert lease.acquire(host).epoch == 3


def test_the_history_is_never_written_through_a_link(host: definition.LogicalHost) -> None:
    victim = host.shared.root / "victim"
    victim.touch(mode=0o600)
    history.path(host.shared).symlink_to(victim)
    history.mark(host.shared, "leg")
    assert victim.read_text() == ""
