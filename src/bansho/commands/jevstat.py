"""`jevstat`: event service monitoring (CONTRACT 3; its values are `contract.eventservice.TABLE`)."""

import argparse
import http.client
import json
import time
from typing import NamedTuple

from bansho.commands import arguments
from bansho.commands.arguments import Parser
from bansho.commands.report import Report
from bansho.contract import eventservice, limits
from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition

HEALTHY = b'{"status":"ok"}'
EPILOG = "Values:\n" + "\n".join(f"  {row.value:2}  {row.meaning}: {row.when}" for row in eventservice.TABLE.values())


class Finding(NamedTuple):
    """A value, and why."""

    value: int
    text: str


def main() -> None:
    """Ends the process with a value of the table."""
    options = arguments.parse(parser(), eventservice.COMMAND_ERROR)
    try:
        host = definition.load(definition.chosen_name(options.host))
    except BanshoError as error:
        arguments.fail(error, eventservice.COMMAND_ERROR)
    finding = look(host.ip, host.ports.event_service, options.limit)
    meaning = eventservice.TABLE[finding.value].meaning
    report = Report(as_json=options.json)
    report.finish(finding.value, f"event service of {host.name}: {meaning} ({finding.text})", host=host.name)


def parser() -> Parser:
    """The arguments, as the original's."""
    result = Parser("jevstat", "Asks the event service whether it runs and takes events in.", EPILOG)
    add = result.add_argument
    add("host", nargs="?", metavar="LOGICAL-HOST", help="default: JP1_HOSTNAME, else the physical host")
    add("-t", dest="limit", type=limit, default=limits.STATUS, metavar="SECONDS", help="1 to 32767, default 60")
    add("--json", action="store_true", help="answer with one JSON object")
    return result


def limit(text: str) -> int:
    """`-t`: 1 to 32767 seconds (given). Raises ArgumentTypeError."""
    number = arguments.whole_seconds(text)
    if number == 0:
        raise argparse.ArgumentTypeError("expected 1 to 32767 whole seconds, got '0'")
    return number


def look(address: str, port: int, limit: float) -> Finding:
    """What the event service at that address answers within `limit` seconds."""
    started = time.monotonic()
    line = http.client.HTTPConnection(address, port, timeout=limit)
    try:
        line.request("GET", "/healthz")
        response = line.getresponse()
        return judged(response.status, response.read(65536))
    except TimeoutError:
        waited = time.monotonic() - started
        return Finding(eventservice.COMMAND_ERROR, f"no answer from {address} port {port} in {waited:.0f} s")
    except ConnectionRefusedError:
        return Finding(eventservice.STOPPED, f"nothing listens on {address} port {port}")
    except (http.client.HTTPException, ConnectionError) as error:
        return Finding(eventservice.SERVICE_ERROR, f"{type(error).__name__} from {address} port {port}")
    except OSError as error:
        return Finding(eventservice.COMMAND_ERROR, f"{address} port {port}: {error.strerror or error}")
    finally:
        line.close()


def judged(status: int, body: bytes) -> Finding:
    """The value that an answer of /healthz means. Pure."""
    if status == http.client.OK and body == HEALTHY:
        return Finding(eventservice.ALL_RUNNING, "it takes events in")
    if status == http.client.SERVICE_UNAVAILABLE:
        return Finding(eventservice.PARTLY_RUNNING, reason(body))
    return Finding(eventservice.SERVICE_ERROR, f"HTTP status {status}")


def reason(body: bytes) -> str:
    """What the service says, on one line."""
    try:
        return str(json.loads(body)["error"]).replace("\n", " ")
    except (ValueError, KeyError, TypeError):
        return "it gives no reason"
