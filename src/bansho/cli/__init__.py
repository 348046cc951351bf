"""`bansho`, the tool for people: one module a group of commands, imported only when it is called."""

import importlib
import keyword
import sys
from contextlib import suppress

import click
from click.exceptions import NoArgsIsHelpError

from bansho import __version__
from bansho.cli.errors import SystemRefused, WrongUsage
from bansho.contract.messages import BanshoError

COMMANDS = {
    "account": "people who may use the console",
    "check": "check definition files, the original's too",
    "cluster": "register a logical host with cluster software",
    "definition": "write and check a logical host's definition",
    "demo": "a cluster of three nodes on this machine, with traffic; or one node where that cannot be",
    "drill": "faults under load on nodes of its own, audited and reported",
    "import": "write a suite file from the original's",
    "doctor": "is everything right on this node for a logical host?",
    "lab": "real cluster nodes on this machine",
    "setup": "prepare a shared directory, once",
    "token": "who may send and read events",
    "up": "one node in the foreground, without a cluster",
}
"""Name -> what it is for; `bansho.cli.NAME` holds the click command `command`."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed: `bansho --help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands, by name."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = importlib.import_module(f"bansho.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(
    "bansho", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__)
def group() -> None:
    """An integrated-management manager that outlives its server.

    Begin with `bansho up demo`: one node, in the foreground. Each command explains itself with --help.
    """


def main() -> None:
    """The console script. Exit codes: 0 done, 1 it could not be done (one line says why), 2 wrong usage."""
    try:
        value = group(standalone_mode=False)
    except NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.UsageError as error:
        _say(wrong_usage(error))
        sys.exit(2)
    except (click.Abort, BrokenPipeError):
        sys.exit(1)
    except OSError as error:
        _say(SystemRefused(path=error.filename or "the system", reason=error.strerror))
        sys.exit(1)
    except BanshoError as error:
        _say(error)
        sys.exit(1)
    sys.exit(value if isinstance(value, int) else 0)


def wrong_usage(error: click.UsageError) -> WrongUsage:
    """What click found wrong with the arguments, as one of our messages."""
    problem = error.format_message().rstrip(".")
    usage = " ".join(error.ctx.get_usage().removeprefix("Usage:").split()) if error.ctx else "bansho COMMAND"
    command = error.ctx.command_path if error.ctx else "bansho"
    return WrongUsage(problem=problem, usage=usage, command=command)


def _say(error: BanshoError) -> None:
    with suppress(OSError):
        click.echo(error, err=True)
