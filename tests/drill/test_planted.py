"""The audits notice a product that is broken on purpose; docs/drill.md tells what is broken for each invariant.

Breaks that show in one and the same round are planted together; with BANSHO_PLANTED=all (`scripts/drill --planted`)
each is planted in a round of its own, those that need minutes too.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.drill.planted import MOVE, PACKAGE, ROWS, Planted, Row

from bansho.drill import campaign
from bansho.drill.audits import AUDITS
from bansho.drill.round import Round
from bansho.drill.stage import Stage

CHECKOUT = Path(__file__).parents[2]
ALONE = [[row] for row in ROWS]
TOGETHER = [[row for row in ROWS if row.fault is MOVE]]
ROUNDS = ALONE if os.environ.get("BANSHO_PLANTED") == "all" else TOGETHER


def named(rows: Sequence[Row]) -> str:
    return " ".join(row.audit for row in rows)


@pytest.mark.nodes
@pytest.mark.timeout(400)
@pytest.mark.parametrize("rows", ROUNDS, ids=named)
def test_an_audit_notices_a_broken_product(
    standing: Stage, rows: Sequence[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bansho.drill.round.RECOVERY", 40.0
    )  # what never comes back must not be waited for that long here
    planted = Planted(rows)
    number = 100 + ROWS.index(rows[0])  # names the round's events on a stage that other tests send to as well
    going = Round(standing, number, [planted], seed=7, rate=50.0)
    going.run()
    evidence = going.evidence()
    found = campaign.verdicts(evidence, str(going.mishaps))
    planted.end()
    for row in rows:
        print(f"{row.audit}: {row.broken}: {found[row.audit]}")
    for row in rows:
        assert re.search(row.says, "\n".join(found[row.audit] or [])), (row.broken, found, str(going.mishaps))


def test_the_test_of_the_renderers_notices_one_that_differs(tmp_path: Path) -> None:
    """I13 is audited by a test, not in a round: it runs on a copy of the package in which one product is swapped."""
    copy = shutil.copytree(PACKAGE, tmp_path / "bansho", ignore=shutil.ignore_patterns("__pycache__"))
    template = copy / "cluster/vcs/main.cf.j2"
    text = template.read_text()
    above, below = "{{ host }}-suites", "{{ host }}-address"
    assert text.count(f"{above} requires {below}\n") == 1
    template.write_text(text.replace(f"{above} requires {below}\n", f"{below} requires {above}\n"))
    tests = ["tests/cluster/products/test_rendered.py", "-k", "vcs_links", "-p", "no:cacheprovider", "-q"]
    run = [sys.executable, "-m", "pytest", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    broken = subprocess.run(run, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert broken.returncode == 1, broken.stdout
    assert "1 failed" in broken.stdout


def test_every_invariant_of_a_round_has_a_break_and_the_page_tells_each() -> None:
    page = (CHECKOUT / "docs/drill.md").read_text()
    invariants = {audit.id for audit in AUDITS if audit.id.startswith("I")}
    assert {row.audit for row in ROWS} == invariants
    for row in ROWS:
        assert f"| {row.audit} | {row.broken} | {row.how} | {row.fault.name} |" in page
