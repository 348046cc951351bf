"""`bansho cluster render`: a logical host for other cluster software than Pacemaker."""

from pathlib import Path

import click

from bansho.cluster import budget, plan, products
from bansho.cluster.adapter.errors import WROTE
from bansho.cluster.model import polled
from bansho.logicalhost import definition

WINDOWS = {"last failure": budget.since_last_failure, "first failure": budget.since_first_failure, None: None}
"""From when on a product counts failures -> what that demands of the failure window."""


@click.command()
@click.argument("name")
@click.option("--product", required=True, type=click.Choice(sorted(products.PRODUCTS)), help="The cluster product.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the files into this folder, the same on every node, instead of showing them.",
)
def render(name: str, product: str, output: Path | None) -> None:
    """Render the logical host NAME for another cluster product: its control script, and what is to be registered.

    Refuses where time limits do not fit.
    """
    host = definition.load(name)
    files = products.render(host, product, output.absolute() if output else None)
    facts = products.PRODUCTS[product]
    plan.require_fit(polled(host), facts.optional, WINDOWS[facts.counts_since])
    for file in files:
        if output:
            file.write()
            click.echo(WROTE(path=file.path), err=True)
        else:
            click.echo(f"# {file.path}\n{file.text}")
