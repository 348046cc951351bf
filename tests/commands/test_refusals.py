"""What process management turns down: places that no socket fits, users who may not ask, users it cannot become."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from tests.commands.suites import Suite, steady
from tests.house import House

NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/python3", "-c"]


def as_nobody(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a Python program as nobody, with what this interpreter can import."""
    head = f"import sys; sys.path[:0] = {sys.path!r}\n"
    return subprocess.run([*NOBODY, head + program, *arguments], capture_output=True, text=True, check=False)


def test_a_run_time_folder_too_deep_for_a_socket(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = house.root / ("d" * 100)
    monkeypatch.setenv("BANSHO_RUN", str(deep))
    house.define()
    suite = Suite(house)
    suite.write(steady("one"))
    ended = suite.start()
    assert ended.returncode == 0
    assert "BSHO2010-E" in ended.stderr
    assert f"{deep}/watch/base/control.sock" in ended.stderr
    assert suite.value == 8


def test_a_service_name_too_long_for_a_socket(house: House) -> None:
    """The control socket fits, and one service's too; nothing of the suite is left all the same."""
    host = "h" * 45
    house.define(host)
    suite = Suite(house, host)
    suite.write(steady("short"), steady("s" * 60))
    ended = suite.start()
    assert ended.returncode == 0
    assert "BSHO2010-E" in ended.stderr
    assert suite.processes() == {}
    assert suite.value == 8


def test_a_reload_of_one_too_long_changes_nothing(house: House) -> None:
    host = "h" * 45
    house.define(host)
    suite = Suite(house, host)
    suite.write(steady("short"))
    try:
        suite.start()
        suite.write(steady("short"), steady("new"), steady("s" * 60))
        ended = suite.reload()
        assert ended.returncode == 1
        assert "BSHO2010-E" in ended.stderr
        assert (list(suite.services()), suite.value) == (["short"], 0)
        assert [path.name for path in (suite.folder / "notify").iterdir()] == ["short"]
    finally:
        suite.killall()


ASK = """
import socket
asker = socket.socket(socket.AF_UNIX)
asker.connect(sys.argv[1])
try:
    asker.sendall(b'{"op": "stop"}\\n')
    print(asker.recv(100) or "no answer")
except (ConnectionResetError, BrokenPipeError):
    print("no answer")
"""


@pytest.mark.usefixtures("as_root")
def test_nobody_else_gives_orders(base: Suite) -> None:
    """Neither by the socket as it is, nor by one that somebody opened to all."""
    base.write(steady("one"))
    base.start()
    path = base.folder / "control.sock"
    assert "PermissionError" in as_nobody(ASK, str(path)).stderr
    path.chmod(0o666)
    assert as_nobody(ASK, str(path)).stdout == "no answer\n"
    assert base.value == 0


@pytest.mark.usefixtures("as_root")
def test_only_root_runs_a_service_as_somebody_else() -> None:
    program = """
from bansho.process import account
from bansho.process.definition import Service
from bansho.process.errors import UnknownServiceUser
assert account.of(Service(name="mine", command=("x",))).become == ""
try:
    account.of(Service(name="one", command=("x",), user="root"))
except UnknownServiceUser as error:
    print(error)
"""
    said = as_nobody(program)
    assert "can be taken on by root alone" in said.stdout, said.stderr
    assert pwd.getpwnam("nobody").pw_uid != os.geteuid()


def test_a_suite_that_the_host_does_not_run_is_not_started(house: House) -> None:
    """The command knows it by the definition; so does the process manager that was started before that was read."""
    house.define(suites='["base"]')
    ended = house.command("jco_start.cluster", "watch")
    assert ended.returncode == 1
    assert "BSHO9002-E" in ended.stderr
    assert not Path(house.run, "watch", "manager", "record").exists()
    assert Suite(house).value == 8
