"""The resource agent's parameters: as data for its meta-data, and as it reads them from its environment."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bansho.cluster.errors import BadParameter
from bansho.cluster.timing import USUAL, Patience
from bansho.contract import suites

TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off", ""})


class Parameter(NamedTuple):
    """One parameter, as the meta-data describes it."""

    name: str
    type: str
    """`string`, `integer`, `boolean` or `time`."""
    default: str | None
    """None: it is required."""
    short: str
    long: str


PARAMETERS = (
    Parameter("host", "string", None, "Logical host", "The name of the logical host, passed to every command."),
    Parameter("suite", "string", None, "Suite", f"One of: {', '.join(suites.COMMANDS)}."),
    Parameter(
        "directory",
        "string",
        None,
        "Shared directory",
        "The logical host's directory on the shared disk. Where it is offline, a probe finds nothing running.",
    ),
    Parameter(
        "mount_point",
        "string",
        "",
        "Mount point of the shared disk",
        "The shared directory counts as offline unless something is mounted here. Left out: the directory's existence"
        " decides.",
    ),
    Parameter(
        "commands",
        "string",
        "",
        "Folders of the commands",
        "Where the suite's commands are; several folders are separated by colons. Left out: those installed with this"
        " agent.",
    ),
    Parameter("database", "boolean", "false", "IM database", "Whether jimdbstatus is monitored too."),
    Parameter(
        "releases_disk",
        "boolean",
        "false",
        "Stops last",
        "Whether this suite is the last to stop: after it, nothing may hold the shared directory.",
    ),
    Parameter(
        "retries", "integer", f"{USUAL.retries}", "Retries", "How often an answer that asks for a retry is retried."
    ),
    Parameter("retry_interval", "time", f"{USUAL.retry_interval:g}", "Pause before a retry", "In seconds."),
    Parameter("status_timeout", "time", f"{USUAL.status_timeout:g}", "Time limit of a status command", "In seconds."),
    Parameter(
        "wait",
        "time",
        "0",
        "How long a monitor waits for something to happen",
        "In seconds; part of the monitor's time limit. A monitor that follows another one then ends with the first"
        " failure, else after this time, so a failure is told at once. Only for our own suites. 0: it looks and ends.",
    ),
)


class Parameters(NamedTuple):
    """What the cluster's configuration says about one suite."""

    host: str
    suite: str
    directory: str
    mount_point: str
    commands: str
    database: bool
    releases_disk: bool
    retries: int
    retry_interval: float
    status_timeout: float
    wait: float

    @property
    def patience(self) -> Patience:
        """How the suite is asked for its state."""
        return Patience(self.retries, self.retry_interval, self.status_timeout, self.database)


def read(environment: Mapping[str, str]) -> Parameters:
    """The parameters in an environment where each is `OCF_RESKEY_` and its name. Raises BadParameter."""
    values = {each.name: _read(each, environment.get(f"OCF_RESKEY_{each.name}")) for each in PARAMETERS}
    if values["suite"] not in suites.COMMANDS:
        raise BadParameter(name="suite", problem=f"{values['suite']!r}: expected one of {', '.join(suites.COMMANDS)}")
    return Parameters(**values)  # type: ignore[arg-type]


def _read(parameter: Parameter, text: str | None) -> str | float | bool:
    text = text or parameter.default
    if text is None:
        raise BadParameter(name=parameter.name, problem="is required")
    return READERS[parameter.type](parameter.name, text)


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        raise BadParameter(name=name, problem=f"{text!r}: expected true or false")
    return text.lower() in TRUE


def _integer(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadParameter(name=name, problem=f"{text!r}: expected a whole number from 0 on")
    return int(text)


def _seconds(name: str, text: str) -> float:
    number = text.removesuffix("s")
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", number, re.ASCII):
        raise BadParameter(name=name, problem=f"{text!r}: expected seconds, such as 10 or 0.5")
    return float(number)


def _text(_name: str, text: str) -> str:
    return text


READERS: dict[str, Callable[[str, str], str | float | bool]] = {
    "string": _text,
    "integer": _integer,
    "boolean": _boolean,
    "time": _seconds,
}
