"""The cluster in the console: what it is told, what it makes of it, and what it does when nobody tells it anything."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.manager.teller import BANNED, FAILED, Teller, node, resource, told
from tests.manager.test_console_host import write_record

from bansho.contract import operation
from bansho.logicalhost import history
from bansho.logicalhost.clusterstate import ClusterState
from bansho.manager import clusterview, findings
from bansho.manager.clusterview import Cluster, ClusterView
from bansho.manager.findings import Finding
from bansho.manager.suiteview import ServiceView, SuiteView


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cluster.sock"


def views(cluster: Cluster, times: int = 1) -> list[ClusterView]:
    async def ask() -> list[ClusterView]:
        return [await cluster.view() for _ in range(times)]

    return asyncio.run(ask())


def test_what_is_told_is_shown(path: Path) -> None:
    with Teller(path, told(maintenance=True)):
        [view] = views(Cluster(path))
    assert view.told == "now"
    assert view.state is not None
    assert view.state.maintenance


def test_without_a_socket_there_is_no_cluster(path: Path) -> None:
    assert views(Cluster(path)) == [ClusterView(told="none")]


def test_what_was_told_last_stays_and_is_called_old(path: Path) -> None:
    cluster, state = Cluster(path), told()
    with Teller(path, state) as teller:
        assert views(cluster)[0].told == "now"
        teller.tells(ClusterState(at=0.0, problem="crm_mon ended with 102"))
        assert views(cluster) == [ClusterView(told="old", problem="crm_mon ended with 102", state=state)]
        teller.end()
        [view] = views(cluster)
        assert (view.told, view.state) == ("old", state)
        assert "has ended" in view.problem


@pytest.mark.parametrize("content", [b"", b"[]", b'{"at": "soon"}', b"\xff" * 100, b" " * (1 << 21)])
def test_an_answer_that_is_none_is_silence(path: Path, content: bytes) -> None:
    with Teller(path, told()) as teller:
        teller.content = content
        [view] = views(Cluster(path))
    assert (view.told, view.state) == ("silent", None)
    assert view.problem


def test_one_who_says_nothing_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusterview, "PATIENCE", 0.05)
    with Teller(path, told()) as teller:
        teller.content = None
        [view] = views(Cluster(path))
    assert view.told == "silent"
    assert "no answer within" in view.problem


def of(state: ClusterState, **changes: Any) -> list[Finding]:
    return findings.ordered(
        findings.of_cluster("watch", "logical", "n1", ClusterView(told="now", state=state, **changes))
    )


def test_when_all_is_well_there_is_nothing_to_say() -> None:
    assert of(told()) == []


@pytest.mark.parametrize(
    ("state", "weight", "says", "helps"),
    [
        (told(maintenance=True), "warning", "keeps its hands off", "bansho cluster maintenance off watch"),
        (told(resources=[resource("base", managed=False)]), "warning", "watch-base and does no", "crm resource manage"),
        (told(stopped=True), "warning", "Stopped by an operator", "crm resource start watch"),
        (told(quorum=False), "bad", "no quorum", "crm_mon -1"),
        (told(fencing="no device"), "bad", "no device", "bansho doctor watch"),
        (told(nodes=[node("n1"), node("n2", could_run=False)]), "bad", "No other node could take over", ""),
        (told(failures=[FAILED]), "warning", "watch-base failed 2 times on n1", "crm_resource --cleanup"),
        (told(failures=[BANNED]), "warning", "may not run there", "--resource watch-base --node n2"),
        (told(resources=[resource("base", blocked=True, reason="why")]), "bad", "blocked: the cluster gave up", "--c"),
        (told(resources=[resource("base", failed=True, reason="why")]), "bad", "watch-base has failed: why", ""),
        (told(resources=[resource("base", nodes=[])]), "bad", "runs nowhere", ""),
        (told(nodes=[node("n1"), node("n2"), node("n3", "unclean")]), "bad", "n3 is unclean", "stonith_admin"),
        (told(nodes=[node("n1"), node("n2"), node("n3", "offline")]), "warning", "n3 is offline", ""),
        (told(nodes=[node("n1"), node("n2"), node("n3", "standby")]), "note", "n3 is on standby", "standby off n3"),
        (told(nodes=[node("n1"), node("n2"), node("n3", "maintenance")]), "note", "n3 is in maintenance", ""),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_each_thing_that_is_wrong_is_said_with_what_helps(
    state: ClusterState, weight: str, says: str, helps: str
) -> None:
    [found] = of(state)
    assert found.weight == weight
    assert says in found.text
    assert helps in found.command
    assert found.todo or found.command or weight == "note" or "failed" in found.text or "nowhere" in found.text


def test_the_node_that_has_it_in_part_is_not_its_successor() -> None:
    assert findings.successors(told(home=""), "n1") == ["n2"]
    assert findings.successors(told(), "n1") == ["n2"]


def test_the_heaviest_comes_first() -> None:
    nodes = [node("n1"), node("n2"), node("n3", "standby"), node("n4", "unclean")]
    assert [each.weight for each in of(told(maintenance=True, nodes=nodes))] == ["bad", "warning", "note"]


def test_no_cluster_is_a_note_on_a_logical_host_and_nothing_on_a_physical_one() -> None:
    none = ClusterView(told="none")
    [found] = findings.of_cluster("watch", "logical", "n1", none)
    assert (found.weight, found.command) == ("note", "bansho cluster apply watch")
    assert list(findings.of_cluster("physical", "physical", "n1", none)) == []


def test_silence_is_a_warning_that_says_how_much_is_known() -> None:
    [found] = findings.of_cluster("watch", "logical", "n1", ClusterView(told="silent", problem="refused"))
    assert (found.weight, "nothing is known" in found.text) == ("warning", True)
    [found] = findings.of_cluster("watch", "logical", "n1", ClusterView(told="old", problem="refused", state=told()))
    assert "what is shown of it is old" in found.text


def suite(value: int | None, meaning: str = "partially stopped") -> SuiteView:
    return SuiteView(name="manager", value=value, meaning=meaning, text="imdb is not running", services=[])


@pytest.mark.parametrize(
    ("value", "weight"),
    [(operation.PARTLY_STOPPED, "bad"), (operation.ALL_STOPPED, "bad"), (None, "bad"), (operation.RETRY, "note")],
)
def test_a_suite_that_does_not_run_is_said(value: int | None, weight: str) -> None:
    [found] = findings.of_suites("watch", Path("/s/log"), [suite(value)], ClusterView(told="none"))
    assert found.weight == weight
    assert "imdb is not running" in found.text
    assert weight == "note" or found.command in ("tail -n 20 /s/log/manager.*.log", "jco_spmd_status -h watch")
    assert (
        list(findings.of_suites("watch", Path("/s/log"), [suite(operation.ALL_RUNNING)], ClusterView(told="none")))
        == []
    )


def test_a_service_that_runs_and_reports_an_error_is_heard() -> None:
    says = [
        ServiceView(name="event-service", state="ready", status="BSHO4028-E tokens.json: damaged"),
        ServiceView(name="other", state="ready", status="takes events in"),
        ServiceView(name="quiet", state="ready"),
    ]
    view = SuiteView(name="base", value=operation.ALL_RUNNING, meaning="all running", text="", services=says)
    [found] = findings.of_suites("watch", Path("/s/log"), [view], ClusterView(told="none"))
    assert (found.weight, "BSHO4028-E tokens.json: damaged" in found.text) == ("bad", True)


def test_who_restarts_it_depends_on_the_cluster() -> None:
    def repaired(view: ClusterView) -> bool:
        [found] = findings.of_suites("watch", Path("/s/log"), [suite(operation.PARTLY_STOPPED)], view)
        return "the cluster restarts it" in found.text

    assert repaired(ClusterView(told="now", state=told()))
    assert not repaired(ClusterView(told="now", state=told(maintenance=True)))
    assert not repaired(ClusterView(told="now", state=told(resources=[resource("base", managed=False)])))
    assert not repaired(ClusterView(told="none"))


def test_the_database_is_worth_a_word_when_it_is_away_or_far_behind() -> None:
    assert [each.weight for each in findings.of_database(connected=False, lag=None)] == ["bad"]
    assert [each.weight for each in findings.of_database(connected=True, lag=findings.BEHIND)] == ["warning"]
    assert list(findings.of_database(connected=True, lag=findings.BEHIND - 1)) == []
    assert list(findings.of_database(connected=True, lag=None)) == []


def text_of(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.fixture
def well(site: Any) -> Any:
    """A site whose suites run, and which has been taken over twice."""
    for name in ("base", "manager"):
        write_record(site.host.node.suite(name) / "record", operation.ALL_RUNNING, [])
    history.path(site.host.shared).unlink(missing_ok=True)
    for epoch, at in ((6, 1_790_000_000.0), (7, 1_790_009_000.0)):
        previous = f"node-{epoch}"
        history.mark(
            site.host.shared, "lease", at=at, epoch=epoch, previous=previous, silent_since=at - 4, given_back=epoch == 6
        )
        for leg, after in (("node fenced", -1.0), ("first event", 0.25), ("base started", 0.5), ("manager started", 2)):
            history.mark(site.host.shared, leg, at=at + after)
    return site


def test_the_page_and_the_api_show_the_cluster(well: Any) -> None:
    state = told(maintenance=True, failures=[FAILED], nodes=[node("n1"), node("n2", "standby"), node("n3")])
    with well.console(), Teller(well.host.node.cluster_socket, state), well.client() as client:
        text = text_of(client.get("/host"))
        view = client.get("/api/v1/host").json()
    for shown in ("watch: in maintenance", "keeps its hands off", "bansho cluster maintenance off watch", "n2 is on"):
        assert shown in text, shown
    for shown in ("n3 online could take over", "n1 online runs it", "n2 standby could not", "2 on n1", "Fencing ready"):
        assert re.sub(r"\s+", " ", shown) in text, shown
    assert (view["verdict"], view["could_take_over"], view["since"]) == ("warning", ["n3"], 1_790_009_000.0)
    assert view["cluster"]["told"] == "now"
    assert view["cluster"]["state"]["maintenance"]


def test_old_news_carry_their_time(well: Any) -> None:
    teller = Teller(well.host.node.cluster_socket, told(at=1_790_009_100.0))
    with well.console(), teller, well.client() as client:
        assert "watch: all is well" in text_of(client.get("/host"))
        teller.tells(ClusterState(at=1.0, problem="crm_mon did not answer"))
        shown = ""
        while "As it was at" not in shown:  # an overview is a second old at most
            shown = text_of(client.get("/host"))
    assert re.search(r"As it was at 2026-09-21 [\d:]+ \(\d+ \w+ ago\): crm_mon did not answer", shown)
    assert "watch: runs, and needs a look" in shown


def test_without_cluster_software_the_page_says_so(well: Any) -> None:
    with well.console(), well.client() as client:
        text = text_of(client.get("/host"))
    assert "No cluster software runs this logical host here: nothing takes over when this node fails" in text
    assert "Could take over unknown" in text
    assert "watch: all is well" in text


def test_the_newest_takeover_is_shown_leg_by_leg_and_others_on_demand(well: Any) -> None:
    with well.console(), well.client() as client:
        newest = text_of(client.get("/host"))
        older = text_of(client.get("/host?takeover=6"))
        gone = text_of(client.get("/host?takeover=5"))
        wrong = client.get("/host?takeover=x")
        legs = client.get("/api/v1/host").json()["takeovers"][0]["legs"]
    assert "6.00 s until Manager was all running, 4.25 s until the first event was acknowledged" in newest
    assert re.search(r"node-7 → \S+, 2026", newest)
    assert "counted from node-7's last sign of life." in newest
    assert re.search(r"failure detected, node fenced 3.00 s 3.00 s .*lease taken, next epoch 1.00 s 4.00 s", newest)
    assert "node-6's last sign of life, when it gave the shared directory back" in older
    assert "counted from node-7" in gone
    assert (wrong.status_code, "BSHO5105-E" in wrong.text) == (400, True)
    assert [leg["leg"] for leg in legs] == ["node fenced", "lease", "first event", "base started", "manager started"]
