"""Traffic on a user's cluster: the ordinary sender with a token of its own, and events that anybody can tell apart."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bansho.base import tokens
from bansho.contract.messages import BanshoError
from bansho.drill.site.errors import NOT_UNDONE
from bansho.drill.site.here import Here
from bansho.drill.site.interruption import undisturbed
from bansho.drill.site.readiness import TOKEN
from bansho.drill.stage import Sender

SEVERITY = "Information"
"""Of every event that is sent: whoever is on duty must not be called for a drill."""
TOKEN_FILE = "token"  # noqa: S105


class Traffic(NamedTuple):
    """How events are sent; `folder` holds token and ledgers, and is gone afterwards."""

    here: Here
    stamp: str
    rate: float
    folder: Path

    def source(self, number: int) -> str:
        """The source server of a round's events."""
        return f"{self.stamp}-{number}"

    def send(self, number: int) -> Sender:
        """Starts the sender of a round. It is in a session of its own: a Ctrl-C is not for it."""
        source = self.source(number)
        path = self.folder / f"{source}.ledger"
        host = self.here.host
        url = f"http://{host.ip}:{host.ports.event_service}"
        command = [sys.executable, "-m", "bansho.drill.traffic", url, str(self.folder / TOKEN_FILE), str(path)]
        options = ["--rate", str(self.rate), "--source", source, "--severity", SEVERITY]
        path.touch()
        with path.with_suffix(".errors").open("ab") as errors:
            process = subprocess.Popen([*command, *options], stderr=errors, start_new_session=True)
        return Sender(process, path)


@contextmanager
def traffic(here: Here, stamp: str, rate: float) -> Iterator[Traffic]:
    """Makes the probe token, and revokes it at the end wherever that can be done. Raises TokenExists or OSError."""
    with TemporaryDirectory(prefix="bansho-drill-") as folder:
        made = Traffic(here, stamp, rate, Path(folder))
        with undisturbed():
            (made.folder / TOKEN_FILE).write_text(tokens.create(here.host.shared, TOKEN, "send"))
        try:
            yield made
        finally:
            with undisturbed():
                _revoke(here)


def _revoke(here: Here) -> None:
    try:
        tokens.revoke(here.host.shared, TOKEN, here.name)
    except (BanshoError, OSError) as reason:
        todo = f"bansho token revoke {TOKEN} --host {here.name}, where the logical host runs"
        print(NOT_UNDONE(name=here.name, what=f"token {TOKEN!r} ({reason})", todo=todo), file=sys.stderr)
