"""`bansho demo`: what `scripts/run` starts."""

import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import click

from bansho.cli import up
from bansho.cli.errors import PortTaken
from bansho.cli.setup import FIRST_ACCOUNT
from bansho.contract import operation
from bansho.contract.suites import COMMANDS
from bansho.drill import takeover
from bansho.drill.progress import CLEAR
from bansho.drill.stage import HOST, Sender, Stage, stage
from bansho.lab.requirements import missing
from bansho.lab.window import Window

LOOK = 0.5
"""Seconds between two looks at the nodes."""
CONSOLE = 7711
LAB = "lab"


@click.command()
@click.option("--takeover", "takeover_only", is_flag=True, help="Unattended: power loss under load, report, end.")
@click.option("--rate", default=100.0, show_default=True, help="Events a second from the sender outside.")
@click.option("--report", type=click.Path(path_type=Path), help="Write FILE.json and FILE.svg too.", metavar="FILE")
@click.option("--port", default=CONSOLE, show_default=True, help="The console's port on this machine.")
def command(takeover_only: bool, rate: float, report: Path | None, port: int) -> None:
    """Show it: three real cluster nodes on this machine, with a sender outside.

    The nodes are namespaces with their own Pacemaker, fencing, a shared disk and a network. Ctrl-C takes everything
    down. Where this machine cannot make nodes, it says which part is missing and runs one node instead (`bansho up`).

    With --takeover the exit code is 0 only if nothing was lost or doubled and the sequence was kept.
    """
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)
    if lacking := missing():
        click.echo(f"this machine cannot make nodes: {'; '.join(lacking)}", err=True)
        if takeover_only:
            sys.exit(1)
        click.echo("running one node instead, without a cluster", err=True)
        up.command.main(["demo"], standalone_mode=False)
        return
    if not takeover_only:
        _refuse_taken(port)
    if report:
        report.with_suffix(".json").touch()  # fails now, not after the run
    try:
        with stage(LAB) as built:
            if takeover_only:
                sys.exit(_takeover(built, rate, report))
            _show(built, rate, port)
    except KeyboardInterrupt:
        click.echo("\ntaken down", err=True)


def _refuse_taken(port: int) -> None:
    """Raises PortTaken now, not after the nodes are built."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise PortTaken(port=port, reason=error.strerror) from None


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _takeover(built: Stage, rate: float, path: Path | None) -> int:
    found = takeover.power_loss(built, rate)
    click.echo(f"\n{found.as_text()}")
    if path:
        path.with_suffix(".json").write_text(found.as_json() + "\n")
        path.with_suffix(".svg").write_text(found.as_svg())
    return 0 if found.clean else 1


def _show(built: Stage, rate: float, port: int) -> None:
    sender = built.send(rate)
    try:
        with Window(f"/proc/{built.lab.pid}/ns/net", f"{built.address}:{CONSOLE}", port):
            click.echo(_greeting(built, port))
            _follow(built, sender)
    finally:
        sender.stop()


def _greeting(built: Stage, port: int) -> str:
    lab = f"{up.command_line('bansho')} lab"
    return f"""
event console   http://127.0.0.1:{port}/   log in as {FIRST_ACCOUNT} with {built.password}

break things from another terminal:
  {lab} power n1 loss        power loss, unsynced data really lost   (off, freeze, reboot, on)
  {lab} cable n1 cut         network cable                           (plug)
  {lab} log                  who fenced whom, and when
  {lab} exec n1 -- {up.PROGRAMS}/jco_spmd_status -h {HOST}    a command on a node
  {lab} exec n1 -- sh        a shell there; crm_mon shows what the cluster does
Ctrl-C takes everything down
"""


def _follow(built: Stage, sender: Sender) -> None:
    """What runs where, live: one line rewritten on a terminal, a line a change elsewhere."""
    live, shown = sys.stdout.isatty(), ""
    forever = threading.Event()
    while not forever.wait(LOOK):
        nodes = _line(built)
        if live:
            ledger = sender.ledger()
            counts = f"sent {len(ledger.sent):,}, acknowledged {len(ledger.acknowledged):,}"
            click.echo(f"{CLEAR}{time.strftime('%H:%M:%S')}  {nodes}  |  {counts}", nl=False)
        elif nodes != shown:
            click.echo(f"{time.strftime('%H:%M:%S')}  {nodes}")
        shown = nodes


def _line(built: Stage) -> str:
    return "  ".join(_node(name, state) for name, state in built.overview().items())


def _node(name: str, state: dict[str, object]) -> str:
    if state["power"] != "on":
        return f"{name}: {state['power']}"
    cable = "" if state["cable"] == "plugged" else " cable cut"
    if not state["disk"]:
        return f"{name}: standby{cable}"
    suites = ", ".join(f"{suite} {_meaning(state[suite])}" for suite in COMMANDS)
    return f"{name}: ACTIVE, {suites}{cable}"


def _meaning(value: object) -> str:
    return next((row.meaning for row in operation.TABLE.values() if row.value == value), f"value {value}")
