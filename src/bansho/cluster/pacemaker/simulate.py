"""What Pacemaker's own scheduler would do after an event: `crm_simulate` on a copy of a configuration."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bansho.cluster.errors import NotSettled
from bansho.cluster.model import Model
from bansho.cluster.pacemaker import event, render, sequence, status, transition
from bansho.cluster.pacemaker.cib import Cib, load, parse
from bansho.cluster.pacemaker.event import Event
from bansho.cluster.pacemaker.transition import Action, Transition

SETTLES_WITHIN = 5
"""Transitions after which a configuration has nothing left to do, or never will."""


class Proof(NamedTuple):
    """What the scheduler would do after one event, and what of it is wrong."""

    event: Event
    transition: Transition
    problems: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """For a person at a terminal."""
        yield f"{'WRONG' if self.problems else 'right'}  {self.event.name}: {self.event.expected.words()}"
        yield from (f"    {number}. {action.words()}" for number, action in enumerate(self.transition.actions, 1))
        yield from (f"    wrong: {problem}" for problem in self.problems)

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "event": self.event.name,
            "expected": self.event.expected.words(),
            "actions": [action.words() for action in self.transition.actions],
            "problems": self.problems,
        }


class Copy(NamedTuple):
    """The file of a copy, whose state changes with what is simulated on it."""

    file: Path

    def simulate(self, homes: dict[str, str], options: Sequence[str] = ()) -> Transition:
        """Lets events happen; what the cluster does about them. The file is the state afterwards. Raises ToolFailed."""
        graph = self.file.with_suffix(".graph")
        files = ("--xml-file", str(self.file), "--save-output", str(self.file), "--save-graph", str(graph))
        Cib().run("crm_simulate", "--simulate", "--quiet", *files, *options)
        return transition.read(parse(graph.read_text(encoding="utf-8")), homes)

    def homes(self, resources: Sequence[str]) -> dict[str, str]:
        """Where each resource runs; empty for nowhere. Raises ToolFailed."""
        return status.homes(status.look(Cib(self.file)), resources)

    def online(self) -> list[str]:
        """The nodes that could run something. Raises ToolFailed."""
        found = status.look(Cib(self.file))
        nodes = found.findall("nodes/node[@online='true'][@standby='false'][@maintenance='false']")
        return [node.get("name", "") for node in nodes]

    def settle(self, model: Model) -> dict[str, str]:
        """Lets the cluster do what it has to do already; where each then runs. Raises NotSettled or ToolFailed."""
        for _ in range(SETTLES_WITHIN):
            if not self.simulate(dict.fromkeys(model.start_order, "")).actions:
                break
        found = self.homes(model.start_order)
        if len(set(found.values())) != 1 or "" in found.values():
            where = ", ".join(f"{each}: {node or 'nowhere'}" for each, node in found.items())
            raise NotSettled(name=model.name, where=where)
        return found


def effects(before: Path) -> list[Action]:
    """What the cluster will do once the configuration in a file is its own, in order. Raises ToolFailed."""
    with tempfile.TemporaryDirectory(prefix="bansho-") as folder:
        copy = Copy(Path(folder, "cib.xml"))
        copy.file.write_bytes(before.read_bytes())
        resources = [each.get("id", "") for each in parse(copy.file.read_text(encoding="utf-8")).iter("primitive")]
        found = copy.simulate(copy.homes(resources))
        return [action for action in found.actions if action.operation != "probe"]


@contextmanager
def imagined(model: Model) -> Iterator[Path]:
    """The file of a cluster of the model's nodes, all up, with a fencing device and this logical host alone."""
    with tempfile.TemporaryDirectory(prefix="bansho-") as folder:
        file = Path(folder, "cib.xml")
        file.write_text(Cib().run("cibadmin", "--empty").stdout, encoding="utf-8")
        nodes = [f"node {number}: {node}" for number, node in enumerate(model.nodes, 1)]
        device = f'primitive fence stonith:fence_legacy params pcmk_host_list="{" ".join(model.nodes)}" plugin=null'
        text = "\n".join([*nodes, device, render.crm(model)])
        load(Cib(file), text, Path(folder, "text.crm"))
        up = [f"--node-up={node}" for node in model.nodes]
        Copy(file).simulate({}, ["--quorum=true", *up])
        yield file


def prove(model: Model, file: Path) -> Iterator[Proof]:
    """Every event on the configuration and state in `file`, each from the same beginning.

    Raises NotSettled, ToolMissing or ToolFailed.
    """
    with tempfile.TemporaryDirectory(prefix="bansho-") as folder:
        copy = Copy(Path(folder, "cib.xml"))
        copy.file.write_bytes(file.read_bytes())
        copy.settle(model)
        settled = copy.file.read_bytes()
        home = copy.homes(model.start_order)[model.start_order[0]]
        others = [node for node in copy.online() if node in model.nodes and node != home]
        standby = others[0] if others else next(node for node in model.nodes if node != home)
        for each in event.events(model, home, standby):
            copy.file.write_bytes(settled)
            yield _prove(model, copy, each, standby)


def _prove(model: Model, copy: Copy, each: Event, standby: str) -> Proof:
    home = copy.homes(model.start_order)[model.start_order[0]]
    for program, *arguments in each.steps:
        before = copy.homes(model.start_order)
        if program == event.SIMULATE:
            found = copy.simulate(before, arguments)
        else:
            Cib(copy.file).run(program, *arguments)
    wrong = [*event.unmet(each.expected, found, home, standby), *sequence.problems(model, found, before)]
    return Proof(each, found, tuple(wrong))
