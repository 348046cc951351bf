"""What a user's choice of faults means: names and groups of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from bansho.drill.errors import UnfitFault, UnknownFault


def selected(names: Iterable[str], unfit: Mapping[str, str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """The faults named, or in a group named, that fit here, in the order of `unfit`; all that fit for none named.

    `unfit`: fault -> why it cannot be struck here; "" where it can. Raises UnknownFault, and UnfitFault for a name that
    would leave nothing.
    """
    wanted: set[str] = set()
    for name in names:
        if name not in groups and name not in unfit:
            raise UnknownFault(name=name, names=", ".join([*groups, *unfit]))
        wanted |= _fitting(name, {each: unfit[each] for each in groups.get(name, [name])})
    return [each for each, reason in unfit.items() if not reason and (not wanted or each in wanted)]


def _fitting(name: str, unfit: Mapping[str, str]) -> set[str]:
    fitting = {each for each, reason in unfit.items() if not reason}
    if not fitting:
        raise UnfitFault(name=name, reason="; ".join(sorted(set(unfit.values()))))
    return fitting
