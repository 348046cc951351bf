"""The sequence of CONTRACT 2, what a definition has to say for a cluster, and time limits that can be argued about."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.cluster.conftest import DEFINITION

from bansho.cluster import timing
from bansho.cluster.agent.parameters import read
from bansho.cluster.errors import NotForACluster
from bansho.cluster.model import Kind, Model, model, patience, polled, wait
from bansho.cluster.pacemaker.render import crm
from bansho.cluster.timing import Patience
from bansho.contract import limits
from bansho.logicalhost.definition import parse


def of(text: str) -> Model:
    return model(parse(text, Path("watch.toml")))


def test_the_sequence_is_the_contracts(definition: str) -> None:
    found = of(definition)
    assert [each.kind for each in found.resources] == [Kind.DISK, Kind.ADDRESS, Kind.SUITE, Kind.SUITE]
    assert found.start_order == ["watch-disk", "watch-address", "watch-base", "watch-manager"]
    assert found.stop_order == ["watch-manager", "watch-base", "watch-address", "watch-disk"]


def test_base_alone_can_be_a_logical_host(definition: str) -> None:
    assert of('suites = ["base"]\n' + definition).start_order == ["watch-disk", "watch-address", "watch-base"]


def test_only_the_suite_that_stops_last_has_to_release_the_disk(definition: str) -> None:
    parameters = {each.id: each.parameters for each in of(definition).resources}
    assert parameters["watch-base"]["releases_disk"] == "true"
    assert "releases_disk" not in parameters["watch-manager"]


def test_the_database_is_monitored_with_manager_where_there_is_one(definition: str) -> None:
    with_it, without = of(definition), of(definition + "database = false\n")
    assert [each.id for each in with_it.resources if "database" in each.parameters] == ["watch-manager"]
    assert not [each.id for each in without.resources if "database" in each.parameters]
    assert with_it.resources[3].limits["monitor"].seconds > without.resources[3].limits["monitor"].seconds


def test_a_limit_that_the_definition_names_is_the_clusters(definition: str) -> None:
    base = of(definition + "[cluster.limits]\nstart = 300\n").resources[2]
    assert (base.limits["start"].seconds, base.limits["stop"].seconds) == (300, 154)
    assert base.limits["start"].why == "the definition's cluster.limits.start"


def test_each_suite_has_its_own_folder_of_commands(definition: str) -> None:
    text = definition + 'base-commands = "/opt/jp1base/bin:/etc/opt/jp1base"\n'
    parameters = {each.id: each.parameters for each in of(text).resources}
    assert parameters["watch-base"]["commands"] == "/opt/jp1base/bin:/etc/opt/jp1base"
    assert "commands" not in parameters["watch-manager"]


def test_only_our_own_suites_are_looked_at_before_python_looks(definition: str) -> None:
    resources = of(definition + 'base-commands = "/opt/jp1base/bin"\n').resources
    looked = [each.id for each in resources if "first look" in each.limits["monitor"].why]
    assert looked == ["watch-manager"]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('name = "watch"', 'name = "watch"\nkind = "physical"', "kind"),
        ("[cluster]", "[cluster]\npush = false\nmonitor-interval = 300", "cluster.deep-interval"),
        ("[cluster]", "[cluster]\ndeep-interval = 0.2", "cluster.deep-interval"),
        ('name = "watch"', 'name = "1watch"', "name"),
        ('[disk]\ndevice = "/dev/disk/by-label/watch"\nmount-point = "/srv/watch"\n', "", "disk"),
        ('address = "192.0.2.10/24"\n', "", "address"),
        ("192.0.2.10/24", "127.0.0.2/8", "address"),
        ("192.0.2.10/24", "0.0.0.0", "address"),
        ('nodes = ["n1", "n2", "n3"]\n', "", "cluster.nodes"),
        ('["n1", "n2", "n3"]', '["n1"]', "cluster.nodes"),
        ('["n1", "n2", "n3"]', '["n1", "n1"]', "cluster.nodes"),
        ('["n1", "n2", "n3"]', '["n1", "n2 or true"]', "cluster.nodes"),
        ('name = "watch"', 'name = "watch"\nsuites = ["base", "web"]', "suites"),
        ('name = "watch"', 'name = "watch"\nsuites = ["manager", "base"]', "suites"),
    ],
)
def test_what_a_cluster_cannot_use_is_named(definition: str, old: str, new: str, key: str) -> None:
    assert old in definition
    with pytest.raises(NotForACluster, match=rf"BSHO6001-E logical host \w+: {re.escape(key)}: "):
        of(definition.replace(old, new))


SECONDS = st.integers(1, limits.STATUS_MAXIMUM * 1000).map(lambda thousandths: thousandths / 1000)
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "monitor-interval": SECONDS,
        "retry-interval": SECONDS,
        "failure-window": SECONDS,
        "retries": st.integers(0, 99),
        "status-timeout": st.integers(1, 600),
        "push": st.booleans(),
        "database": st.booleans(),
        "base-commands": st.just("/opt/jp1base/bin"),
    },
)


@given(KEYS)
@example({"monitor-interval": 12345.678, "retry-interval": 0.001})
def test_whatever_a_definition_says_the_agent_reads_as_it_was_meant(keys: dict[str, Any]) -> None:
    text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items())
    host = parse(f"{DEFINITION}{text}", Path("watch.toml"))
    for resource in model(host).resources[2:]:
        told = read({f"OCF_RESKEY_{name}": value for name, value in resource.parameters.items()})
        assert told.patience == patience(host, told.suite)
        assert told.wait == wait(host, told.suite)


@pytest.mark.parametrize(("seconds", "told"), [(3600, "3600s"), (0.5, "500ms"), (12345.678, "12345678ms")])
def test_pacemaker_is_told_the_failure_window_in_what_it_reads(definition: str, seconds: float, told: str) -> None:
    """A number with a fraction it would cut: failures would be kept for ever, or for less."""
    assert f'failure-timeout="{told}"' in crm(of(f"{definition}failure-window = {seconds}\n"))


def test_intervals_that_are_alike_by_name_alone_are_no_mistake(definition: str) -> None:
    of(definition + "monitor-interval = 300\n")
    of(definition + "push = false\nmonitor-interval = 300\ndeep-interval = 0\n")
    commands = 'base-commands = "/opt/jp1base/bin"\nmanager-commands = "/opt/jp1cons/bin"\n'
    of(f"{definition}{commands}monitor-interval = 300\n")
    model(polled(parse(definition + "push = false\nmonitor-interval = 300\n", Path("watch.toml"))))


patiences = st.builds(
    Patience,
    retries=st.integers(0, 99),
    retry_interval=st.floats(0.01, 600),
    status_timeout=st.floats(1, 600),
    database=st.booleans(),
)
suite_limits = st.floats(1, limits.STATUS_MAXIMUM)


def worst_monitoring(patience: Patience) -> float:
    """Every answer as late as it can be, each retried as often as specified, the last one decides."""
    seconds = 0.0
    for _ in range(2 if patience.database else 1):
        for attempt in range(patience.retries + 1):
            seconds += patience.status_timeout + limits.RETURN_SLACK
            seconds += patience.retry_interval if attempt < patience.retries else 0
    return seconds


@given(suite_limits, patiences)
def test_the_clusters_limits_hold_the_worst_case(suite_limit: float, patience: Patience) -> None:
    monitoring = worst_monitoring(patience)
    start, stop = timing.start(suite_limit, patience), timing.stop(suite_limit, patience)
    assert timing.own_limit(timing.monitor(patience).seconds) >= monitoring - 1e-6
    ours = timing.monitor(patience, wait=suite_limit, short_way=True)
    assert timing.own_limit(ours.seconds) >= suite_limit + patience.look + monitoring - 1e-6
    assert timing.own_limit(start.seconds) >= suite_limit + limits.RETURN_SLACK + monitoring - 1e-6
    forced = timing.FORCED_TERMINATION
    assert timing.own_limit(stop.seconds) >= suite_limit + limits.RETURN_SLACK + forced + monitoring - 1e-6


@given(suite_limits, patiences)
def test_the_start_and_stop_commands_get_their_own_limit_of_it(suite_limit: float, patience: Patience) -> None:
    left = timing.own_limit(timing.start(suite_limit, patience).seconds) - patience.look
    assert timing.share(left, patience.look) >= suite_limit
    left = timing.own_limit(timing.stop(suite_limit, patience).seconds) - patience.look
    assert timing.share(left, timing.FORCED_TERMINATION + patience.monitoring) >= suite_limit


@given(suite_limits, patiences)
def test_a_derivation_adds_up(suite_limit: float, patience: Patience) -> None:
    for limit in (
        timing.start(suite_limit, patience),
        timing.stop(suite_limit, patience),
        timing.monitor(patience),
        timing.monitor(patience, wait=suite_limit, short_way=True),
    ):
        terms = [float(term.rpartition(" ")[2]) for term in limit.why.split(" + ")]
        assert sum(terms) == pytest.approx(limit.seconds, abs=1, rel=1e-4)


def test_a_derivation_in_words(definition: str) -> None:
    start = of(definition).resources[2].limits["start"]
    assert str(start.seconds) == "124"
    assert start.why == (
        "first look 11 + start limit 60 + its slack 1 + monitoring (4 answers in 11, 3 pauses of 1) 47 + margin 5"
    )
