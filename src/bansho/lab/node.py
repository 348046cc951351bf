"""A node from the outside: running programs on it, its power, its cable."""

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING, Any

from bansho.lab import namespaces, power
from bansho.lab.errors import NodeOff

if TYPE_CHECKING:
    from bansho.lab.lab import Lab

ENVIRONMENT = {"PATH": namespaces.PATH, "HOME": "/root", "LANG": "C.UTF-8"}


class Program(subprocess.Popen[Any]):
    """A program on a node. A signal goes to the program itself, not to the shell on the host that waits for it.

    If that shell died first, the program would be the host's pid 1's to reap, and the node could not end before.
    """

    def send_signal(self, number: int) -> None:
        """Sends the signal to the program; nothing if it has ended."""
        if self.poll() is None:
            with contextlib.suppress(OSError):  # it ended meanwhile
                children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
                os.kill(int(children[0]) if children else self.pid, number)


class Node:
    """One node of a lab, or the host outside."""

    def __init__(self, lab: "Lab", name: str) -> None:
        self.lab, self.name = lab, name

    @property
    def pid(self) -> int:
        """The host's pid of the node's pid 1; raises NodeOff."""
        try:
            return int(self.lab.places.pid(self.name).read_text())
        except FileNotFoundError:
            raise NodeOff(name=self.lab.spec.name, node=self.name) from None

    @property
    def on(self) -> bool:
        """Whether the node has power; false only once all its processes are gone."""
        return self.lab.places.pid(self.name).exists()

    def command(self, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` on the node, in its namespaces and control group; raises NodeOff."""
        return namespaces.enter(self.pid, namespaces.group_of(self.lab.spec.cgroup, self.name), command)

    def run(
        self,
        command: Sequence[str],
        *,
        input: str | None = None,  # noqa: A002 - as subprocess.run calls it
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program on the node to its end, as subprocess.run; stdout and stderr are captured as text.

        The environment is a fresh login's of root, and `env`. Raises NodeOff, and what subprocess.run raises.
        """
        pipes = {"stdout": PIPE, "stderr": PIPE, "stdin": subprocess.DEVNULL if input is None else PIPE}
        with self.popen(command, env, text=True, **pipes) as program:
            try:
                output, errors = program.communicate(input, timeout)
            except BaseException:
                program.kill()
                raise
        result = subprocess.CompletedProcess(list(command), program.returncode, output, errors)
        if check:
            result.check_returncode()
        return result

    def popen(self, command: Sequence[str], env: Mapping[str, str] | None = None, **options: Any) -> "Program":
        """Starts a program on the node, as subprocess.Popen. Raises NodeOff."""
        return Program(self.command(command), env=ENVIRONMENT | dict(env or {}), **options)

    def power(self, action: str) -> None:
        """`on`, `off`, `loss`, `reboot`, `freeze` or `thaw`; returns when it is done. Raises PowerRefused."""
        power.ask(self.lab.places, power.POWER, action, self.name)

    def cable(self, action: str) -> None:
        """`cut`, `plug`, `deafen`, `mute`, `lose` or `narrow` (`bansho.lab.cable`). Raises PowerRefused."""
        power.ask(self.lab.places, power.CABLE, action, self.name)

    def management(self, action: str) -> None:
        """`cut` or `plug` its way to the management network: cut, no node can fence it, nor can it fence any.

        Raises PowerRefused.
        """
        power.ask(self.lab.places, tuple(power.MANAGEMENT.values()), power.MANAGEMENT[action], self.name)

    def state(self) -> dict[str, str]:
        """`power` (on, off, frozen), `cable` (plugged, cut, ...), `management` (plugged, cut), and `address`."""
        return power.ask(self.lab.places, ("status",), "status", self.name) | {"address": self.lab.address(self.name)}

    def boot_id(self) -> str:
        """The id of the present boot, as programs on the node read it."""
        return Path(f"/proc/{self.pid}/root/proc/sys/kernel/random/boot_id").read_text().strip()

    def replace_self(self, command: Sequence[str]) -> None:
        """Becomes the program on the node, with this process's terminal. Does not return; raises NodeOff."""
        line = self.command(command)
        os.execvpe(line[0], line, ENVIRONMENT | {"TERM": os.environ.get("TERM", "dumb")})  # noqa: S606
