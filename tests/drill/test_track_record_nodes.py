"""On real nodes, briefly: an endurance run that must notice a planted leak, then a comparison of one fault."""

from pathlib import Path

import pytest

from bansho.drill import comparison, endurance
from bansho.drill.comparison import CONTENDERS, Turns
from bansho.drill.endurance import HOUR, WORK, Work
from bansho.drill.stage import Stage

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(300)]
LEAK = Work("a leak planted in /run", HOUR / 10_000, ["mktemp", "/run/leak.XXXXXX"], 4)
SHORT = endurance.Settings(hours=0.02, minutes=0.25, load=0, restarts=1)


def test_a_short_endurance_run_does_all_the_work_and_notices_what_leaks(standing: Stage) -> None:
    standing.settle()
    work = [each for each in WORK if each.every < HOUR]
    for minutes in (0.25, 1.0):  # a busy machine needs longer for as many looks
        result = endurance.endure(standing, SHORT._replace(minutes=minutes), [*work, LEAK])
        if endurance.TOO_FEW not in result.problems:
            break
    node = standing.wait_up().name
    grown = [problem for problem in result.problems if "grow" in problem]
    assert [problem for problem in grown if f"files of {node}" in problem]
    assert [problem for problem in result.problems if problem not in grown] == []
    assert {each.name for each in result.done if set(each.values) == {"0"}} == {each.name for each in [*work, LEAK]}
    assert result.tally.clean
    roles = {series.of for series in result.samples if series.measure == "own memory"}
    assert {"base: process manager", "base: guardian", "base: event-service", "manager: postmaster"} <= roles
    assert len(result.restarts) == 1


def test_both_contenders_come_back_from_a_stop_on_the_same_nodes_and_lose_nothing(
    standing: Stage, tmp_path: Path
) -> None:
    settings = comparison.Settings(1, 1, ("stop",))
    turns = Turns(standing)
    trials = [comparison.trial(turns, 1, "stop", name, settings, tmp_path) for name in ("pgsql", "bansho")]
    shown = turns.on.configuration()
    assert [each.contender for each in trials] == ["pgsql", "bansho"]
    assert {each.contender for each in trials} == set(CONTENDERS)
    for each in trials:
        assert each.error == ""
        assert each.tally.clean, each
        assert each.silence is not None
        assert each.running is not None
    assert "ocf:bansho:suite" in shown.replace(" suite ", " ocf:bansho:suite ")
    assert "pgsql" not in shown
