"""Asking the power daemon, as the operator."""

import socket
from collections.abc import Sequence

import msgspec

from bansho.lab.cable import STATES
from bansho.lab.errors import BadSetting, PowerRefused
from bansho.lab.places import Places

POWER = ("on", "off", "loss", "reboot", "freeze", "thaw")
CABLE = tuple(STATES)
MANAGEMENT = {"cut": "unmanage", "plug": "manage"}
"""What is done to a node's way to the management network -> the power daemon's action."""
LIMIT = 20.0
"""Seconds for an answer; a node's death takes a tenth of one."""


def ask(places: Places, allowed: Sequence[str], action: str, node: str) -> dict[str, str]:
    """Asks and waits until it is done. Raises BadSetting for an action not allowed, PowerRefused where it failed."""
    if action not in allowed:
        raise BadSetting(setting="action", value=action, expected=f"one of {', '.join(allowed)}")
    try:
        answer = _exchange(str(places.socket("operator")), {"action": action, "node": node})
    except (OSError, msgspec.DecodeError) as error:
        raise PowerRefused(action=action, node=node, reason=error) from None
    if "error" in answer:
        raise PowerRefused(action=action, node=node, reason=answer["error"])
    return answer


def _exchange(path: str, request: dict[str, str]) -> dict[str, str]:
    with socket.socket(socket.AF_UNIX) as power:
        power.settimeout(LIMIT)
        power.connect(path)
        power.sendall(msgspec.json.encode(request) + b"\n")
        with power.makefile("rb") as answers:
            return msgspec.json.decode(answers.readline(), type=dict[str, str])
