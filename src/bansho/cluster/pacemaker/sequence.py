"""The sequence of CONTRACT 2, held against a transition. Pure.

Two looks at it: every order that the contract demands must be one that the graph forces, and a replay of the actions
must never start something without what it needs, stop something under what still needs it, or have two owners.
"""

from collections.abc import Iterable, Iterator, Mapping

from bansho.cluster.model import Model
from bansho.cluster.pacemaker.transition import Action, Transition


def problems(model: Model, transition: Transition, homes: Mapping[str, str]) -> list[str]:
    """What is wrong with a transition that begins with each resource at its home; sentences, none when all is well."""
    return [*_not_forced(model, transition, homes), *replay(model, transition.actions, homes)]


def _not_forced(model: Model, transition: Transition, homes: Mapping[str, str]) -> Iterator[str]:
    for first, then in demanded(model, transition, homes):
        if first not in transition.waits_for[then]:
            yield f"nothing makes '{then.words()}' wait for '{first.words()}'"


def demanded(model: Model, transition: Transition, homes: Mapping[str, str]) -> Iterator[tuple[Action, Action]]:
    """(first, then): the orders that the contract demands of these actions."""
    rank = {each: number for number, each in enumerate(model.start_order)}
    starts, stops = transition.of("start"), transition.of("stop")
    for then in starts:
        yield from ((first, then) for first in starts if rank[first.resource] < rank[then.resource])
        yield from ((first, then) for first in stops if first.resource == then.resource)
        yield from ((first, then) for first in transition.of("fence") if first.node == homes[then.resource])
    for then in stops:
        yield from ((first, then) for first in stops if rank[first.resource] > rank[then.resource])


def replay(model: Model, actions: Iterable[Action], homes: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with actions done one after the other, beginning with each resource at its home; as sentences."""
    runs = {each: homes[each] for each in model.start_order if homes[each]}
    for action in actions:
        if action.operation == "fence":
            runs = {each: node for each, node in runs.items() if node != action.node}
        elif action.operation == "stop":
            above = [each for each in _above(model, action.resource) if each in runs and not action.implied]
            yield from (f"'{action.words()}' while {each} runs" for each in above)
            runs.pop(action.resource, None)
        elif action.operation == "start":
            lacking = [each for each in _below(model, action.resource) if runs.get(each) != action.node]
            yield from (f"'{action.words()}' without {each} there" for each in lacking)
            if action.resource in runs:
                yield f"'{action.words()}' while it runs on {runs[action.resource]}"
            runs[action.resource] = action.node


def _above(model: Model, resource: str) -> list[str]:
    return model.start_order[model.start_order.index(resource) + 1 :]


def _below(model: Model, resource: str) -> list[str]:
    return model.start_order[: model.start_order.index(resource)]
