"""The agent above our own commands, with a real suite of two small services."""

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bansho.cluster.install import OUR_COMMANDS, install

if TYPE_CHECKING:
    from tests.house import House

SUCCESS, GENERIC, NOT_RUNNING = 0, 1, 7
SERVICE = """\
[[service]]
name = "{name}"
command = ["{{python}}", "-c", '''
import signal
from bansho.process.notify import notify
opened = open("{{shared}}/{name}", "w")
notify("READY=1")
signal.sigwait({{signal.SIGTERM}})
''']
"""


class OwnNode:
    """A node where `watch` may run."""

    def __init__(self, house: "House") -> None:
        house.define()
        house.suite("base", 'suite = "base"\n' + "".join(SERVICE.format(name=name) for name in ("one", "two")))
        self.house = house
        self.agent = install(house.root, OUR_COMMANDS)

    def begin(self, action: str, interval: int = 10, level: int = 0, **parameters: str) -> subprocess.Popen[str]:
        """The agent as Pacemaker starts it: the leader of a process group."""
        given = {"host": "watch", "suite": "base", "directory": str(self.house.shared), "releases_disk": "true"}
        given |= {"retries": "1", "retry_interval": "0.1", **parameters}
        environment = {f"OCF_RESKEY_{name}": value for name, value in given.items()}
        environment |= {"OCF_RESKEY_CRM_meta_interval": str(interval * 1000), "OCF_CHECK_LEVEL": str(level)}
        return subprocess.Popen(
            [self.agent, action],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def call(self, action: str, interval: int = 10, level: int = 0, **parameters: str) -> tuple[int, str]:
        """Its exit code and what it says."""
        with self.begin(action, interval, level, **parameters) as process:
            said = process.communicate()[1]
        return process.returncode, said

    def end(self) -> None:
        """Ends the suite, however it stands."""
        subprocess.run([OUR_COMMANDS / "jbs_killall.cluster", "watch"], capture_output=True, check=False)

    def holders(self) -> dict[str, int]:
        """What of the suite holds a file in the shared directory: file -> pid."""
        found = {}
        for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                target = descriptor.readlink()
            except OSError:
                continue
            if target.parent == self.house.shared:
                found[target.name] = int(descriptor.parts[2])
        return found
