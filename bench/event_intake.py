"""How many events a second Base takes in durably, beside a bare server: `python bench/event_intake.py`.

The bare server below is Starlette, uvicorn and SQLite with group commit into the same table, and nothing else: no
validation, no tokens, no answer about duplicates, no lease, no metrics. It is the most that this design can give on
this machine, so the ratio to it is what our care costs. Both run here, in turns, under the same load from wrk.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bansho.base import tokens
from bansho.logicalhost.places import SharedPlaces

sys.path.append(str(Path(__file__).parents[1]))
from bench import figures
from bench.figures import Budget

ALERTA = 124
"""alerta 9.1.0's new alerts a second at 32 connections on 2 cores like these (4 gunicorn workers, PostgreSQL 15)."""
BATCH = 100

LUA = """
local serial = %d
local token = os.getenv("BENCH_TOKEN") or "none"
local event = '{"id":"1F00","severity":"Error","message":"disk /data of web1 is 95 %%%% full, nobody has looked yet",'
  .. '"occurred_at":1795337400.25,"source_server":"web1","source_serial":%%d,'
  .. '"attributes":{"PRODUCT_NAME":"/MY/DISKWATCH","OBJECT_TYPE":"DISK","OBJECT_NAME":"/data"}}'
local function one()
  serial = serial + 1
  return string.format(event, serial)
end
local function many()
  local events = {}
  for i = 1, %d do events[i] = one() end
  return "[" .. table.concat(events, ",") .. "]"
end
local batch = %s
wrk.headers["Authorization"] = "Bearer " .. token
request = function()
  if batch then return wrk.format("POST", "/api/v1/events/batch", nil, many()) end
  return wrk.format("POST", "/api/v1/events", nil, one())
end
"""


class Load(NamedTuple):
    """One way to send: over how many connections, and whether in batches."""

    name: str
    connections: int
    batch: bool


LOADS = (Load("single, 32 connections", 32, False), Load(f"batches of {BATCH}, 8 connections", 8, True))


