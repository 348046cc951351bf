"""A process manager whose files are taken away, and orders that come too late or overtake each other."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.commands.suites import Suite, eventually, service, steady
from tests.house import COMMANDS, House

from bansho.process import spawning
from bansho.process.folder import Folder, locked


def log_of(suite: Suite) -> str:
    return (suite.folder / "spmd.log").read_text()


def until(suite: Suite) -> int:
    """Until when the record is fresh, in hundredths of a second."""
    return int((suite.folder / "record").read_text().split()[6])


def wait_for_stopped(suite: Suite, name: str) -> None:
    """Waits until the service has been stopped; what the process manager is told from then on, it hears later."""
    facts = f'"service": "{name}", "state": "stopped"'
    eventually(lambda: facts in log_of(suite))


def test_a_record_that_cannot_be_written_goes_stale_and_comes_back(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    obstacle = base.folder / "record.new"

    def put() -> bool:
        try:
            obstacle.mkdir()
        except FileExistsError:  # a record that is just being written
            return False
        return True

    eventually(put)
    base.wait_for(12)
    assert "has missed a beat" in base.status().stdout
    obstacle.rmdir()
    base.wait_for(0)
    assert "the status record cannot be written" in log_of(base)


def test_a_service_whose_notify_socket_is_gone_is_not_launched(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("first", f"gate={gate}", "ready", "wait"), steady("second", after=["first"]))
    start = base.popen("start.cluster")
    base.wait_for_service("first", "starting")
    (base.folder / "notify" / "second").unlink()
    gate.write_text("go")
    said, _ = start.communicate()
    assert said == "base on watch: partially stopped: second failed (cannot be launched: No such file or directory)\n"
    assert base.value == 4


def test_what_a_service_says_that_means_nothing_changes_nothing(base: Suite) -> None:
    base.write(service("one", "status=here I am\nMAINPID=1\nSTATUS=here I am", "ready", "wait"))
    base.start()
    assert base.services()["one"]["status"] == "here I am"
    assert base.value == 0


def test_a_second_process_manager_is_none(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    folder, pid = Folder(base.folder), base.manager
    with os.fdopen(spawning.spawn(folder.mark, base.suite, base.host)) as line:
        assert line.readline().startswith("BSHO2006-E")
    assert (base.value, base.manager) == (0, pid)


def test_a_restart_that_is_due_is_left_out_in_a_suite_that_stops(house: House) -> None:
    """Told to stop by a signal, as an operator might: nobody waits for its answer."""
    house.define("physical", kind='"physical"')
    suite = Suite(house, "physical")
    gate = suite.gate("gate")
    slow = service("slow", f"term-gate={gate}", "ready", "wait", stop_limit=60)
    suite.write(steady("one", restart=1, restart_interval=0.5), slow)
    try:
        assert suite.start().stdout == "base on physical: all running\n"
        os.kill(suite.pid("one"), signal.SIGKILL)
        suite.wait_for_service("one", "failed")
        os.kill(suite.manager, signal.SIGTERM)
        suite.wait_for_service("one", "stopped")
        before = until(suite)
        eventually(lambda: until(suite) > before + 100)  # it has lived a second: what was due has happened
        gate.write_text("go")
        suite.wait_for(8)
        assert "service restarted" not in log_of(suite)
    finally:
        suite.killall()


def test_a_reload_that_a_stop_overtakes_is_told_so(base: Suite) -> None:
    """It has begun to read the definition, a fifo that does not end before nothing of the suite runs any more."""
    base.write(steady("one"))
    base.start()
    path = base.house.shared / "conf" / "base.toml"
    content = path.read_text()
    path.unlink()
    os.mkfifo(path, 0o600)
    reload = subprocess.Popen([COMMANDS / "jbs_spmd_reload", "-h", base.host], stderr=subprocess.PIPE, text=True)
    with path.open("w") as file:  # as soon as it reads
        stop = base.popen("stop.cluster")
        wait_for_stopped(base, "one")
        file.write(content)
    assert "the reload of suite base was turned round" in reload.communicate()[1]
    assert reload.returncode == 1
    assert stop.communicate()[0] == "base on watch: all stopped\n"


def test_a_start_after_the_last_service_is_told_that_nothing_runs(base: Suite) -> None:
    """Its caller begins anew then. The lease is held meanwhile, so that the process manager cannot end yet."""
    base.write(steady("one"))
    base.start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as late:
        late.connect(str(base.folder / "control.sock"))
        with locked(base.folder.with_name("lease.lock")):
            stop = base.popen("stop.cluster")
            wait_for_stopped(base, "one")
            late.sendall(b'{"op": "start"}\n')
        with late.makefile() as lines:
            assert json.loads(lines.readline())["value"] == 8
    assert stop.communicate()[0] == "base on watch: all stopped\n"


def test_a_lease_that_cannot_be_given_back_holds_up_no_stop(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    lease = Path(base.house.shared, "lease")
    lease.rename(lease.with_name("away"))
    lease.mkdir()
    assert base.stop().stdout == "base on watch: all stopped\n"
    assert "the lease was not given back" in log_of(base)
