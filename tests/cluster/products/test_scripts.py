"""Every product's rendered script above command directories that obey the contract: slow, timed out, lying, standby."""

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.commands.suites import eventually

from bansho.cluster.conventions import CONVENTIONS
from bansho.cluster.products import PRODUCTS

if TYPE_CHECKING:
    from tests.cluster.products.conftest import Site

# Product -> what it is told: done, not done; healthy, not running, failed, cannot tell. As the products document it.
TOLD = {
    "posix": (0, 1, 0, 1, 1, 1),
    "keepalived": (0, 1, 0, 1, 1, 1),
    "vcs": (0, 1, 110, 100, 100, 99),
    "hamonitor": (0, 1, 0, 1, 1, 1),
    "serviceguard": (0, 1, 0, 1, 1, 1),
    "powerha": (0, 1, 0, 1, 1, 1),
    "solaris": (0, 1, 0, 100, 100, 50),
    "systemd": (0, 1, 0, 1, 1, 1),
}
PAGE = Path(__file__).parents[3] / "docs/products.md"
EVERY = pytest.mark.parametrize("product", TOLD)


def test_every_product_is_here() -> None:
    assert set(TOLD) == set(CONVENTIONS) == set(PRODUCTS)


def test_the_documentation_names_the_same_values() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    header = next(row for row in rows if row[0] == "finding")
    columns = {"posix": 1, "vcs": header.index("VCS"), "solaris": header.index("Solaris Cluster")}
    documented = {row[0]: row for row in rows if len(row) == len(header)}
    for product, column in columns.items():
        done, not_done, healthy, not_running, failed, cannot_tell = TOLD[product]
        assert {int(each) for each in documented["done, healthy"][column].split(", ")} == {done, healthy}
        assert [
            int(documented[key][column]) for key in ("not done", "stopped, or standby", "failed", "cannot tell")
        ] == [
            not_done,
            not_running,
            failed,
            cannot_tell,
        ]


@EVERY
def test_a_life(site: "Site", product: str) -> None:
    done, _, healthy, not_running, _, _ = TOLD[product]
    control = site.render(product) / "control"
    assert site.run(control, "monitor")[0] == not_running
    assert site.run(control, "start") == (done, "")
    assert site.run(control, "monitor") == (healthy, "")
    assert site.run(control, "stop") == (done, "")
    assert site.orders() == [
        *("jbs_start.cluster", "jco_start.cluster"),
        *("jco_stop.cluster", "jco_killall.cluster", "jbs_stop.cluster", "jbs_killall.cluster"),
    ]


@EVERY
def test_start_and_stop_are_judged_by_monitoring_not_by_their_value(site: "Site", product: str) -> None:
    done, not_done, _, _, failed, _ = TOLD[product]
    site.do("jbs_start.cluster", "exit 0")
    assert site.call(product, "start", "base") == not_done, "it lied: nothing runs"
    site.answer(8, 12, 12, 12, 12, 0)
    assert site.call(product, "start", "base") == done, "it was slow: under way for longer than retries are specified"
    site.answer(4)
    assert site.call(product, "monitor", "base") == failed
    site.do("jbs_stop.cluster", "exit 0")
    assert site.call(product, "stop", "base") == not_done, "it timed out, and nothing proves that it has stopped"
    site.answer(4, 8)
    assert site.call(product, "stop", "base") == done, "forced termination saw to it"


@EVERY
def test_monitoring_retries_what_asks_for_it(site: "Site", product: str) -> None:
    _, _, healthy, not_running, failed, _ = TOLD[product]
    for values, told, asked in [((12, 12, 0), healthy, 3), ((12,), failed, 3), ((8,), not_running, 1)]:
        site.answer(*values)
        before = len(site.calls())
        assert site.call(product, "monitor", "base") == told
        assert len(site.calls()) - before == asked


@EVERY
def test_a_standby_is_not_running_and_asks_nobody(site: "Site", product: str) -> None:
    site.shared.rename(site.shared.with_name("elsewhere"))
    assert site.call(product, "monitor") == TOLD[product][3]
    assert site.calls() == []
    assert site.call(product, "start") == TOLD[product][1]
    assert site.call(product, "kill") == TOLD[product][0]
    assert site.orders() == ["jco_killall.cluster", "jbs_killall.cluster"]


