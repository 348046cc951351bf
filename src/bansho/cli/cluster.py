"""`bansho cluster`: register a logical host with cluster software."""

from pathlib import Path

import click

from bansho.cluster import errors, products
from bansho.cluster import model as models
from bansho.cluster.adapter.errors import WROTE
from bansho.cluster.install import OUR_COMMANDS, PLACE, install
from bansho.cluster.model import Model
from bansho.cluster.pacemaker import registration, render
from bansho.cluster.products import PRODUCTS
from bansho.logicalhost import definition


@click.group()
def command() -> None:
    """Register a logical host with cluster software, and install the resource agent."""


@command.command()
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "crm"]), default="text", show_default=True)
def show(name: str, form: str) -> None:
    """Show the resources of the logical host NAME, their sequence and time limits, or their crm configuration."""
    model = models.model(definition.load(name))
    click.echo(render.crm(model) if form == "crm" else text(model), nl=False)


def text(model: Model) -> str:
    """The model for a person: the sequence, and how each time limit comes about."""
    lines = [
        f"logical host {model.name} on {', '.join(model.nodes)}",
        f"start: {' -> '.join(model.start_order)}",
        f"stop: {' -> '.join(model.stop_order)}",
        f"a failed resource restarts {model.restarts} times on its node, then the logical host fails over;"
        f" failures are forgotten after {model.failure_window:g} s",
        f"monitored every {model.monitor_interval:g} s; a node where a stop fails is fenced",
    ]
    for resource in model.resources:
        lines += ["", f"{resource.id} ({resource.kind.value})"]
        lines += [f"  {name}: {limit.seconds} s = {limit.why}" for name, limit in resource.limits.items()]
    return "\n".join([*lines, ""])


@command.command()
@click.argument("name")
@click.option(
    "--fencing",
    type=click.Path(path_type=Path),
    help="A file of crm configuration text with the fencing devices, to be loaded in the same step.",
)
def apply(name: str, fencing: Path | None) -> None:
    """Register the logical host NAME with the Pacemaker cluster of this node, or bring a registration up to date.

    Refuses where the cluster could not fence a node. A second call changes nothing.
    """
    model = models.model(definition.load(name))
    changed = registration.apply(model, fencing_text(fencing))
    click.echo((errors.APPLIED if changed else errors.UNCHANGED)(name=name), err=True)
    if not Path("/", PLACE).exists():
        click.echo(errors.NO_AGENT(path=Path("/", PLACE)), err=True)


def fencing_text(path: Path | None) -> str:
    """The file's text; empty without a file. Raises UnreadableFencing."""
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise errors.UnreadableFencing(path=path, reason=error) from None


@command.command()
@click.argument("name")
@click.option("--timeout", type=float, default=600, show_default=True, help="Seconds to wait for the stop.")
def remove(name: str, timeout: float) -> None:
    """Stop the logical host NAME in its sequence, then remove it from the Pacemaker cluster of this node."""
    found = registration.remove(definition.check_name(name), timeout)
    click.echo((errors.REMOVED if found else errors.ABSENT)(name=name), err=True)


@command.command("render")
@click.argument("name")
@click.option("--product", required=True, type=click.Choice(sorted(PRODUCTS)), help="The cluster product.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the files into this folder, the same on every node, instead of showing them.",
)
def render_for(name: str, product: str, output: Path | None) -> None:
    """Render the logical host NAME for another cluster product: its control script, and what is to be registered."""
    files = products.render(definition.load(name), product, output.absolute() if output else None)
    for file in files:
        if output:
            file.write()
            click.echo(WROTE(path=file.path), err=True)
        else:
            click.echo(f"# {file.path}\n{file.text}")


@command.group()
def agent() -> None:
    """The OCF resource agent ocf:bansho:suite."""


@agent.command("install")
@click.option(
    "--root", type=click.Path(path_type=Path), default=Path("/"), show_default=True, help="Below this folder."
)
def agent_install(root: Path) -> None:
    """Write the resource agent to /usr/lib/ocf/resource.d/bansho/suite; needed on every node."""
    click.echo(errors.INSTALLED(path=install(root, OUR_COMMANDS), folder=OUR_COMMANDS), err=True)
