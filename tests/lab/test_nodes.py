"""What a node is, and what can be done to it."""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.nodes import until

from bansho.lab import Lab, Node, disk, limits, powerlog
from bansho.lab.errors import BadSetting, NodeOff, PowerRefused, UnknownNode
from bansho.lab.membership import seen_by
from bansho.lab.network import BRIDGE_ADDRESS
from bansho.lab.stall import Stall

pytestmark = pytest.mark.nodes

BOOT_ID = "/proc/sys/kernel/random/boot_id"


def out(node: Node, *command: str) -> str:
    result = node.run(command)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def reachable(lab: Lab, address: str) -> bool:
    return lab.outside.run(["ping", "-c", "1", "-W", "1", address]).returncode == 0


def test_every_node_sees_all_online(lab: Lab) -> None:
    for node in lab.nodes:
        assert seen_by(node) == {"n1", "n2", "n3"}


def test_a_program_runs_in_its_node_with_its_exit_code_output_and_input(lab: Lab) -> None:
    result = lab.node("n2").run(["sh", "-c", "hostname; cat; echo error >&2; exit 7"], input="typed")
    assert (result.returncode, result.stdout, result.stderr) == (7, "n2\ntyped", "error\n")


def test_a_program_that_dies_of_a_signal_ends_with_128_and_its_number(lab: Lab) -> None:
    assert lab.node("n1").run(["sh", "-c", "kill -9 $$"]).returncode == 128 + signal.SIGKILL


def test_a_signal_reaches_the_program_and_leaves_nothing_of_it(lab: Lab) -> None:
    node = lab.node("n1")
    script = "trap 'echo asked; exit 3' TERM; echo $$; while :; do sleep 0.05; done"
    with node.popen(["sh", "-c", script], stdout=-1, text=True) as program:
        assert program.stdout is not None
        pid = program.stdout.readline().strip()
        program.terminate()
        assert (program.stdout.readline(), program.wait(20)) == ("asked\n", 3)
    assert node.run(["test", "-e", f"/proc/{pid}"]).returncode == 1


