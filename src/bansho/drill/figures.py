"""The shape of the track record's figures: plain data in which every number adds up and every list is joined.

So reports merge in any number and in any portions, and a file of figures can be summed up again with further reports.
"""

from typing import Any, TypedDict

import msgspec

Figures = dict[str, Any]
"""As `_Figures`, as plain data."""


class _Conditions(TypedDict):
    """As `conditions.Conditions`."""

    processors: int
    model: str
    memory: int
    kernel: str
    python: str
    bansho: str
    packages: dict[str, str]
    load: tuple[float, float, float]


class _CampaignRun(TypedDict):
    seed: int
    rounds: int
    at_once: int


class _Fault(TypedDict):
    rounds: int
    kept: int
    seen: int
    times: list[float]
    silences: list[float]


class _Invariant(TypedDict):
    holds: str
    judged: int
    violated: int


class _Campaign(TypedDict):
    runs: list[_CampaignRun]
    conditions: list[_Conditions]
    rounds: int
    clean: int
    faults: dict[str, _Fault]
    invariants: dict[str, _Invariant]
    violations: list[str]
    events: dict[str, int]


class _ComparisonRun(TypedDict):
    seed: int
    rounds: int
    trials: int


_Times = dict[str, dict[str, list[float]]]
"""Fault -> contender -> seconds."""


class _Measures(TypedDict):
    silence: _Times
    reached: _Times
    running: _Times


_Comparison = TypedDict(
    "_Comparison",
    {
        "runs": list[_ComparisonRun],
        "conditions": list[_Conditions],
        "times": _Measures,
        "failed": list[str],
        "second owners": list[str],
        "events": dict[str, dict[str, int]],
        "configurations": dict[str, str],
    },
)


class _Done(TypedDict):
    """As `endurance.Done`."""

    name: str
    every: float
    wanted: int
    made: int
    hours: float
    values: dict[str, int]
    median: float
    longest: float


class _Growth(TypedDict):
    """As `growth.Growth`."""

    first: float
    last: float
    slopes: tuple[float, float]
    grown: float
    tolerated: float
    leaks: bool


class _EnduranceSettings(TypedDict):
    """As `endurance.Settings`."""

    hours: float
    minutes: float
    load: float
    restarts: int
    nodes: int


class _Endurance(TypedDict):
    settings: _EnduranceSettings
    conditions: _Conditions
    done: list[_Done]
    restarts: list[float]
    events: dict[str, int]
    growth: dict[str, _Growth]
    problems: list[str]
    clean: bool


class _Figures(TypedDict):
    """`campaigns` and `comparisons` by the number of nodes."""

    campaigns: dict[str, _Campaign]
    comparisons: dict[str, _Comparison]
    endurance: list[_Endurance]


def checked(found: Figures) -> Figures:
    """The figures, without what is none of them. Raises msgspec.ValidationError where they have another shape."""
    plain: Figures = msgspec.to_builtins(msgspec.convert(found, _Figures))
    return plain