def bare_server(port: int, folder: Path) -> None:
    """The bare server, in the foreground."""
    database = sqlite3.connect(folder / "bare.db", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = wal")
    database.execute("PRAGMA synchronous = full")
    database.execute(
        "CREATE TABLE event (serial INTEGER PRIMARY KEY, source_server TEXT, source_serial INTEGER, body BLOB,"
        " UNIQUE (source_server, source_serial))"
    )
    insert = "INSERT OR IGNORE INTO event (source_server, source_serial, body) VALUES (?, ?, ?)"
    queue: SimpleQueue[tuple[list[tuple[str, int, bytes]], asyncio.Future[None]]] = SimpleQueue()

    def answer(futures: list[asyncio.Future[None]]) -> None:
        for future in futures:
            future.set_result(None)

    def write() -> None:
        while True:
            group = [queue.get()]
            while not queue.empty():
                group.append(queue.get())
            database.execute("BEGIN")
            database.executemany(insert, [row for rows, _ in group for row in rows])
            database.execute("COMMIT")
            futures = [future for _, future in group]
            futures[0].get_loop().call_soon_threadsafe(answer, futures)

    async def take(request: Request) -> Response:
        document = msgspec.json.decode(await request.body())
        events = document if isinstance(document, list) else [document]
        rows = [(event["source_server"], event["source_serial"], msgspec.json.encode(event)) for event in events]
        future = asyncio.get_running_loop().create_future()
        queue.put((rows, future))
        await future
        return Response(b'{"ok":true}', 201)

    async def health(_request: Request) -> Response:
        return Response(b"{}")

    Thread(target=write, daemon=True).start()
    paths = ("/api/v1/events", "/api/v1/events/batch")
    application = Starlette(
        routes=[Route("/healthz", health), *(Route(path, take, methods=["POST"]) for path in paths)]
    )
    uvicorn.run(application, port=port, log_level="warning", access_log=False, loop="uvloop", http="httptools")


class Server(NamedTuple):
    """A running server."""

    port: int
    pid: int

    def cpu(self) -> float:
        """The processor time it has used, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Rate(NamedTuple):
    """Acknowledged events a second, and the server's processor time an event in microseconds."""

    events: float
    cpu: float


@contextmanager
def serving(command: list[str], port: int, environment: dict[str, str]) -> Iterator[Server]:
    """The server while it runs."""
    process = subprocess.Popen([sys.executable, *command], env=os.environ | environment)
    try:
        wait_for(port)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def wait_for(port: int) -> None:
    """Returns when the server answers."""
    until = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").read()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def rate(load: Load, server: Server, folder: Path, seconds: int, first: int) -> Rate:
    """One run, with serials from `first` on. Raises RuntimeError where an answer was an error."""
    script = folder / "load.lua"
    script.write_text(LUA % (first, BATCH, "true" if load.batch else "false"))
    address = f"http://127.0.0.1:{server.port}"
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", "-s", str(script), address]
    before = server.cpu()
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = server.cpu() - before
    found = re.search(r"(\d+) requests in.*Requests/sec:\s+([\d.]+)", output, re.DOTALL)
    if found is None or "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(output)
    events = BATCH if load.batch else 1
    return Rate(float(found[2]) * events, 1e6 * used / (int(found[1]) * events))


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def prepare(folder: Path, port: int) -> dict[str, str]:
    """A logical host in `folder`; the environment for its event service and for wrk."""
    for part in ("etc/logical-hosts", "run", "shared/conf", "shared/log"):
        (folder / part).mkdir(parents=True)
    (folder / "etc/logical-hosts/bench.toml").write_text(
        f'name = "bench"\nshared-directory = "{folder}/shared"\n[ports]\nevent-service = {port}\n'
    )
    os.environ["BENCH_TOKEN"] = tokens.create(SharedPlaces(folder / "shared"), "bench", "send")
    return {"BANSHO_ETC": f"{folder}/etc", "BANSHO_RUN": f"{folder}/run", "BANSHO_HOST": "bench"}


def measure(folder: Path, seconds: int, rounds: int) -> dict[str, dict[str, list[Rate]]]:
    """Load -> server -> a rate for each round; the servers take turns, so that neighbours disturb both alike."""
    ours, bare = free_port(), free_port()
    environment = prepare(folder, ours)
    rates: dict[str, dict[str, list[Rate]]] = {load.name: {"ours": [], "bare": []} for load in LOADS}
    with (
        serving(["-m", "bansho.base.event_service"], ours, environment) as service,
        serving([__file__, "--bare", str(bare), str(folder)], bare, {}) as peer,
    ):
        first = 0
        for _ in range(rounds):
            for load in LOADS:
                for name, server in (("ours", service), ("bare", peer)):
                    rates[load.name][name].append(rate(load, server, folder, seconds, first))
                first += 10_000_000
    return rates


def report(rates: dict[str, dict[str, list[Rate]]]) -> dict[str, dict[str, float]]:
    """For each load the best round of each server (neighbours only ever slow one down), and the ratios."""
    return {load: compared(servers["ours"], servers["bare"]) for load, servers in rates.items()}


def compared(ours: list[Rate], bare: list[Rate]) -> dict[str, float]:
    """Rates in events a second, processor time in microseconds an event."""
    mine, theirs = max(rate.events for rate in ours), max(rate.events for rate in bare)
    my_cpu, their_cpu = min(rate.cpu for rate in ours), min(rate.cpu for rate in bare)
    return {
        "ours": round(mine),
        "bare": round(theirs),
        "ours / bare": round(mine / theirs, 2),
        "ours / alerta": round(mine / ALERTA, 1),
        "cpu, ours": round(my_cpu, 1),
        "cpu, bare": round(their_cpu, 1),
        "cpu, bare / ours": round(their_cpu / my_cpu, 2),
    }


def lines(rows: figures.Rows) -> list[str]:
    """The rows for a person: rates in events a second, processor time in microseconds an event."""
    names = [name for name in rows[0] if name != "what"]
    head = f"{'':32}" + "".join(f"{name:>18}" for name in names)
    return [head, *(f"{row['what']:32}" + "".join(f"{row[name]:>18,}" for name in names) for row in rows)]


def budgets(report: dict[str, dict[str, float]]) -> list[Budget]:
    """What must be taken in. Pure."""
    single, batches = (report[load.name] for load in LOADS)
    kept = [
        Budget(f"{load}", each["ours / bare"], 0.8, "x a bare server", at_least=True) for load, each in report.items()
    ]
    return [
        *kept,
        Budget(LOADS[0].name, single["ours / alerta"], 60, "x alerta", at_least=True),
        Budget(LOADS[1].name, batches["ours"], 60_000, "events a second", at_least=True),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    figures.argument(parser)
    parser.add_argument("--bare", nargs=2, metavar=("PORT", "FOLDER"), help="run the bare server only")
    options = parser.parse_args()
    if options.bare:
        bare_server(int(options.bare[0]), Path(options.bare[1]))
        return
    if not shutil.which("wrk"):
        sys.exit("bench needs wrk: scripts/setup bench")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        found = report(measure(Path(folder), options.seconds, options.rounds))
    rows: figures.Rows = [{"what": load, **each} for load, each in found.items()]
    figures.say(options.json, *lines(rows))
    figures.finish(rows, budgets(found), options.json)


if __name__ == "__main__":
    main()
