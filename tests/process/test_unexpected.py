"""An exception that is handled nowhere is one line of the process manager's log, wherever it comes from."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.house import House

from bansho.process import spawning
from bansho.process.folder import Folder
from bansho.process.log import Log
from bansho.process.unexpected import in_loop


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_process_manager_that_breaks(house: House) -> None:
    """A folder is in the place of a file that it writes before it takes orders."""
    house.define()
    folder = Folder(house.run / "watch" / "base")
    folder.create()
    folder.cgroup_file.mkdir()
    with os.fdopen(spawning.spawn(folder.mark, "base", "watch")) as line:
        assert line.read() == ""
    (found,) = entries(folder.log)
    assert (found["id"], found["event"], found["host"], found["suite"]) == ("BSHO2138-E", "unexpected", "watch", "base")
    assert "IsADirectoryError" in found["message"]
    assert "write_cgroup" in found["traceback"]
    assert folder.log.stat().st_mode & 0o777 == 0o600


PROGRAM = """
import sys, threading
from bansho.process import unexpected
unexpected.watch(sys.argv[1], host="watch", suite="base")
unexpected.watch_threads()
class Broken:
    def __del__(self):
        raise ValueError("while it is cleared away")
def run():
    raise ValueError("in a thread")
thread = threading.Thread(target=run)
thread.start()
thread.join()
Broken()
raise ValueError("at the end")
"""


def test_threads_and_what_nobody_can_catch(tmp_path: Path) -> None:
    log = tmp_path / "log"
    ended = subprocess.run([sys.executable, "-I", "-c", PROGRAM, log], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, b"", b"")
    assert [entry["error"] for entry in entries(log)] == [
        "ValueError('in a thread')",
        "ValueError('while it is cleared away')",
        "ValueError('at the end')",
    ]


def test_the_loop_goes_on(tmp_path: Path) -> None:
    async def live() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(in_loop(log))
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        loop.call_exception_handler({"message": "it has no exception"})

    log = Log(tmp_path / "log", host="watch", suite="base")
    asyncio.run(live())
    log.close()
    first, second = entries(tmp_path / "log")
    assert (first["id"], first["error"]) == ("BSHO2138-E", "ZeroDivisionError('division by zero')")
    assert "ZeroDivisionError" in first["traceback"]
    assert "it has no exception" in second["error"]
