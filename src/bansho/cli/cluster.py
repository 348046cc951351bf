"""`bansho cluster`: register a logical host with cluster software."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bansho.cli import operation, products
from bansho.cluster import errors, facts, picture
from bansho.cluster import plan as plans
from bansho.cluster import report as reports
from bansho.cluster.install import OUR_COMMANDS, PLACE, install
from bansho.cluster.model import Model
from bansho.cluster.pacemaker import attribute, cib, drift, registration, render, simulate
from bansho.cluster.pacemaker.cib import Cib
from bansho.logicalhost import definition
from bansho.logicalhost.node import identity

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object instead.")
REPORT = click.option(
    "--report", type=click.Path(path_type=Path), help="Write it here too: .md is Markdown beside an .svg, else HTML."
)
FENCING = click.option(
    "--fencing",
    type=click.Path(path_type=Path),
    help="A file of crm configuration text with the fencing devices, to be loaded in the same step.",
)
YES = click.option("--yes", is_flag=True, help="Do not ask before something that runs is stopped.")


@click.group()
def command() -> None:
    """Register a logical host with cluster software, prove the registration, watch and operate it."""


for each in (operation.status, operation.move, operation.maintenance, operation.standby, products.render):
    command.add_command(each)


@command.command()
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "crm"]), default="text", show_default=True)
@AS_JSON
@REPORT
def plan(name: str, form: str, as_json: bool, report: Path | None) -> None:
    """Show what registering the logical host NAME means, before anything changes.

    The resources and their sequence, each time limit and where it comes from, what the cluster does when something
    fails, and whether the numbers fit each other. Exit code 1: they do not.
    """
    made = plans.plan(definition.load(name), fencing_here())
    if report:
        reports.write(reports.of_plan(made, picture.svg(made.model)), report)
    if as_json:
        click.echo(json.dumps(made.as_document()))
    else:
        click.echo(render.crm(made.model) if form == "crm" else plans.as_text(made), nl=False)
    made.require_fit()


def fencing_here() -> str:
    """The fencing devices of the cluster that this node is in, in words."""
    try:
        live = cib.parse(Cib().query())
    except (errors.ToolMissing, errors.ToolFailed):
        return "not known, since this node is in no running cluster; apply refuses without a device"
    return cib.fencing_problem(live) or f"by {', '.join(cib.fencing_devices(live))}"


@command.command()
@click.argument("name")
@click.option("--live", is_flag=True, help="On a copy of this node's cluster, as it runs; else on an imagined one.")
@AS_JSON
@REPORT
def verify(name: str, live: bool, as_json: bool, report: Path | None) -> None:
    """Prove the registration of the logical host NAME by the cluster's own scheduler; nothing changes.

    What it would do after each event is held against the contract: exactly the right resources stop and start, in the
    contract's sequence, by force and not by luck. Exit code 1: something is wrong.
    """
    model = plans.plan(definition.load(name), "").model
    with configuration(model, live) as file:
        registration.verify(model, file)
        proofs = list(simulate.prove(model, file))
    if report:
        reports.write(reports.of_proofs(name, proofs, picture.svg(model)), report)
    if as_json:
        click.echo(json.dumps({"name": name, "live": live, "events": [proof.as_document() for proof in proofs]}))
    else:
        click.echo("\n".join(line for proof in proofs for line in proof.lines()))
    wrong = [proof.event.name for proof in proofs if proof.problems]
    if wrong:
        raise errors.NotProved(name=name, events=", ".join(wrong))


@contextmanager
def configuration(model: Model, live: bool) -> Iterator[Path]:
    """The file of the configuration to verify: the live one with the model in it, or an imagined one."""
    if live:
        with registration.drafted(model) as draft:
            yield draft.new
    else:
        with simulate.imagined(model) as file:
            yield file


@command.command()
@click.argument("name")
@FENCING
@YES
@AS_JSON
def apply(name: str, fencing: Path | None, yes: bool, as_json: bool) -> None:
    """Register the logical host NAME with the Pacemaker cluster of this node, or bring a registration up to date.

    Says first what changes and what the cluster will do then; asks before anything that runs is stopped. Refuses where
    the cluster could not fence a node, or where time limits do not fit. A second call changes nothing.
    """
    made = plans.plan(definition.load(name), "")
    made.require_fit()
    with registration.drafted(made.model, fencing_text(fencing)) as draft:
        found = drift.between(draft.old, draft.new)
        effects = simulate.effects(draft.new) if found else []
        tell(as_json, [each.words() for each in found], [each.words() for each in effects])
        if any(each.operation != "start" for each in effects):
            operation.confirm(f"logical host {name}", [each.words() for each in effects], yes)
        changed = registration.patch(draft.old, draft.new)
    attribute.tell(name)
    if as_json:
        told = [each._asdict() for each in found]
        document = {"name": name, "changed": changed, "changes": told, "effects": [each.words() for each in effects]}
        click.echo(json.dumps(document))
    click.echo((errors.APPLIED if changed else errors.UNCHANGED)(name=name), err=True)
    if not Path("/", PLACE).exists():
        click.echo(errors.NO_AGENT(path=Path("/", PLACE)), err=True)


def tell(silent: bool, changes: list[str], effects: list[str]) -> None:
    """What would change, and what the cluster would do then."""
    if not silent:
        for line in [*changes, *(f"then the cluster will {each}" for each in effects)]:
            click.echo(line)


@command.command()
@click.argument("name")
@FENCING
@AS_JSON
def diff(name: str, fencing: Path | None, as_json: bool) -> None:
    """Compare the plan for NAME with the live cluster, and this node's definition with the other nodes'.

    Shows what apply would change and what the cluster would do then, and what must be the same on every node and is
    not. Exit code 0: no difference; 1: some, or it could not be told.
    """
    model = plans.plan(definition.load(name), "").model
    attribute.tell(name)
    with registration.drafted(model, fencing_text(fencing)) as draft:
        found = drift.between(draft.old, draft.new)
        effects = [each.words() for each in simulate.effects(draft.new)] if found else []
        told = attribute.told(cib.parse(draft.old.read_text(encoding="utf-8")), name)
    nodes = facts.compare(model.nodes, identity().node, facts.of_this_node(name), told)
    if as_json:
        document = {"name": name, "changes": [each._asdict() for each in found], "effects": effects, "nodes": nodes}
        click.echo(json.dumps(document))
    else:
        tell(False, [each.words() for each in found], effects)
        click.echo("\n".join(nodes) or f"the same on {', '.join(model.nodes)}")
    if found or nodes:
        raise errors.Differs(name=name, changes=len(found), nodes=len(nodes))


def fencing_text(path: Path | None) -> str:
    """The file's text; empty without a file. Raises UnreadableFencing."""
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise errors.UnreadableFencing(path=path, reason=error) from None


