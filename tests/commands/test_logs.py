"""The services' logs in the shared directory, and the process manager's own."""

import json
import os
import signal

from tests.commands.suites import Suite, eventually, steady

from bansho.contract import catalogue
from bansho.process.logrotation import MAXIMUM_BYTES


def test_a_suite_sets_its_own_large_logs_aside(base: Suite) -> None:
    base.write(steady("x"), steady("y"))
    log = base.house.shared / "log"
    for name, size in (("base.x.log", MAXIMUM_BYTES + 1), ("base.y.log", 10), ("manager.x.log", MAXIMUM_BYTES + 1)):
        (log / name).touch()
        with (log / name).open("r+b") as file:
            file.truncate(size)
    base.start()
    eventually(lambda: (log / "base.x.log").stat().st_size == 0)
    assert {path.name: path.stat().st_size for path in log.glob("*.log*")} == {
        "base.x.log": 0,
        "base.x.log.1": MAXIMUM_BYTES,
        "base.y.log": 10,
        "manager.x.log": MAXIMUM_BYTES + 1,
    }
    assert base.value == 0
    eventually(lambda: "service log set aside" in (base.folder / "spmd.log").read_text())


def test_each_entry_of_the_process_managers_log_has_its_message(base: Suite) -> None:
    base.write(steady("one"), steady("two"))
    base.start()
    os.kill(base.pid("two"), signal.SIGKILL)
    base.wait_for(4)
    base.stop()
    entries = [json.loads(line) for line in (base.folder / "spmd.log").read_text().splitlines()]
    known = {message.id for message in catalogue.entries()}
    for entry in entries:
        assert entry["id"] in known
        assert entry["message"].startswith(f"{entry['id']} ")
    assert [entry["message"] for entry in entries if entry["id"].endswith("E")] == [
        "BSHO2129-E service two of base on watch counts as not running: it is failed, status 'was killed by signal 9'"
    ]
