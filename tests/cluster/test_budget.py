"""Numbers that contradict each other are found before anything is registered, and the one to change is named."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.cluster import budget
from bansho.cluster.budget import Entry
from bansho.cluster.model import derived, model
from bansho.logicalhost.definition import LogicalHost, parse
from bansho.process import definition as processes
from bansho.process.definition import Suite

EXAMPLE = Path(__file__).parents[2] / "docs/definition.md"


def host(definition: str, keys: str = "") -> LogicalHost:
    return parse(definition + keys, Path("watch.toml"))


def suites(of: LogicalHost) -> dict[str, Suite]:
    """Our own suites, as `bansho setup` writes them."""
    found = {}
    for name in of.suites:
        text = resources.files(f"bansho.{name}").joinpath("suite.toml").read_text()
        found[name] = processes.complete(processes.parse(text, Path(name), name, logical=True), of)
    return found


def unmet(of: LogicalHost) -> Iterator[Entry]:
    return (entry for entry in budget.entries(of, model(of), suites(of)) if not entry.fits)


def test_the_defaults_fit_our_own_suites(definition: str) -> None:
    assert list(unmet(host(definition))) == []


@pytest.mark.parametrize(
    ("keys", "subject", "change"),
    [
        ("[cluster.limits]\nmonitor = 130", "watch-manager monitor", "raise cluster.limits.monitor to 131"),
        ("[cluster.limits]\nstart = 123", "watch-base start", "raise cluster.limits.start to 124"),
        ("[cluster.limits]\nstop = 211", "watch-manager stop", "raise cluster.limits.stop to 212"),
        (
            "[cluster.limits]\ndeep-monitor = 118",
            "watch-manager deep-monitor",
            "raise cluster.limits.deep-monitor to 119",
        ),
        ("failure-window = 572", "watch failure window", "raise cluster.failure-window to 573"),
        ("[limits]\nstart = 24", "watch-manager services' start", "raise limits.start by 1,"),
        ("[limits]\nservice-start = 109", "watch-base services' start", "raise limits.start by 1,"),
        ("[limits]\nservice-stop = 62", "watch-base services' stop", "raise limits.stop by 1,"),
    ],
)
def test_what_does_not_fit_names_the_number_to_change(definition: str, keys: str, subject: str, change: str) -> None:
    found = {entry.subject: entry.change for entry in unmet(host(definition, keys))}
    assert found[subject].startswith(change)


def test_the_limits_in_the_documentation_are_the_derived_ones() -> None:
    _, _, rest = EXAMPLE.read_text().partition("```toml\n")
    shown = parse(rest.partition("```")[0], Path("watch.toml"))
    needed = [derived(shown, suite) for suite in shown.suites]
    assert msgspec.structs.asdict(shown.cluster.limits) == {
        operation: max(each[operation].seconds for each in needed) for operation in needed[0]
    }
    assert all(entry.fits for entry in budget.entries(shown, model(shown), suites(shown)))


@pytest.mark.parametrize(("restarts", "window", "fits"), [(10, 573, True), (99, 572, False), (0, 1, True)])
def test_failures_counted_from_the_last_one_on_need_one_round(
    definition: str, restarts: int, window: int, fits: bool
) -> None:
    of = model(host(definition, f"restarts = {restarts}\nfailure-window = {window}"))
    assert budget.since_last_failure(of).fits == fits


def test_failures_counted_from_the_first_one_on_need_every_round_of_the_whole_host(definition: str) -> None:
    of = model(host(definition, "restarts = 10\nfailure-window = 8859"))
    asked = budget.since_first_failure(of)
    whole = 10 + sum(each.limits[key].seconds for each in of.resources[2:] for key in ("start", "stop", "monitor"))
    assert asked.needed == 10 * whole
    assert asked.change.startswith(f"raise cluster.failure-window to {10 * whole:g}")
    assert not asked.fits
    assert asked in budget.entries(host(definition), of, {}, budget.since_first_failure)


def test_the_longest_chain_of_services_counts_not_their_sum(definition: str) -> None:
    chain = budget.chain(suites(host(definition))["manager"], "start")
    assert chain.services[0] == "imdb"
    assert (len(chain.services), chain.seconds) == (2, 120)
    assert budget.chain(suites(host(definition))["manager"], "stop").seconds == 50


seconds = st.integers(1, 600)


@given(start=seconds, stop=seconds, status=seconds, retries=st.integers(0, 20))
def test_limits_that_are_derived_always_fit(start: int, stop: int, status: int, retries: int) -> None:
    text = f"""\
name = "watch"
shared-directory = "/srv/watch/shared"
address = "192.0.2.10/24"
[disk]
device = "/dev/d"
mount-point = "/srv/watch"
[limits]
start = {start}
stop = {stop}
[cluster]
nodes = ["n1", "n2"]
status-timeout = {status}
retries = {retries}
restarts = 0
"""
    of = host(text)
    assert all(entry.fits for entry in budget.entries(of, model(of), {}))
