"""`jevsend`: registers one event (CONTRACT 3). Returns 0 when it is durable at the event service, else 255.

The definition is read only where the address is not given: reading it costs more than everything else here.
"""

import argparse
import grp
import math
import os
import pwd
import re
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from bansho.base.errors import NoTokenFile
from bansho.base.sender import DEFAULT_PORT, Sender, Spooled, Target
from bansho.commands.errors import WrongArguments
from bansho.commands.report import Report
from bansho.contract.eventservice import NOT_REGISTERED, REGISTERED
from bansho.contract.messages import BanshoError
from bansho.logicalhost import places

LOCAL, REMOTE = 1, 3
"""Values of `reason`: registered at this host's own event service; sent to another one."""
IDS = (range(0x2000), range(0x7FFF8000, 0x80000000))
"""The ids that are free for users (given)."""
SEVERITIES = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Information", "Debug")

EPILOG = """\
The event is written to a spool first, with a number that is never used again, and leaves it when the event service
acknowledged it (0) or will never take it (255). With the service away it stays there (255): the next jevsend to the
same target, or jevsend --flush, sends it, older ones first. So an event is neither lost nor registered twice.

The token comes from --token-file, else BANSHO_TOKEN, else /etc/bansho/token (BANSHO_ETC).
The spool is BANSHO_SPOOL, else /var/spool/bansho for root, $XDG_STATE_HOME/bansho/spool for others.

  jevsend -h watch --severity Error -m 'disk /data is 95 % full' -e PRODUCT_NAME=/MY/DISKWATCH
  jevsend -d 192.0.2.10:7710 --token-file /etc/bansho/token -i 1F00 -m hello --wait 30
"""


class Parser(argparse.ArgumentParser):
    """Raises WrongArguments."""

    def error(self, message: str) -> NoReturn:
        """Raises WrongArguments."""
        raise WrongArguments(program=self.prog, problem=message)


def main() -> None:
    """Ends the process with 0 or 255."""
    try:
        options = parser().parse_args()
    except BanshoError as error:
        report = Report(as_json="--json" in sys.argv)
        report.message(error)
        report.finish(NOT_REGISTERED, spooled=False)
    report = Report(as_json=options.json)
    try:
        sender = Sender(spool(), target(options))
        spooled = None if options.flush else sender.put(event(options))
    except BanshoError as error:
        report.message(error)
        report.finish(NOT_REGISTERED, spooled=False)
    else:
        if options.later:
            report.finish(NOT_REGISTERED, spooled=True)
        send(sender, spooled, options.wait, report)


def send(sender: Sender, spooled: Spooled | None, wait: float, report: Report) -> None:
    """Sends the event, or without one what waits in the spool, and ends the process with the value for that."""
    receipt, value = None, REGISTERED
    try:
        receipt = sender.deliver(spooled, wait)
    except BanshoError as error:
        report.message(error)
        value = NOT_REGISTERED
    for refused in sender.refused:
        report.message(refused)
    if spooled is None and sender.refused:
        value = NOT_REGISTERED
    line = "" if spooled else f"sent {sender.sent} from the spool, {len(sender.refused)} refused"
    facts = receipt._asdict() if receipt else {}
    report.finish(
        value, line, **facts, spooled=spooled is not None, older_sent=sender.sent, older_refused=len(sender.refused)
    )


