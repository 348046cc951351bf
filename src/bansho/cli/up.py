"""`bansho up`: one node in the foreground, without a cluster and without root."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import click

from bansho.cli import setup
from bansho.cli.definition import write
from bansho.cli.errors import RUNS_AS_ROOT, WROTE, NotUp, UnsafeFolder, UpAlready
from bansho.contract import operation
from bansho.contract.suites import COMMANDS, SuiteCommands
from bansho.logicalhost import definition, places
from bansho.logicalhost.definition import LogicalHost

PROGRAMS = Path(sys.executable).parent
"""The folder of the contract's commands: the one of this interpreter."""
LOOK = 1.0
"""Seconds between two looks at the suites while they are up."""


@click.command()
@click.argument("name", default="demo")
def command(name: str) -> None:
    """Run the logical host NAME ("demo") on this node, in the foreground, until Ctrl-C.

    A definition and a shared directory that are not there yet are made: below your home folder, or for root in
    /etc/bansho and /var/lib/bansho. BANSHO_ETC and BANSHO_RUN move them.
    """
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: stop.set())
    _settle_at_home()
    host = _definition(name)
    _refuse_if_up(host)
    made = setup.prepare(host)
    for line in made.lines:
        click.echo(line)
    if made.password:
        click.echo(f"log in to the console as {setup.FIRST_ACCOUNT} with the password {made.password} (shown only now)")
    try:
        _start(host, stop)
        if not stop.is_set():
            _greet(host)
            _follow(host, stop)
    finally:
        _stop(host)


def _settle_at_home() -> None:
    """Without root and without being told otherwise, everything is below the user's home. Says so, for other shells."""
    if os.geteuid() == 0:
        return
    runtime = os.environ.get("XDG_RUNTIME_DIR") or _private(Path(f"/tmp/bansho-{os.geteuid()}"))  # noqa: S108
    homes = {
        "BANSHO_ETC": Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "bansho",
        "BANSHO_RUN": Path(runtime) / "bansho",
    }
    for variable, path in homes.items():
        if variable not in os.environ:
            os.environ[variable] = str(path)
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            click.echo(f"export {variable}={path}")


def _private(folder: Path) -> Path:
    """A folder of our own in a place that everyone may write to. Raises UnsafeFolder."""
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise UnsafeFolder(path=folder)
    return folder


def _refuse_if_up(host: LogicalHost) -> None:
    """Raises UpAlready: its Ctrl-C would stop what somebody else started."""
    for suite in host.suites:
        value, text = _status(host, COMMANDS[suite])
        if value not in (operation.ALL_STOPPED, operation.UNRECOVERABLE):
            raise UpAlready(name=host.name, status=text)


def _definition(name: str) -> LogicalHost:
    path = definition.path_of(definition.check_name(name))
    if not path.exists():
        lines = [f'name = "{name}"', 'kind = "physical"', f'shared-directory = "{_data() / name}"']
        user = _service_user()
        lines += [f'user = "{user}"'] if user else []
        click.echo(WROTE(path=write(name, "\n".join(lines) + "\n")))
    return definition.load(name)


def _data() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/bansho")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "bansho"


def _service_user() -> str | None:
    """Who the services of a new definition run as, where root starts them: an existing user that can run them."""
    if os.geteuid() != 0:
        return None
    user = next((name for name in ("bansho", "postgres", "nobody") if _exists(name)), None)
    if user and _can_run(user):
        return user
    click.echo(RUNS_AS_ROOT(user=user, program=sys.executable), err=True)
    return None


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _can_run(user: str) -> bool:
    probe = [sys.executable, "-I", "-c", "import bansho.contract"]
    try:
        return subprocess.run(probe, user=user, cwd="/", check=False, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def _start(host: LogicalHost, stop: threading.Event) -> None:
    for suite in host.suites:
        if stop.is_set():
            return
        click.echo(f"starting {suite}")
        subprocess.run([PROGRAMS / COMMANDS[suite].start, host.name], check=False)
        value, text = _status(host, COMMANDS[suite])
        if value != operation.ALL_RUNNING and not stop.is_set():
            raise NotUp(name=host.name, suite=suite, status=text, log=places.run() / host.name / suite / "spmd.log")


def _status(host: LogicalHost, commands: SuiteCommands) -> tuple[int, str]:
    call = [str(PROGRAMS / commands.status), "-h", host.name]
    answer = subprocess.run(call, check=False, text=True, capture_output=True)
    return answer.returncode, (answer.stdout or answer.stderr).strip().partition("\n")[0]


def command_line(program: str) -> str:
    """How to type a program of ours: its name where the shell finds it, else its path."""
    return program if shutil.which(program) else str(PROGRAMS / program)


def _greet(host: LogicalHost) -> None:
    token, send = command_line("bansho"), command_line("jevsend")
    click.echo(f"\nevent console: http://{host.ip}:{host.ports.console}/")
    click.echo(f"a sender's token: {token} token create NAME --host {host.name}")
    click.echo(f"send an event:    {send} -h {host.name} -m TEXT --severity Error --token-file FILE")
    click.echo("Ctrl-C stops everything\n")


def _follow(host: LogicalHost, stop: threading.Event) -> None:
    """Prints each change of a suite's status until `stop`, or until somebody else has stopped everything."""
    shown: dict[str, str] = {}
    while not stop.wait(LOOK if shown else 0):
        answers = {suite: _status(host, COMMANDS[suite]) for suite in host.suites}
        for suite, (_, text) in answers.items():
            if shown.get(suite) != text:
                click.echo(f"{suite}: {text}")
        shown = {suite: text for suite, (_, text) in answers.items()}
        if all(value == operation.ALL_STOPPED for value, _ in answers.values()):
            return


def _stop(host: LogicalHost) -> None:
    """In the contract's order and with its proof: stop, then always forced termination (3.5)."""
    for suite in reversed(host.suites):
        click.echo(f"stopping {suite}")
        for program in (COMMANDS[suite].stop, COMMANDS[suite].killall):
            subprocess.run([PROGRAMS / program, host.name], check=False, start_new_session=True)
