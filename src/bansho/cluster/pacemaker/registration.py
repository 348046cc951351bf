"""Registering a logical host with a live Pacemaker cluster, and removing it again."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bansho.cluster.errors import InvalidConfiguration, NoFencing, NotForACluster, StillRunning
from bansho.cluster.model import Model
from bansho.cluster.pacemaker import render
from bansho.cluster.pacemaker.cib import Cib, constraints_on, fencing_problem, load, members, operators_settings, parse

DIFFERENT = 1
"""What `crm_diff` returns when there is a difference."""


class Draft(NamedTuple):
    """The live cluster's configuration and what it is to become, as files."""

    old: Path
    new: Path


@contextmanager
def drafted(model: Model, fencing: str = "") -> Iterator[Draft]:
    """The live configuration with the model in it, and `fencing` (crm configuration text), verified; nothing changes.

    What an operator has set on the resources (stopped, unmanaged) stays. Raises NoFencing, InvalidConfiguration,
    NotForACluster, NotOurs, ToolMissing or ToolFailed.
    """
    live = Cib().query()
    before = parse(live)
    if not fencing:
        require_fencing(model, fencing_problem(before))
    require_all_known(model, members(before, render.group_id(model)))
    with tempfile.TemporaryDirectory(prefix="bansho-") as folder:
        draft = Draft(Path(folder, "old.xml"), Path(folder, "new.xml"))
        draft.old.write_text(live, encoding="utf-8")
        draft.new.write_text(live, encoding="utf-8")
        for text in filter(None, (fencing, render.crm(model))):  # apart: either may set properties
            load(Cib(draft.new), text, Path(folder, "text.crm"))
        for setting in operators_settings(before, [render.group_id(model), *model.start_order]):
            set_meta(Cib(draft.new), setting.resource, setting.name, setting.value)
        require_fencing(model, fencing_problem(parse(Cib(draft.new).query())))
        verify(model, draft.new)
        yield draft


def apply(model: Model, fencing: str = "") -> bool:
    """Brings the model into the cluster in one step; whether anything changed. Raises as `drafted` does."""
    with drafted(model, fencing) as draft:
        return patch(draft.old, draft.new)


def require_fencing(model: Model, problem: str) -> None:
    """Raises NoFencing where there is a problem."""
    if problem:
        raise NoFencing(name=model.name, problem=problem)


def require_all_known(model: Model, registered: list[str]) -> None:
    """Raises NotForACluster where a registered member is no longer defined: it would run on, by itself, anywhere."""
    gone = [each for each in registered if each not in model.start_order]
    if gone:
        problem = f"{', '.join(gone)} is registered and no longer defined; first: bansho cluster remove {model.name}"
        raise NotForACluster(name=model.name, key="suites", problem=problem)


def set_meta(cib: Cib, resource: str, name: str, value: str) -> None:
    """Sets a meta attribute of a resource. Raises ToolFailed."""
    options = ("--meta", "--set-parameter", name, "--parameter-value", value)
    cib.run("crm_resource", "--resource", resource, *options)


def verify(model: Model, file: Path) -> None:
    """Has Pacemaker check a configuration. Raises InvalidConfiguration for errors; warnings are its own business."""
    done = Cib().run("crm_verify", "--verbose", "--xml-file", str(file), accepted=range(256))
    if "Errors found" in done.stderr:
        raise InvalidConfiguration(name=model.name, said=done.stderr.strip())


def patch(old: Path, new: Path) -> bool:
    """Brings the difference between two configurations into the live one; whether there was any. Raises ToolFailed."""
    files = ("--original", str(old), "--new", str(new))
    difference = Cib().run("crm_diff", "--no-version", *files, accepted=(0, DIFFERENT))
    if difference.returncode != DIFFERENT:
        return False
    file = new.with_name("difference.xml")
    file.write_text(difference.stdout, encoding="utf-8")
    Cib().run("cibadmin", "--patch", "--xml-file", str(file))
    return True


def remove(name: str, patience: float) -> bool:
    """Stops the logical host in its sequence within `patience` seconds, then removes it; whether it was there.

    Resources deleted while they run would be stopped in no order. Constraints on them go too, such as those that
    `crm_resource --move` leaves. Raises StillRunning, NotOurs, ToolMissing or ToolFailed.
    """
    registered = members(parse(Cib().query()), name)
    if not registered:
        return False
    set_meta(Cib(), name, "target-role", "Stopped")
    Cib().run("crm_resource", "--wait", f"--timeout={patience:g}s", accepted=range(256), patience=patience + 10)
    for resource in registered:
        if runs(resource):
            raise StillRunning(name=name, resource=resource)
    with tempfile.TemporaryDirectory(prefix="bansho-") as folder:
        old, new = Path(folder, "old.xml"), Path(folder, "new.xml")
        live = Cib().query()
        old.write_text(live, encoding="utf-8")
        new.write_text(live, encoding="utf-8")
        for constraint in constraints_on(parse(live), [name, *registered]):
            Cib(new).run("cibadmin", "--delete", "--force", "--xpath", f"//constraints/*[@id='{constraint}']")
        Cib(new).run("cibadmin", "--delete", "--force", "--xpath", f"//group[@id='{name}']")
        return patch(old, new)


def running(name: str) -> list[str]:
    """The resources of a registered logical host that run, in stop order. Raises NotOurs."""
    return [each for each in members(parse(Cib().query()), name)[::-1] if runs(each)]


def runs(resource: str) -> bool:
    """Whether a resource runs on any node."""
    found = Cib().run("crm_resource", "--resource", resource, "--locate", accepted=range(256))
    return "is running on" in found.stdout
