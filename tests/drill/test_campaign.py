"""A short campaign of a fixed seed on real nodes; and a product that is broken on purpose, which it must notice."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from bansho.drill import campaign, census, report
from bansho.drill.campaign import Settings
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

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(300)]


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


def test_a_short_campaign_keeps_every_invariant_and_then_notices_what_is_lost_on_purpose(
    standing: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "stage", lambda name, nodes: nullcontext(standing))
    wanted, planted = settings("power-loss", "lose-events"), LoseEvents()
    faults = [*chosen(wanted.faults[:1], wanted.nodes), planted]
    results = list(campaign.run(wanted._replace(keep_going=True), faults, tmp_path))
    for node in standing.lab.nodes:
        node.run(["sh", "-c", "umount /mnt; rm -f /tmp/leak"])
    report.write(wanted, results, tmp_path)
    assert sorted(each.fault for each in results) == sorted(wanted.faults)
    for each in results:
        broken = {audit: found for audit, found in each.verdicts.items() if found}
        assert each.error == ""
        assert each.noticed or each.fault == "lose-events"
        assert set(broken) == ({"I9", "I14", "D1"} if each.fault == "lose-events" else set()), broken
    assert planted.seen
    assert all(planted.seen), planted.seen
    assert set(planted.seen.ports) == set(PORTS)
    lost = next(each for each in results if each.fault == "lose-events")
    kept = tmp_path / f"round-{lost.number}"
    assert (kept / "timeline.txt").read_text().count("FAULT: lose-events") == 1
    found = json.loads((kept / "verdicts.json").read_text())
    assert found["I9"]
    assert {each.partition(": ")[2].split()[-1] for each in found["I14"]} >= {"round", "leak"}
    assert list((kept / lost.successor).rglob("pacemaker.log"))
    assert [path.name for path in tmp_path.glob("round-*")] == [kept.name]
    assert not json.loads((tmp_path / "report.json").read_text())["clean"]
