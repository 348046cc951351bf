"""`bansho up`: one node in the foreground, as root and as nobody in particular."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.house import COMMANDS, House


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def up(house: House, *before: str) -> Iterator["subprocess.Popen[str]"]:
    """`bansho up watch`, once it follows; interrupted and waited for at the end."""
    process = subprocess.Popen([*before, COMMANDS / "bansho", "up", "watch"], stdout=-1, stderr=-1, text=True)
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("manager: "):
            break
    assert said, process.stderr and process.stderr.read()
    assert "manager: manager on watch: all running\n" in said, said
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


@pytest.fixture
def defined(house: House) -> House:
    """A single node with free ports; as root the services run as postgres, if it may run this Python."""
    shutil.rmtree(house.shared)
    ports = f"[ports]\nevent-service = {free_port()}\nconsole = {free_port()}"
    house.define("watch", ports, kind='"physical"')
    return house


def statuses(house: House) -> list[int]:
    return [house.command(f"{each}_spmd_status", "-h", "watch").returncode for each in ("jbs", "jco")]


def test_it_runs_until_ctrl_c_and_leaves_nothing_running(defined: House) -> None:
    with up(defined):
        assert statuses(defined) == [0, 0]
        assert defined.command("jimdbstatus", "-h", "watch").returncode == 0
        second = defined.command("bansho", "up", "watch")
        assert (second.returncode, second.stderr[:10]) == (1, "BSHO9021-E")
        assert statuses(defined) == [0, 0]
    assert statuses(defined) == [8, 8]


def test_a_closed_terminal_ends_it_too(defined: House) -> None:
    with up(defined) as process:
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
        assert statuses(defined) == [8, 8]


def test_it_ends_when_somebody_else_stopped_everything(defined: House) -> None:
    with up(defined) as process:
        defined.command("jco_stop.cluster", "watch")
        defined.command("jbs_stop.cluster", "watch")
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_a_port_that_is_taken_is_named_and_nothing_is_left(defined: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shutil.rmtree(defined.shared, ignore_errors=True)
        defined.define("watch", f"[ports]\nevent-service = {port}\nconsole = {free_port()}", kind='"physical"')
        failed = defined.command("bansho", "up", "watch")
        assert failed.returncode == 1
        assert "BSHO9013-E" in failed.stderr
        assert f"port {port}" in failed.stderr
    assert statuses(defined) == [8, 8]


@pytest.mark.usefixtures("as_root")
def test_without_root_it_settles_below_the_users_home(house: House) -> None:
    home = house.root / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i", f"HOME={home}"]
    if subprocess.run([*nobody, COMMANDS / "python3", "-c", "import bansho"], check=False, stderr=-1).returncode:
        pytest.skip("the checkout is in a folder that other users may not enter")
    shutil.rmtree("/tmp/bansho-65534", ignore_errors=True)
    hosts = home / ".config" / "bansho" / "logical-hosts"
    hosts.mkdir(parents=True)
    shared = home / "shared"
    (hosts / "watch.toml").write_text(
        f'name = "watch"\nkind = "physical"\nshared-directory = "{shared}"\n'
        f"[ports]\nevent-service = {free_port()}\nconsole = {free_port()}\n"
    )
    for path in (home, *home.rglob("*"), *home.rglob(".*")):
        os.chown(path, 65534, 65534)
    with up(house, *nobody, "PATH=/usr/bin:/bin"):
        assert (shared / "database" / "PG_VERSION").stat().st_uid == 65534
        state = Path("/tmp/bansho-65534").stat()
        assert (state.st_uid, state.st_mode & 0o777) == (65534, 0o700)
    shutil.rmtree("/tmp/bansho-65534", ignore_errors=True)