@EVERY
def test_who_cannot_tell_says_so(site: "Site", product: str) -> None:
    control = site.render(product) / "control"
    (site.commands / "jbs_spmd_status").unlink()
    assert site.call(product, "monitor") == TOLD[product][5]
    assert site.call(product, "monitor", "web") == TOLD[product][5]
    assert site.call(product, "sleep") == TOLD[product][1]
    site.house.define(text="nonsense = 1")
    value, said = site.run(control, "monitor")
    assert value == TOLD[product][5]
    assert "nonsense" in said
    control.write_text(control.read_text().replace("\npython=", "\npython=/nowhere"))
    assert site.run(control, "monitor")[0] == TOLD[product][5]
    value, said = site.run(control, "stop")
    assert value == TOLD[product][1]
    assert "no Python at /nowhere" in said


# What is the same for all: the base that they call


def test_the_database_has_its_own_table(site: "Site") -> None:
    site.answer(0, suite="manager")
    for value, told in ((0, 0), (4, 1), (8, 1), (12, 1)):
        (site.state / "calls").unlink(missing_ok=True)
        site.do("jimdbstatus", f"exit {value}")
        assert site.call("posix", "monitor", "manager") == told
        assert site.calls().count("jimdbstatus -h watch") == (3 if value == 4 else 1)


def test_one_suite_that_has_stopped_beside_one_that_runs_is_a_failure(
    site: "Site", capfd: pytest.CaptureFixture[str]
) -> None:
    site.call("vcs", "start")
    site.kill("manager")
    site.answer(8, suite="manager")
    assert site.call("vcs", "monitor") == 100
    assert "BSHO6103-E logical host watch: manager has stopped" in capfd.readouterr().err


def test_a_start_goes_no_further_than_a_suite_that_does_not_come_up(site: "Site") -> None:
    site.do("jbs_start.cluster", "exit 0")
    assert site.call("posix", "start") == 1
    assert site.orders() == ["jbs_start.cluster"]


def test_a_stop_leaves_no_suite_out(site: "Site") -> None:
    site.call("posix", "start")
    site.answer(0, suite="manager")
    assert site.call("posix", "stop") == 1
    assert "jbs_stop.cluster" in site.orders()
    assert not (site.state / "base.pid").exists()


def test_forced_termination_alone_comes_with_the_same_proof(site: "Site") -> None:
    site.call("posix", "start")
    assert site.call("posix", "kill") == 0
    assert site.orders()[2:] == ["jco_killall.cluster", "jbs_killall.cluster"]
    site.do("jbs_killall.cluster", "exit 0")
    site.call("posix", "start")
    assert site.call("posix", "kill") == 1, "something is left"


def test_a_forced_termination_that_hangs_proves_nothing_without_the_disk(
    site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bansho.cluster.timing.FORCED_TERMINATION", 0.2)
    site.define(retries="0")
    site.call("posix", "start")
    site.do("jbs_killall.cluster", "exec sleep 1000")
    site.shared.rename(site.shared.with_name("elsewhere"))
    assert site.call("posix", "stop", "base") == 1
    assert site.call("posix", "kill", "base") == 1


def test_every_command_is_told_its_logical_host(site: "Site") -> None:
    for action in ("start", "monitor", "stop"):
        site.call("posix", action)
    assert all("watch" in call.split()[1:] for call in site.calls())


def test_a_watch_lives_for_as_long_as_all_is_healthy(site: "Site") -> None:
    folder = site.render("serviceguard")
    assert site.run(folder / "control", "validate") == (0, "")
    site.call("serviceguard", "start")
    with subprocess.Popen([folder / "watch"], stderr=subprocess.PIPE, text=True) as watch:
        eventually(lambda: site.calls().count("jbs_spmd_status -h watch -t 5") > 5)
        assert watch.poll() is None
        site.kill("base")
        assert "BSHO6103-E" in watch.communicate(timeout=20)[1]
    assert watch.returncode == 1
    (site.commands / "jbs_stop.cluster").unlink()
    assert site.run(folder / "control", "validate")[0] == 1


@pytest.mark.parametrize("product", ["hamonitor", "powerha"])
def test_a_file_without_arguments_does_one_thing(site: "Site", product: str) -> None:
    folder = site.render(product)
    assert site.run(folder / "monitor")[0] == 1
    assert site.run(folder / "start")[0] == 0
    assert site.run(folder / "monitor", "arguments", "of the product")[0] == 0
    assert site.run(folder / "stop")[0] == 0