def parser() -> Parser:
    """The arguments: the original's, and ours in words."""
    result = Parser(
        "jevsend",
        description="Registers one event durably.",
        epilog=EPILOG,
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--help", action="help", help="show this and end")
    add("-i", dest="id", type=event_id, default="0", metavar="ID", help="0 to 1FFF or 7FFF8000 to 7FFFFFFF; default 0")
    add("--product-id", dest="id", type=product_id, metavar="ID", help="instead of -i: an id that is a product's own")
    add("-m", dest="message", default="", metavar="TEXT", help="at most 1,023 bytes of UTF-8")
    add("-e", dest="attributes", type=attribute, action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    add("-d", dest="destination", type=address, metavar="SERVER[:PORT]", help="instead of the definition's address")
    add("-s", dest="source", metavar="NAME", help="source server, this sender's alone; default: this node (and user)")
    add("-h", dest="host", metavar="LOGICAL-HOST", help="default: JP1_HOSTNAME, else the physical host")
    add("--severity", choices=SEVERITIES, metavar="SEVERITY", help=", ".join(SEVERITIES))
    add("--token-file", type=Path, metavar="PATH", help="a file with the token")
    add("--wait", type=seconds, default=0.0, metavar="SECONDS", help="try again for so long")
    add("--later", action="store_true", help="write the event to the spool and send nothing: 255, not registered yet")
    add("--flush", action="store_true", help="register no event: send what waits in the spool")
    add("--json", action="store_true", help="answer with one JSON object")
    return result


def event_id(text: str) -> str:
    """An id that is free for users. Raises ArgumentTypeError."""
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not any(number in some for some in IDS):
        raise argparse.ArgumentTypeError(f"expected 0 to 1FFF or 7FFF8000 to 7FFFFFFF, got {text!r}")
    return f"{number:X}"


def product_id(text: str) -> str:
    """Any id: for the programs that these are given to. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}", text):
        raise argparse.ArgumentTypeError(f"expected up to 8 hexadecimal digits, got {text!r}")
    return text


def attribute(text: str) -> tuple[str, str]:
    """NAME=VALUE. Raises ArgumentTypeError."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def address(text: str) -> tuple[str, int]:
    """SERVER, SERVER:PORT or [IPv6]:PORT. Raises ArgumentTypeError."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (text.count(":") > 1 and not host.endswith("]")):
        host, port = text, str(DEFAULT_PORT)
    host = host.strip("[]")
    if not host or "/" in host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"expected SERVER or SERVER:PORT, got {text!r}")
    return host, int(port)


def seconds(text: str) -> float:
    """0 or more. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds, got {text!r}")
    return number


def target(options: argparse.Namespace) -> Target:
    """Where to: `-d`, or the logical host. Raises NoTokenFile, or what is wrong with the definition."""
    if options.destination:
        host, port = options.destination
        return Target(f"{host}:{port}", host, port, token(options.token_file))
    from bansho.logicalhost import definition

    found = definition.load(definition.chosen_name(options.host))
    return Target(found.name, found.ip, found.ports.event_service, token(options.token_file))


def token(file: Path | None) -> str:
    """The token's text. Raises NoTokenFile."""
    given = os.environ.get("BANSHO_TOKEN")
    if given and file is None:
        return given.strip()
    path = file or places.etc() / "token"
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise NoTokenFile(path=path, reason=error.strerror) from None
    except UnicodeDecodeError:
        raise NoTokenFile(path=path, reason="expected a token's plain ASCII text") from None


def spool() -> Path:
    """This user's spool."""
    given = os.environ.get("BANSHO_SPOOL")
    if given:
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/spool/bansho")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "bansho" / "spool"


def event(options: argparse.Namespace) -> dict[str, Any]:
    """The event, but for its source serial."""
    user, group = os.getuid(), os.getgid()
    return {
        "id": options.id,
        "reason": REMOTE if options.destination else LOCAL,
        "process_id": os.getpid(),
        "user_id": user,
        "group_id": group,
        "user_name": user_name(),
        "group_name": next((entry.gr_name for entry in grp.getgrall() if entry.gr_gid == group), None),
        "occurred_at": time.time(),
        "source_server": options.source or own_name(),
        "destination_server": options.destination[0] if options.destination else None,
        "severity": options.severity,
        "message": options.message,
        "attributes": dict(options.attributes),
    }


def user_name() -> str | None:
    """Who runs this; None for a number without a name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None


def own_name() -> str:
    """A source server that is this spool's alone: each user has one, so each is a source."""
    node = os.uname().nodename
    return node if os.geteuid() == 0 else f"{node}:{user_name() or os.geteuid()}"
