"""Under load: nothing that was acknowledged is lost or doubled, whatever happens to the active node."""

import time

import pytest

from bansho.drill import legs, takeover
from bansho.drill.stage import Stage, wait
from bansho.drill.takeover import settled_tally

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(240)]


def test_power_loss_under_load_loses_and_doubles_nothing(settled: Stage) -> None:
    report = takeover.power_loss(settled, rate=200, source="power")
    assert report.clean, report.as_text()
    assert report.successor != report.victim
    assert [leg.name for leg in report.legs] == list(legs.WAITS_FOR)


def test_a_cut_cable_is_fenced_and_taken_over_without_loss(settled: Stage) -> None:
    sender = settled.send(100, source="cable")
    try:
        wait("some events", lambda: len(sender.ledger().acknowledged) > 100)
        victim = settled.wait_up()
        before = time.time()
        victim.cable("cut")
        cut = time.time()
        settled.wait_up(elsewhere_than=victim.name)
        wait("an event after the cut", lambda: sender.acknowledged_after(cut) is not None)
    finally:
        sender.stop()
    fenced = [entry.by for entry in settled.lab.power_log() if entry.node == victim.name and entry.wall > before]
    assert set(fenced) & set(settled.lab.spec.nodes)
    found = settled_tally(settled, sender, "cable")
    assert found.clean, found
