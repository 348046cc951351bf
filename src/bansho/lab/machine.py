"""One node as the power daemon sees it: a process tree that is switched on and off, and a cable."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from bansho.lab import cable, cgroup, disk, namespaces, network
from bansho.lab.places import Places, last_line
from bansho.lab.powerlog import PowerLog
from bansho.lab.spec import OUTSIDE, Running, Spec

INIT = Path(__file__).with_name("node-init.sh")
BOOT = 30.0
"""Seconds for a node's root and network; half of one is usual."""
RELEASE = 2.0
"""Seconds for the kernel to let go of a dead node's file system."""


class BootFailed(Exception):
    """Raised when a node's pid 1 ended before its root and its network were ready."""


class Machine:
    """A node, or the host outside. Its methods are called one at a time: the daemon holds `lock` meanwhile."""

    def __init__(self, name: str, spec: Spec, running: Running, places: Places, log: PowerLog) -> None:
        self.name, self.lock = name, asyncio.Lock()
        self.cable, self.frozen = cable.PLUGGED, False
        self.managed = True
        """Whether its power can be switched from the cluster's nodes, and it can switch theirs."""
        self._spec, self._running, self._places, self._log = spec, running, places, log
        self._process: Process | None = None
        self._ended: asyncio.Task[None] | None = None
        self._booting: asyncio.Task[None] | None = None
        self._host_pid = self._pid = 0

    @property
    def power(self) -> str:
        """`on`, `off` or `frozen`."""
        if self._process is None:
            return "off"
        return "frozen" if self.frozen else "on"

    async def boot(self) -> None:
        """Switches on; returns when the node has its root and its network, before the cluster software is up."""
        if self._process is not None:
            return
        with self._places.console(self.name).open("ab") as console:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(), stdin=PIPE, stdout=PIPE, stderr=console, env=self._environment()
            )
        self._ended = asyncio.create_task(self._follow(self._process))
        try:
            await asyncio.wait_for(self._introduce(self._process), BOOT)
        except TimeoutError:
            raise BootFailed(f"{self.name} did not boot within {BOOT:g} s") from None
        self._log.add("power", "boot", self.name, done=True)

    async def cut(self, *, loss: bool) -> None:
        """Switches off; returns when every process is gone. `loss`: what was not synced to the shared disk is lost."""
        if self._process is None or self._ended is None:
            return
        network.disconnect(self.name)
        points = disk.mount_points(self._host_pid, self._running.device)
        if loss:
            disk.lose_unwritten(self._host_pid, points)
        else:
            disk.let_pass(self._host_pid, points)
        os.kill(self._pid, signal.SIGKILL)
        await self._ended
        if points:
            await self._released()

    def boot_soon(self) -> None:
        """Switches on in the background: who fences need not wait for the boot."""
        self._booting = asyncio.create_task(self._boot_again())

    def freeze(self, *, frozen: bool) -> None:
        """Stops, or continues, every process but pid 1, in one step of the kernel."""
        if self._process is None:
            raise OSError(f"{self.name} is off")
        kill = f"kill -{'STOP' if frozen else 'CONT'} -1"
        subprocess.run(["nsenter", "--target", str(self._host_pid), "--pid", "sh", "-c", kill], check=True)
        self.frozen = frozen

    def change_cable(self, state: str) -> None:
        """Gives the cable a state of `bansho.lab.cable`; it stays so over a reboot."""
        self.cable = state
        if self._process is not None:
            network.change(self.name, self._host_pid, state)

    async def _boot_again(self) -> None:
        await asyncio.sleep(self._spec.boot_delay)
        async with self.lock:
            try:
                await self.boot()
            except (BootFailed, OSError, subprocess.SubprocessError) as error:
                print(error, file=sys.stderr)

    async def _introduce(self, process: Process) -> None:
        assert process.stdin is not None  # noqa: S101 - asked for as pipes
        assert process.stdout is not None  # noqa: S101
        pids = (await process.stdout.readline()).split()
        if pids:
            self._host_pid, self._pid = map(int, pids)
            self._tell_pid()
            network.connect(self.name, self._pid, self._host_pid, self.cable)
            process.stdin.write(b"connected\n")
            process.stdin.close()
        if await process.stdout.readline() != b"up\n":
            raise BootFailed(f"{self.name} did not boot: {last_line(self._places.console(self.name))}")

    def _tell_pid(self) -> None:
        """Whole at one moment: who looks all the time would find the file empty."""
        path = self._places.pid(self.name)
        new = path.with_suffix(".booting")
        new.write_text(f"{self._host_pid}\n")
        new.replace(path)

    async def _follow(self, process: Process) -> None:
        result = await process.wait()
        network.disconnect(self.name)
        cgroup.clear(self._group)
        self._places.pid(self.name).unlink(missing_ok=True)
        self._process, self.frozen = None, False
        if result == -signal.SIGHUP:  # reboot(2) in a pid namespace
            self._log.add(self.name, "reboot", self.name, done=True)
            self.boot_soon()
        else:
            self._log.add("power", "dead", self.name, done=True)

    async def _released(self) -> None:
        """Waits for the dead node's mount to go: the next one would join a file system that is shut down."""
        until = time.monotonic() + RELEASE
        while disk.in_use(self._running.disk) and time.monotonic() < until:
            await asyncio.sleep(0.005)

    @property
    def _group(self) -> str:
        return namespaces.group_of(self._spec.cgroup, self.name)

    def _command(self) -> list[str]:
        return namespaces.unshare(namespaces.NODE, self._group, ["bash", str(INIT)])

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": namespaces.PATH,
            "LANG": "C.UTF-8",
            "LAB": str(self._places.root),
            "NODE": self.name,
            "ADDRESS": f"{network.address(self.name)}/{network.PREFIX}",
            "MEMBER": str(int(self.name != OUTSIDE)),
            "USERS": " ".join(self._spec.users),
        }
