"""The logical host that a command of `bansho` acts on."""

import click

from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost

HOST = click.option(
    "--host",
    "-H",
    "host_name",
    metavar="NAME",
    help="The logical host; JP1_HOSTNAME, or the physical host, if left out.",
)


def chosen(name: str | None) -> LogicalHost:
    """The logical host of the option, or of the environment. Raises as `definition.load`."""
    return definition.load(definition.chosen_name(name))