@command.command()
@click.argument("name")
@operation.TIMEOUT
@YES
@AS_JSON
def remove(name: str, timeout: float, yes: bool, as_json: bool) -> None:
    """Stop the logical host NAME in its sequence, then remove it from the Pacemaker cluster of this node."""
    running = registration.running(definition.check_name(name))
    if running:
        operation.confirm(f"logical host {name}", [f"stop {each}" for each in running], yes)
    found = registration.remove(name, timeout)
    if as_json:
        click.echo(json.dumps({"name": name, "stopped": running, "removed": found}))
    click.echo((errors.REMOVED if found else errors.ABSENT)(name=name), err=True)


@command.group()
def agent() -> None:
    """The OCF resource agent ocf:bansho:suite."""


@agent.command("install")
@click.option(
    "--root", type=click.Path(path_type=Path), default=Path("/"), show_default=True, help="Below this folder."
)
@AS_JSON
def agent_install(root: Path, as_json: bool) -> None:
    """Write the resource agent to /usr/lib/ocf/resource.d/bansho/suite; needed on every node."""
    path = install(root, OUR_COMMANDS)
    if as_json:
        click.echo(json.dumps({"path": str(path), "commands": str(OUR_COMMANDS)}))
    click.echo(errors.INSTALLED(path=path, folder=OUR_COMMANDS), err=True)
