"""A short campaign of a fixed seed on real nodes; and a product that is broken on purpose, which it must notice."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from bansho.drill import campaign, census, report
from bansho.drill.campaign import Result, Settings
from bansho.drill.census import Remains
from bansho.drill.faults import Fault, Scene, chosen
from bansho.drill.round import PORTS
from bansho.drill.stage import HOST, Stage, run

DELETE = f"""
import psycopg
from bansho.database.connection import conninfo
from bansho.logicalhost.definition import load
with psycopg.connect(conninfo(load("{HOST}"))) as connection:
    connection.execute("delete from event where serial in (select serial from event order by serial desc limit 3)")
"""

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(600)]


def settings(*faults: str) -> Settings:
    return Settings(seed=3, rounds=len(faults), faults=faults)


class LoseEvents(Fault):
    """Deletes events from the IM database behind the product's back, and leaves things: what audits are for."""

    name, what = "lose-events", "acknowledged events deleted from the IM database; a mount and a file left"
    hold = 0.0
    seen: Remains | None = None
    """What the look for remains finds where everything runs: it must not be blind."""

    def strike(self, scene: Scene) -> None:
        self.seen = census.remains(scene.stage.lab, scene.victim, PORTS)
        run(scene.victim, "delete events", [sys.executable, "-c", DELETE])
        run(scene.victim, "leave something", ["sh", "-c", "mount -t tmpfs leak /mnt && touch /tmp/leak"])
        self.findings = ["planted"]


WHOLE = ("power-loss", "disk-unmounted", "kill-postgres-in-commit", "base-stop-cut-short")
"""One of each: power, disk, database, and the contract's commands."""
PAIR = ("kill-imdb", "standby-power-loss")


def test_a_short_campaign_keeps_every_invariant_and_then_notices_what_is_lost_on_purpose(
    standing: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "stage", lambda name, nodes: nullcontext(standing))
    wanted, planted = settings(*WHOLE, "lose-events"), LoseEvents()
    faults = [*chosen(WHOLE, wanted.nodes), planted]
    results = list(campaign.run(wanted._replace(keep_going=True), faults, tmp_path))
    for node in standing.lab.nodes:
        node.run(["sh", "-c", "umount /mnt; rm -f /tmp/leak"])
    report.write(wanted, results, tmp_path)
    assert sorted(each.fault for each in results) == sorted(wanted.faults)
    for each in results:
        if each.fault != "lose-events":
            kept(each)
    assert planted.seen
    assert all(planted.seen), planted.seen
    assert set(planted.seen.ports) == set(PORTS)
    lost = next(each for each in results if each.fault == "lose-events")
    assert lost.error == ""
    assert {audit for audit, found in lost.verdicts.items() if found} == {"I9", "I14", "D1"}, lost.verdicts
    look_into(lost, tmp_path)
    assert not json.loads((tmp_path / "report.json").read_text())["clean"]
    took = next(each for each in results if each.fault == "power-loss")
    assert {"fenced", "disk", "lease", "base", "manager", "first event"} <= {leg.name for leg in took.legs}


def test_two_faults_at_once_keep_every_invariant(
    standing: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "stage", lambda name, nodes: nullcontext(standing))
    wanted = settings(*PAIR)._replace(rounds=1, at_once=2)
    (result,) = campaign.run(wanted, chosen(PAIR, wanted.nodes), tmp_path)
    assert result.fault == " + ".join(PAIR)
    kept(result)


def kept(result: Result) -> None:
    broken = {audit: found for audit, found in result.verdicts.items() if found}
    assert result.error == ""
    assert result.noticed, result.fault
    assert broken == {}, result.fault


def look_into(lost: Result, folder: Path) -> None:
    """What is kept of the violation, and of nothing else."""
    there = folder / f"round-{lost.number}"
    assert (there / "timeline.txt").read_text().count("FAULT: lose-events") == 1
    found = json.loads((there / "verdicts.json").read_text())
    assert found["I9"]
    assert {each.partition(": ")[2].split()[-1] for each in found["I14"]} >= {"round", "leak"}
    assert list((there / lost.successor).rglob("pacemaker.log"))
    assert [path.name for path in folder.glob("round-*")] == [there.name]