def test_a_program_dies_with_the_process_that_started_it(lab: Lab) -> None:
    with lab.node("n1").popen(["sh", "-c", "echo ready; exec sleep 600"], stdout=-1, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        child = os.pidfd_open(int(Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text()))
        os.kill(program.pid, signal.SIGKILL)
    assert select.select([child], [], [], 20)[0]
    os.close(child)


def test_a_program_that_takes_too_long_is_killed(lab: Lab) -> None:
    node = lab.node("n1")
    with pytest.raises(subprocess.TimeoutExpired):
        node.run(["sleep", "598765"], timeout=0.3)
    assert "598765" not in node.run(["ps", "-eo", "args"], check=True).stdout


def test_a_program_that_must_succeed_and_does_not_is_an_error(lab: Lab) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        lab.node("n1").run(["false"], check=True)
    assert failed.value.cmd == ["false"]


def test_a_node_has_its_own_root_and_the_host_keeps_its_own(lab: Lab) -> None:
    out(lab.node("n1"), "sh", "-c", "echo x >/etc/only-here; echo x >/run/only-here; echo x >/dev/shm/only-here")
    for path in ("/etc/only-here", "/run/only-here", "/dev/shm/only-here"):
        assert not Path(path).exists()
        assert lab.node("n2").run(["test", "-e", path]).returncode == 1


def test_users_exist_in_the_nodes_alone_and_can_run_the_project(lab: Lab) -> None:
    uids = {out(node, "id", "-u", "bansho") for node in (*lab.nodes, lab.outside)}
    assert len(uids) == 1
    as_user = ["setpriv", "--reuid", "bansho", "--regid", "bansho", "--clear-groups", "--"]
    version = out(lab.node("n1"), *as_user, sys.executable, "-c", "import bansho; print(bansho.__version__)")
    assert version


def test_a_node_has_a_control_group_hierarchy_of_its_own(lab: Lab) -> None:
    if not lab.spec.cgroup:
        pytest.skip("no writable cgroup v2 here")
    node = lab.node("n1")
    assert "0::/" in out(node, "cat", "/proc/self/cgroup").splitlines()
    script = "mkdir /sys/fs/cgroup/own && echo 0 >/sys/fs/cgroup/own/cgroup.procs && grep ^0:: /proc/self/cgroup"
    assert out(node, "sh", "-c", script) == "0::/own"
    assert Path(lab.spec.cgroup, "n1", "own").is_dir()


def test_orphans_are_reaped(lab: Lab) -> None:
    out(lab.node("n1"), "sh", "-c", "(sleep 0.01 & exec true) & wait")
    until(lambda: " Z " not in out(lab.node("n1"), "ps", "-eo", "pid,stat,ppid"))


def test_boot_ids_differ_from_node_to_node_and_from_the_host(lab: Lab) -> None:
    seen = {out(node, "cat", BOOT_ID) for node in lab.nodes} | {Path(BOOT_ID).read_text().strip()}
    assert len(seen) == 4
    assert lab.node("n1").boot_id() == out(lab.node("n1"), "cat", BOOT_ID)


def test_reboot_from_within_gives_a_new_boot_with_the_same_disk(bare: Lab) -> None:
    node = bare.node("n2")
    before = node.boot_id()
    out(node, "sh", "-c", "echo x >/etc/kept; echo x >/run/gone; mkdir -p /sys/fs/cgroup/gone/below")
    node.run(["python3", "-c", "import ctypes; ctypes.CDLL(None).reboot(0x1234567)"])
    rebooted = bare.wait_power("reboot", "n2", by="n2")
    bare.wait_power("boot", "n2", after=rebooted.monotonic)
    assert node.boot_id() != before
    assert node.run(["test", "-e", "/etc/kept"]).returncode == 0
    for gone in ("/run/gone", "/sys/fs/cgroup/gone"):
        assert node.run(["test", "-e", gone]).returncode == 1


def test_off_is_off_until_on(bare: Lab) -> None:
    node = bare.node("n2")
    node.power("off")
    assert not node.on
    assert node.state()["power"] == "off"
    with pytest.raises(NodeOff):
        node.run(["true"])
    with pytest.raises(PowerRefused):
        node.power("freeze")
    node.power("off")
    node.power("on")
    node.power("on")
    assert node.run(["true"]).returncode == 0
    assert [(entry.action, entry.node) for entry in bare.power_log() if entry.by == "power"].count(("boot", "n2")) == 2


def test_a_frozen_node_does_nothing_until_it_is_thawed_or_dead(bare: Lab) -> None:
    node = bare.outside
    script = "echo ready; while read line; do echo $line; done"
    with node.popen(["sh", "-c", script], stdin=-1, stdout=-1, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        node.power("freeze")
        assert node.state()["power"] == "frozen"
        program.stdin.write("hello\n")
        program.stdin.flush()
        until(lambda: re.search(r" T\S* ", node.run(["ps", "-eo", "pid,stat,ppid"]).stdout) is not None)
        node.power("thaw")
        assert program.stdout.readline() == "hello\n"
        node.power("freeze")
        node.power("off")
        assert program.wait(20) == 128 + signal.SIGKILL


def test_the_host_outside_reaches_nodes_but_not_one_whose_cable_is_cut(bare: Lab) -> None:
    address = bare.address("n1")
    assert reachable(bare, address)
    bare.node("n1").cable("cut")
    assert bare.node("n1").state()["cable"] == "cut"
    assert not reachable(bare, address)
    assert reachable(bare, bare.address("n2"))
    bare.node("n1").cable("plug")
    until(lambda: reachable(bare, address))


def arrives(listener: Node, sender: Node, address: str) -> bool:
    """Whether one of some datagrams from the sender arrives."""
    listen = "import socket; s = socket.socket(type=2)"
    listen += '; s.bind(("", 7000)); print("ready", flush=True); s.settimeout(1); print(s.recv(9))'
    neighbour = f"ip neighbour replace {address} lladdr $(cat /tmp/peer) dev eth0"  # no ARP: it needs both ways
    send = f'import socket; s = socket.socket(type=2); [s.sendto(b"x", ("{address}", 7000)) for _ in range(3)]'
    sender.run(["sh", "-c", "cat >/tmp/peer"], input=listener.run(["cat", "/sys/class/net/eth0/address"]).stdout)
    out(sender, "sh", "-c", neighbour)
    with listener.popen(["python3", "-c", listen], stdout=-1, stderr=subprocess.DEVNULL, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        out(sender, "python3", "-c", send)
        return "x" in program.stdout.read()


def test_a_deaf_host_is_heard_and_a_mute_one_hears_also_after_a_reboot(bare: Lab) -> None:
    first, second = bare.node("n1"), bare.node("n2")
    for action, hears, is_heard in (("deafen", False, True), ("mute", True, False), ("plug", True, True)):
        first.cable(action)
        assert arrives(first, second, bare.address("n1")) == hears
        assert arrives(second, first, bare.address("n2")) == is_heard
    first.cable("deafen")
    first.power("off")
    first.power("on")
    assert first.state()["cable"] == "deaf"
    assert not arrives(first, second, bare.address("n1"))


def test_a_lossy_cable_loses_some_packets_and_a_narrow_one_holds_them_back(bare: Lab) -> None:
    def received(size: int) -> tuple[int, float]:
        answer = bare.outside.run(
            ["ping", "-q", "-c", "60", "-i", "0.01", "-s", str(size), "-W", "2", bare.address("n1")]
        )
        times = re.search(r"= [\d.]+/[\d.]+/([\d.]+)/", answer.stdout)
        assert times, answer.stdout
        return int(answer.stdout.split(" received")[0].rpartition(" ")[2]), float(times[1])

    assert received(56)[0] == 60
    bare.node("n1").cable("lose")
    assert 5 <= received(56)[0] <= 55
    bare.node("n1").cable("narrow")
    assert received(1000)[1] > 100  # milliseconds
    bare.node("n1").cable("plug")
    assert received(56)[0] == 60


def test_a_node_cut_off_the_management_network_cannot_be_fenced_and_cannot_fence(bare: Lab) -> None:
    bare.node("n1").management("cut")
    assert bare.node("n1").state()["management"] == "cut"
    for who, victim in (("n2", "n1"), ("n1", "n2")):
        assert b"no way" in ask(bare, who, b'{"action": "reboot", "node": "%s"}' % victim.encode())
    assert b"no way" in ask(bare, "n2", b'{"action": "status", "node": "n1"}')
    assert bare.node("n1").on
    bare.node("n1").management("plug")
    assert ask(bare, "n2", b'{"action": "off", "node": "n1"}') == b"{}\n"
    assert not bare.node("n1").on


def test_a_power_cut_ends_also_who_waits_for_a_disk_that_no_longer_answers(bare: Lab) -> None:
    node = bare.node("n1")
    out(node, "mount", bare.disk, "/mnt")
    with (
        Stall(node, "/mnt"),
        node.popen(["sh", "-c", "echo ready; echo x >/mnt/x"], stdout=-1, text=True) as writer,
    ):
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        until(lambda: re.search("^D", node.run(["ps", "-eo", "stat"]).stdout, re.MULTILINE) is not None)
        node.power("loss")
        assert writer.wait(20)
    assert not node.on
    assert not disk.in_use(bare.disk)


MANY = 64
FORKS = f"""
import os, signal, sys
for _ in sys.stdin:
    children = []
    try:
        while len(children) < {MANY} and (child := os.fork()):
            children.append(child)
        if len(children) < {MANY}:
            signal.pause()
    except BlockingIOError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(len(children), flush=True)
"""
"""For each line: has so many children at once as it gets, and says how many. What else ends gives it some."""


def test_a_node_without_a_process_table_entry_to_spare_starts_nothing_until_it_has_some(bare: Lab) -> None:
    if not limits.available("pids"):
        pytest.skip("no pids controller of cgroup v1 here")
    node = bare.node("n1")
    with node.popen(["python3", "-c", FORKS], stdin=-1, stdout=-1, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def children() -> int:
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.write("\n")
            program.stdin.flush()
            return int(program.stdout.readline())

        assert children() == MANY
        limit = limits.Limit(node, "pids", 0)
        limit.begin()
        limited = children()
        limit.end()
        assert limited < MANY
        assert children() == MANY
        program.kill()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/bansho-lab-{bare.spec.name}-*"))


def test_a_limit_ends_though_the_node_forks_all_the_time(bare: Lab) -> None:
    if not limits.available("pids"):
        pytest.skip("no pids controller of cgroup v1 here")
    node = bare.node("n1")
    with running(node, "sh", "-c", "for i in 1 2 3 4; do while /bin/true; do :; done & done; echo ready; wait"):
        for _ in range(20):
            limit = limits.Limit(node, "pids", 1000)
            limit.begin()
            limit.end()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/**/bansho-lab-{bare.spec.name}-*"))


@contextlib.contextmanager
def running(node: Node, *command: str) -> Iterator[None]:
    """A program on the node, from its first line of output until it is killed."""
    with node.popen(command, stdout=-1, stderr=subprocess.DEVNULL, text=True) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline()
            yield
        finally:
            program.kill()


WEB_SERVER = "mkdir -p /srv/www && hostname >/srv/www/name && exec python3 -um http.server -d /srv/www 8080"
SILENT_SERVER = """
import socket
server = socket.create_server(("", 8080))
print("ready", flush=True)
connection, _ = server.accept()
connection.sendall(b"hello")
connection.recv(1)
"""


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A connection to a port of this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        yield caller


def test_a_window_leads_to_whoever_has_the_address(bare: Lab) -> None:
    def read(port: int) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/name", timeout=10) as answer:
            return str(answer.read().decode().strip())

    target = f"{bare.logical_address.partition('/')[0]}:8080"
    with (
        running(bare.node("n1"), "sh", "-c", WEB_SERVER),
        running(bare.node("n2"), "sh", "-c", WEB_SERVER),
        bare.window(target) as window,
    ):
        add = ["ip", "address", "add", bare.logical_address, "dev", "eth0"]
        out(bare.node("n1"), *add)
        assert read(window.port) == "n1"
        out(bare.node("n1"), "ip", "address", "delete", bare.logical_address, "dev", "eth0")
        out(bare.node("n2"), *add)
        # As a cluster's agent does, it tells the others who has the address now.
        out(bare.node("n2"), "ping", "-c", "1", "-I", target.partition(":")[0], BRIDGE_ADDRESS)
        assert read(window.port) == "n2"
        out(bare.node("n2"), "ip", "address", "delete", bare.logical_address, "dev", "eth0")


def test_a_window_ends_connections_to_a_node_that_lost_its_power(bare: Lab) -> None:
    node = bare.node("n1")
    with (
        running(node, "python3", "-c", SILENT_SERVER),
        bare.window(f"{bare.address('n1')}:8080") as window,
        connected(window.port) as caller,
    ):
        assert caller.recv(5) == b"hello"
        node.power("loss")
        assert caller.recv(1) == b""


def test_a_window_onto_nothing_closes_the_connection(bare: Lab) -> None:
    with (
        bare.window(f"{bare.address('n1')}:9") as window,
        socket.create_connection(("127.0.0.1", window.port)) as caller,
    ):
        caller.settimeout(20)
        assert caller.recv(1) == b""


def ask(lab: Lab, who: str, line: bytes) -> bytes:
    """The power daemon's answer to a line on the socket of `who`."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(lab.places.socket(who)))
        client.sendall(line + b"\n")
        return client.makefile("rb").readline()


def test_a_node_may_fence_but_not_touch_cables_or_talk_nonsense(bare: Lab) -> None:
    for action in ("cut", "plug", "freeze", "thaw", "loss", "_off", ""):
        assert b"error" in ask(bare, "n1", b'{"action": "%s", "node": "n2"}' % action.encode())
    for nonsense in (b"", b"{", b"[]", b'{"action": 1}', b"\xff", b'{"action": "off", "node": "n9"}', b"x" * 100_000):
        assert b"error" in ask(bare, "n1", nonsense)
    assert ask(bare, "n1", b'{"action": "list"}') == b'{"nodes":"n1 n2"}\n'
    assert b'"on"' in ask(bare, "n1", b'{"action": "status", "node": "n2"}')
    assert not [entry for entry in bare.power_log() if entry.by != "power"]


def test_a_node_that_is_fenced_loses_what_it_had_not_synced_and_boots_again(bare: Lab) -> None:
    first, second = bare.node("n1"), bare.node("n2")
    out(first, "mount", bare.disk, "/mnt")
    out(first, "sh", "-c", "echo no >/mnt/unsynced")
    dead = os.pidfd_open(first.pid)
    assert ask(bare, "n2", b'{"action": "reboot", "node": "n1"}') == b"{}\n"
    assert select.select([dead], [], [], 0)[0], "the answer came before the node was dead"
    os.close(dead)
    fenced = bare.wait_power("reboot", "n1", by="n2")
    out(second, "mount", bare.disk, "/mnt")
    assert out(second, "ls", "/mnt") == "lost+found"
    bare.wait_power("boot", "n1", after=fenced.monotonic)
    assert first.on


def test_what_was_synced_survives_a_power_loss_and_what_was_not_is_lost(bare: Lab) -> None:
    first, second = bare.node("n1"), bare.node("n2")
    out(first, "mount", bare.disk, "/mnt")
    out(first, "sh", "-c", "echo yes >/mnt/synced; sync /mnt/synced /mnt; echo no >/mnt/unsynced")
    first.power("loss")
    assert not first.on
    out(second, "mount", bare.disk, "/mnt")
    assert out(second, "ls", "/mnt").split() == ["lost+found", "synced"]
    assert out(second, "cat", "/mnt/synced") == "yes"


def test_off_ends_the_processes_and_keeps_what_they_had_written(bare: Lab) -> None:
    first, second = bare.node("n1"), bare.node("n2")
    out(first, "mount", bare.disk, "/mnt")
    out(first, "sh", "-c", "echo no >/mnt/unsynced")
    first.power("off")
    out(second, "mount", bare.disk, "/mnt")
    assert out(second, "cat", "/mnt/unsynced") == "no"


def test_a_name_or_an_action_that_is_not_one_is_refused(lab: Lab) -> None:
    with pytest.raises(UnknownNode, match=r"n1, n2, n3, outside"):
        lab.node("n4")
    for action in ("explode", "cut", "status", ""):
        with pytest.raises(BadSetting, match="reboot"):
            lab.node("n1").power(action)
    with pytest.raises(BadSetting, match="plug"):
        lab.node("n1").cable("off")
    for target in ("n1", ":80", "n1:", "n1:0", "n1:65536", "n1:99999999", "n1:x", "n1:²"):
        with pytest.raises(BadSetting, match="ADDRESS:PORT"):
            lab.window(target)


def test_an_entry_of_the_log_reads_as_a_line() -> None:
    entry = powerlog.Entry(0.25, 1.0, "n1", "reboot", "n2", done=False)
    assert str(entry).endswith(".250 n1       reboot n2 ...")
