"""The power daemon: pid 1 of a lab. It makes the network and the disk, and switches nodes on and off.

It answers on one Unix socket a node, bind-mounted into it, so it knows who asks; and on one for the operator. A
request is a line `{"action": ACTION, "node": NODE}`; the answer, a line too, comes when it is done: `{}`,
`{"power": ...}`, or `{"error": TEXT}`. A node may fence; cables and frozen nodes are the operator's. A node that is
cut off the management network gets no answer, and no node gets one about it. When the daemon
dies, the kernel ends every process, mount and namespace of the lab.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from functools import partial
from pathlib import Path

import msgspec

from bansho.lab import disk, network
from bansho.lab.cable import STATES
from bansho.lab.machine import BootFailed, Machine
from bansho.lab.places import Places
from bansho.lab.powerlog import PowerLog
from bansho.lab.spec import Running, Spec

OPERATOR = "operator"
FENCING = ("on", "off", "reboot")
CHANGES = ("on", "off", "loss", "reboot", "freeze", "thaw", *STATES, "manage", "unmanage")

Answer = dict[str, str]


class Daemon:
    """The machines and what can be done with them."""

    def __init__(self, spec: Spec, running: Running, places: Places) -> None:
        self._spec, self._places, self._log = spec, places, PowerLog(places.log)
        self._machines = {host: Machine(host, spec, running, places, self._log) for host in spec.hosts}
        self._servers: list[asyncio.Server] = []

    async def listen(self) -> None:
        """Opens the sockets; each node's must be there before it boots."""
        for who in (OPERATOR, *self._spec.hosts):
            self._servers.append(await asyncio.start_unix_server(partial(self._serve, who), self._places.socket(who)))

    async def boot_all(self) -> None:
        """Switches everything on at once; raises BootFailed."""
        await asyncio.gather(*(machine.boot() for machine in self._machines.values()))

    async def answer(self, who: str, request: dict[str, str]) -> Answer:
        """Does what was asked and says how it went."""
        action, node = request.get("action", ""), request.get("node", "")
        allowed = ("list", "status", *(CHANGES if who == OPERATOR else FENCING))
        if action not in allowed:
            return {"error": f"action {action!r}: expected one of {', '.join(allowed)}"}
        if action == "list":
            return {"nodes": " ".join(self._spec.nodes)}
        if node not in self._machines:
            return {"error": f"node {node!r}: expected one of {', '.join(self._machines)}"}
        machine = self._machines[node]
        if who != OPERATOR and not (machine.managed and self._machines[who].managed):
            return {"error": f"{node}: no way through the management network"}
        if action == "status":
            management = "plugged" if machine.managed else "cut"
            return {"power": machine.power, "cable": machine.cable, "management": management}
        return await self._change(who, action, machine)

    async def _change(self, who: str, action: str, machine: Machine) -> Answer:
        self._log.add(who, action, machine.name, done=False)
        async with machine.lock:
            try:
                # A fenced machine loses what it had not synced, as one whose power is cut.
                await _perform(action, machine, loss=action == "loss" or who != OPERATOR)
            except (BootFailed, OSError, subprocess.SubprocessError) as error:
                return {"error": str(error)}
        self._log.add(who, action, machine.name, done=True)
        return {}

    async def _serve(self, who: str, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            try:
                answer = await self.answer(who, msgspec.json.decode(await reader.readline(), type=dict[str, str]))
            except (ValueError, msgspec.DecodeError) as error:
                answer = {"error": f"malformed request: {error}"}
            writer.write(msgspec.json.encode(answer) + b"\n")
            await writer.drain()
        writer.close()


async def _perform(action: str, machine: Machine, *, loss: bool) -> None:
    match action:
        case "on":
            await machine.boot()
        case "off" | "loss":
            await machine.cut(loss=loss)
        case "reboot":
            await machine.cut(loss=loss)
            machine.boot_soon()
        case "freeze" | "thaw":
            machine.freeze(frozen=action == "freeze")
        case "manage" | "unmanage":
            machine.managed = action == "manage"
        case _:
            machine.change_cable(STATES[action])


def _build(spec: Spec, places: Places) -> Running:
    """The network, the store and the disk."""
    network.build()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(places.store)], check=True)
    device = disk.attach(places.store / "disk", spec.disk_size)
    return Running(device, disk.number(device))


async def serve(spec: Spec, places: Places) -> None:
    """Builds the lab, says `ready` on stdout once every node boots, and serves for ever."""
    running = _build(spec, places)
    if spec.tied:  # stdin is a pipe that ends with the process at its other end
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), os._exit, 0)
    daemon = Daemon(spec, running, places)
    await daemon.listen()
    await daemon.boot_all()
    places.running.write_bytes(msgspec.json.encode(running))
    print("ready", flush=True)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    await asyncio.Event().wait()


def main() -> None:
    """`python -m bansho.lab.powerd FOLDER`, started by `bansho.lab.building` in its namespaces."""
    os.umask(0o077)  # a socket that others may write to would let them cut the power
    places = Places(Path(sys.argv[1]))
    # The host's /proc is still mounted here, so it shows this process by the host's number.
    places.daemon.write_text(Path("/proc/self").readlink().name)
    spec = msgspec.json.decode(places.spec.read_bytes(), type=Spec)
    try:
        asyncio.run(serve(spec, places))
    except (BootFailed, OSError) as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(error.cmd)}: {error.stderr or f'exit code {error.returncode}'}".strip())


if __name__ == "__main__":
    main()
