"""The deep check (`OCF_CHECK_LEVEL` 10): an event on its way through a suite.

    python -m bansho.cluster.agent.through SUITE HOST

It says each step in a line of its own before it takes it, so whoever has to end it knows where it was; where a step
fails, the last line says why. Base's check writes an event and reads it back; Manager's sees the IM database take it
over. What is another's to report, or no restart would mend (a token, a full disk), is no failure of the suite.
"""

import http.client
import json
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg

from bansho.cluster import timing
from bansho.cluster.agent.decide import Passage
from bansho.contract.messages import BanshoError
from bansho.database.connection import conninfo
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost

EVENT_ID = "7FFFFFF0"
"""Of the range that the original leaves to its users; docs/event.md says how to know the event."""
PAUSE = 0.05
BASE_PATIENCE = 5.0
"""Seconds that Manager's check gives Base, which has a check of its own."""
UNMENDED = frozenset({400, 401, 403, 413, 422, 507})
"""The answers of an event service that a restart would not change."""


class Failed(Exception):
    """Raised when an event does not come through."""


class NotMade(Exception):
    """Raised when the check cannot be made, which says nothing of the suite."""


def main(suite: str, name: str) -> Passage:
    """Sends an event through the suite, and prints the steps."""
    try:
        CHECKS[suite](definition.load(name))
    except (BanshoError, NotMade) as error:
        print(error)
        return Passage.NOT_MADE
    except (Failed, psycopg.Error) as error:
        print(str(error).strip() or type(error).__name__)
        return Passage.FAILED
    return Passage.THROUGH


def through_base(host: LogicalHost) -> None:
    """Writes an event and reads it back. Raises Failed or NotMade."""
    serial = write(host, "base", timing.THROUGH)
    step(f"reading event {serial} from {url(host)}")
    page = ask(host, "GET", f"/events?after={serial - 1}&limit=1", host.shared.conf / "event-base.token")
    if [each.get("serial") for each in page["events"]] != [serial]:
        raise Failed(f"event {serial} was acknowledged, and {url(host)} does not have it")


def through_manager(host: LogicalHost) -> None:
    """Sees the IM database take over an event that is new to it. Raises Failed, NotMade or psycopg.Error."""
    step("connecting to the IM database")
    with psycopg.connect(conninfo(host), autocommit=True) as connection:
        step("reading how far the IM database has taken events over")
        before = taken_over(connection)
        try:
            serial = write(host, "manager", BASE_PATIENCE)
        except Failed as error:
            raise NotMade(f"{error}; that is Base's to report") from None
        step(f"waiting for event {serial} in the IM database, which has those up to {before}")
        while taken_over(connection) == before:  # one step on is enough: there may be many that wait
            time.sleep(PAUSE)


def taken_over(connection: "psycopg.Connection[Any]") -> int:
    """The last serial in the IM database. Raises psycopg.Error or Failed."""
    row = connection.execute("SELECT high_water FROM intake").fetchone()
    if row is None:
        raise Failed("the IM database does not know how far it has taken events over")
    return int(row[0])


def write(host: LogicalHost, suite: str, patience: float) -> int:
    """Writes one event to Base; its serial. Raises Failed or NotMade."""
    if "base" not in host.suites:
        raise NotMade("no Base on this logical host to write an event to")
    step(f"writing an event to {url(host)}")
    event = {
        "id": EVENT_ID,
        "severity": "Debug",
        "message": f"deep check of {suite} on {host.name}",
        "attributes": {
            "PRODUCT_NAME": "/BANSHO/CLUSTER/AGENT",
            "OBJECT_TYPE": "SUITE",
            "OBJECT_NAME": suite,
            "ROOT_OBJECT_TYPE": "LOGICAL_HOST",
            "ROOT_OBJECT_NAME": host.name,
            "OCCURRENCE": "CHECK",
        },
    }
    return int(ask(host, "POST", "/events", host.shared.process_manager_token, event, patience)["serial"])


def ask(
    host: LogicalHost,
    method: str,
    path: str,
    token: Path,
    body: dict[str, Any] | None = None,
    patience: float = timing.THROUGH,
) -> Any:
    """What the event service answers, decoded. Raises Failed or NotMade."""
    headers = {"Authorization": f"Bearer {read(token)}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(host.ip, host.ports.event_service, timeout=patience)
    try:
        connection.request(method, f"/api/v1{path}", json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        text = response.read(1 << 20).decode(errors="replace")
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise (NotMade if response.status in UNMENDED else Failed)(
                f"{url(host)} answered {response.status}: {text}"
            )
        return json.loads(text)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Failed(f"{url(host)}: {error or type(error).__name__}") from None
    finally:
        connection.close()


def read(token: Path) -> str:
    """The text of a token. Raises NotMade."""
    try:
        return token.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotMade(f"no token in {token} ({error}); make it with: bansho setup") from None


def url(host: LogicalHost) -> str:
    """Where the event service is."""
    return f"Base at {host.ip} port {host.ports.event_service}"


def step(words: str) -> None:
    """Says what is done next."""
    print(words, flush=True)


CHECKS: dict[str, Callable[[LogicalHost], None]] = {"base": through_base, "manager": through_manager}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
