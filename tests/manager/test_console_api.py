"""The JSON API, the open health check, the metrics and the errors, on the real process."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from bansho.events.event import StoredEvent
from bansho.manager.openapi import EventList
from bansho.manager.overview import HostView


@pytest.fixture(scope="module")
def console(site: Any) -> Iterator[Any]:
    site.clear()
    site.arrive(*({"severity": "Error" if number % 3 else None, "source_server": "alpha"} for number in range(250)))
    with site.console():
        yield site


@pytest.fixture
def client(console: Any) -> Iterator[httpx.Client]:
    with console.client() as client:
        yield client


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_pages_follow_each_other_without_gap_or_overlap(client: httpx.Client) -> None:
    serials: list[int] = []
    query: dict[str, Any] = {"limit": 40}
    while query:
        answer = client.get("/api/v1/events", params=query)
        assert answer.status_code == 200
        page = msgspec.json.decode(answer.content, type=EventList)
        assert len(page.events) <= 40
        serials += [event.serial for event in page.events]
        query = {"limit": 40, "before": page.next} if page.next else {}
    assert serials == list(range(250, 0, -1))


def test_an_answer_holds_at_most_100_events(client: httpx.Client) -> None:
    assert len(client.get("/api/v1/events").json()["events"]) == 100


def test_the_filter_is_the_pages_filter(client: httpx.Client) -> None:
    answer = client.get("/api/v1/events", params={"severity": "none", "text": "EVENT 24", "source": "alpha"})
    assert [event["serial"] for event in answer.json()["events"]] == [247, 244, 241]
    assert answer.json()["next"] is None


def test_one_event(client: httpx.Client) -> None:
    event = msgspec.json.decode(client.get("/api/v1/events/7").content, type=StoredEvent)
    assert event.serial == 7
    assert event.message == "event 7"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/api/v1/events/251", 404, "BSHO5106-E event 251"),
        ("/api/v1/events/99999999999999999999999", 404, "BSHO5106-E"),
        ("/api/v1/events/0", 404, "BSHO5106-E"),
        ("/api/v1/events/seven", 404, "BSHO5107-E"),
        ("/api/v1/nothing", 404, "BSHO5107-E"),
        ("/api/v1/events?severity=Fatal", 400, "BSHO5105-E"),
        ("/api/v1/events?limit=1000", 400, "BSHO5105-E"),
        ("/api/v1/events?page=2", 400, "BSHO5105-E"),
    ],
)
def test_an_error_is_json_with_an_id(client: httpx.Client, path: str, status: int, message: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"].startswith(message)


def test_a_method_that_is_not_there(client: httpx.Client) -> None:
    answer = client.delete("/api/v1/events/7")
    assert answer.status_code == 405
    assert answer.json()["error"].startswith("BSHO5111-E")


def test_the_host(client: httpx.Client) -> None:
    view = msgspec.json.decode(client.get("/api/v1/host").content, type=HostView)
    assert view.name == "watch"
    assert view.epoch == 7
    assert view.database.connected
    assert view.database.high_water == 250


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return document["components"]["schemas"][name] if name else schema


def test_the_description_describes_the_answers(client: httpx.Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    for path, operations in document["paths"].items():
        answer = client.get(path.replace("{serial}", "7"))
        described = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = resolve(document, described)
        assert set(answer.json()) == set(schema["properties"]), path
        assert set(schema["required"]) <= set(answer.json())


def test_the_description_says_patterns_in_jsons_dialect(client: httpx.Client) -> None:
    text = client.get("/api/v1/openapi.json").text
    assert '"pattern"' in text
    assert "\\Z" not in text


def test_an_event_has_the_shape_that_is_described(client: httpx.Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    properties = document["components"]["schemas"]["StoredEvent"]["properties"]
    event = client.get("/api/v1/events/7").json()
    assert re.fullmatch(resolve(document, properties["id"])["pattern"], event["id"])


def test_only_health_is_open(console: Any) -> None:
    with console.stranger() as stranger:
        assert stranger.get("/healthz").json() == {"status": "ok", "database": "live"}
        for path in ("/api/v1/events", "/api/v1/events/1", "/api/v1/host", "/api/v1/openapi.json", "/metrics"):
            answer = stranger.get(path)
            assert answer.status_code == 401, path
            assert answer.json()["error"].startswith("BSHO5101-E")
            assert answer.headers["www-authenticate"].startswith("Basic")
        assert stranger.get("/api/v1/nothing").status_code == 401
        assert stranger.get("/events/stream").status_code == 303


def test_a_program_logs_in_with_basic(console: Any) -> None:
    with console.stranger() as program:
        right = basic("viewer", console.PASSWORD)
        assert program.get("/api/v1/events?limit=1", headers=right).status_code == 200
        assert program.get("/api/v1/events?limit=1", headers=right).status_code == 200
        assert not program.cookies


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"no-colon").decode(), "Basic " + "/w==", "Bearer abc", "x"],
)
def test_what_is_no_basic_is_401(console: Any, header: str) -> None:
    with console.stranger() as program:
        answer = program.get("/api/v1/events", headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.json()["error"].startswith("BSHO5101-E")


def test_a_wrong_password_is_401_and_a_session_does_not_help(console: Any) -> None:
    with console.client() as client:
        answer = client.get("/api/v1/events", headers=basic("viewer", "wrong password"))
    assert answer.status_code == 401
    assert answer.json()["error"].startswith("BSHO5102-E")


def test_a_remembered_password_ends_with_the_account(console: Any) -> None:
    from bansho.manager import accounts

    password = accounts.create(console.host.shared, "program", "viewer")
    with console.stranger() as program:
        assert program.get("/api/v1/host", headers=basic("program", password)).status_code == 200
        accounts.change_password(console.host.shared, "program")
        assert program.get("/api/v1/host", headers=basic("program", password)).status_code == 401


def test_metrics_count_what_happened(client: httpx.Client) -> None:
    def count() -> float:
        line = re.search(
            r'^bansho_console_requests_total\{endpoint="health",status="200"\} (\S+)', client.get("/metrics").text, re.M
        )
        return float(line[1]) if line else 0.0

    before = count()
    client.get("/healthz")
    assert count() == before + 1
    text = client.get("/metrics").text
    assert "bansho_console_high_water 250.0" in text
    assert "bansho_console_database_up 1.0" in text
