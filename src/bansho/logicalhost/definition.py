"""The definition of a logical host: one TOML file, the same on every node (CONTRACT 6), read strictly.

`docs/definition.md` shows every key. What is not listed here is an error: a misspelt limit must not pass.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from bansho.contract import limits
from bansho.contract.messages import BanshoError
from bansho.logicalhost import places
from bansho.logicalhost.errors import BadName, MalformedDefinition, UnknownLogicalHost, UnreadableDefinition
from bansho.logicalhost.shape import mistakes

DECIMALS = 3
"""Of a second: finer than that nothing can be told to Pacemaker."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
PHYSICAL = "physical"
"""The name of the definition that a command acts on when it is told no logical host."""

Seconds = Annotated[float, msgspec.Meta(gt=0, le=limits.STATUS_MAXIMUM)]
WholeSeconds = Annotated[int, msgspec.Meta(ge=1, le=limits.STATUS_MAXIMUM)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Count = Annotated[int, msgspec.Meta(ge=0, le=99)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Shape = TypeVar("Shape")


class Section(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A table of the definition."""


class Disk(Section, frozen=True, kw_only=True):
    """The shared disk, for the cluster software that mounts it."""

    device: Text
    type: Text = "ext4"
    mount_point: Text
    options: str = "noatime"


class Ports(Section, frozen=True, kw_only=True):
    """TCP ports on the logical host's address."""

    event_service: Port = 7710
    console: Port = 7711


class Events(Section, frozen=True, kw_only=True):
    """How long events are kept, in Base and in the IM database, counted from their arrival."""

    keep_days: Annotated[int, msgspec.Meta(ge=1, le=36500)] = 365

    @property
    def keep(self) -> float:
        """The same in seconds."""
        return self.keep_days * 86400.0


class Limits(Section, frozen=True, kw_only=True):
    """Time limits in seconds, of a whole suite (`start`, `stop`) and of one service."""

    start: Seconds = limits.START
    stop: Seconds = limits.STOP
    service_start: Seconds = limits.SERVICE_START
    service_stop: Seconds = limits.SERVICE_STOP


class Database(Section, frozen=True, kw_only=True):
    """The IM database: where PostgreSQL's programs are; the distribution's newest where it is left out."""

    bindir: str | None = None


class ClusterLimits(Section, frozen=True, kw_only=True):
    """The cluster's own time limits for its operations on each suite; derived where they are left out."""

    start: WholeSeconds | None = None
    stop: WholeSeconds | None = None
    monitor: WholeSeconds | None = None
    deep_monitor: WholeSeconds | None = None


class Cluster(Section, frozen=True, kw_only=True):
    """How the cluster software is to drive this logical host (CONTRACT 3.5)."""

    nodes: tuple[Text, ...] = ()
    interface: str | None = None
    monitor_interval: Seconds = 10.0
    push: bool = True
    """Whether a monitor waits at our own suites, so that a failure reaches the cluster at once (docs/adr/0006)."""
    deep_interval: Annotated[float, msgspec.Meta(ge=0, le=limits.STATUS_MAXIMUM)] = 300.0
    """Seconds from one deep check of our own suites, an event written and read through, to the next; 0: none."""
    status_timeout: Annotated[int, msgspec.Meta(ge=1, le=600)] = 10
    retries: Count = 3
    """How often a value that asks for a retry is retried before it counts as a failure."""
    retry_interval: Seconds = 1.0
    restarts: Count = 2
    """How often the cluster restarts on the same node before it fails over."""
    failure_window: Seconds = 3600.0
    """After this long without a failure the count begins anew."""
    base_commands: str | None = None
    """The folder of Base's commands; bansho's own where it is left out."""
    manager_commands: str | None = None
    database: bool = True
    """Whether Manager uses the IM database: then it is monitored with it (CONTRACT 3.3)."""
    limits: ClusterLimits = ClusterLimits()


class LogicalHost(Section, frozen=True, kw_only=True):
    """One logical host: the unit that fails over (CONTRACT 1)."""

    name: str
    kind: Literal["logical", "physical"] = "logical"
    address: str = "127.0.0.1"
    """The logical IP address with its prefix length: `192.0.2.10/24`."""
    shared_directory: Text
    user: str | None = None
    """Who the services run as; needed where the process manager is root."""
    suites: tuple[Text, ...] = ("base", "manager")
    """In start order; they stop in the reverse one."""
    disk: Disk | None = None
    ports: Ports = Ports()
    events: Events = Events()
    limits: Limits = Limits()
    database: Database = Database()
    cluster: Cluster = Cluster()

    @property
    def is_logical(self) -> bool:
        """Whether it can fail over: then it has a lease, and never a local restart."""
        return self.kind == "logical"

    @property
    def ip(self) -> str:
        """The address without its prefix length."""
        return self.address.partition("/")[0]

    @property
    def shared(self) -> places.SharedPlaces:
        """The parts of the shared directory."""
        return places.SharedPlaces(Path(self.shared_directory))

    @property
    def node(self) -> places.NodePlaces:
        """The run-time state on this node."""
        return places.NodePlaces.of(self.name)


def is_name(name: str) -> bool:
    """Whether a logical host may be called so."""
    return bool(NAME.fullmatch(name)) and len(name.encode()) <= limits.NAME_BYTES


def check_name(name: str) -> str:
    """The name itself. Raises BadName."""
    if not is_name(name):
        raise BadName(name=name)
    return name


def chosen_name(option: str | None) -> str:
    """The logical host a command acts on: its `-h`, else `JP1_HOSTNAME`, else the physical host (given)."""
    return check_name(option if option is not None else os.environ.get("JP1_HOSTNAME") or PHYSICAL)


def path_of(name: str) -> Path:
    """Where the definition of `name` belongs."""
    return places.etc() / "logical-hosts" / f"{name}.toml"


def names() -> list[str]:
    """The names of all logical hosts defined on this node, sorted."""
    return sorted(path.stem for path in (places.etc() / "logical-hosts").glob("*.toml"))


def load(name: str) -> LogicalHost:
    """The definition of `name`.

    Raises BadName, UnknownLogicalHost, UnreadableDefinition or MalformedDefinition.
    """
    return load_file(path_of(check_name(name)))


def load_file(path: Path) -> LogicalHost:
    """The definition in a file, which is named for the logical host. Raises as `load`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UnknownLogicalHost(name=path.stem, path=path) from None
    except OSError as error:
        raise UnreadableDefinition(path=path, reason=error.strerror) from None
    except UnicodeDecodeError as error:
        raise MalformedDefinition(path=path, key="the file", problem=f"expected UTF-8 text ({error.reason})") from None
    host = parse(text, path)
    if host.name != path.stem:
        raise MalformedDefinition(path=path, key="name", problem=f"expected {path.stem!r} as in the file's name")
    return host


def parse(text: str, path: Path) -> LogicalHost:
    """The definition in `text`; `path` is only for messages. Raises MalformedDefinition or BadName."""
    host = read_toml(text, path, LogicalHost)
    for problem in _wrong(host, path):
        raise problem
    return host


def problems(text: str, path: Path) -> Iterator[BanshoError]:
    """Everything that is wrong with the definition in `text`."""
    malformed = list(malformations(text, path, LogicalHost))
    yield from malformed or _wrong(read_toml(text, path, LogicalHost), path)


def _wrong(host: LogicalHost, path: Path) -> Iterator[BanshoError]:
    if not is_name(host.name):
        yield BadName(name=host.name)
    for key, problem in _problems(host):
        yield MalformedDefinition(path=path, key=key, problem=problem)


def read_toml(text: str, path: Path, shape: type[Shape]) -> Shape:
    """`text` as TOML in the given shape. Raises MalformedDefinition naming the file, the key and what was expected."""
    try:
        return msgspec.convert(_document(text, path), shape)
    except msgspec.ValidationError:
        raise next(malformations(text, path, shape)) from None


def malformations(text: str, path: Path, shape: Any) -> Iterator[MalformedDefinition]:
    """Everything that keeps `text` from being TOML in the given shape."""
    try:
        document = _document(text, path)
    except MalformedDefinition as error:
        yield error
        return
    for key, problem in mistakes(document, shape):
        yield MalformedDefinition(path=path, key=key, problem=problem)


def _document(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number too long, and tables nested too deep
        raise MalformedDefinition(path=path, key="the file", problem=f"expected TOML: {error}") from None


def _problems(host: LogicalHost) -> list[tuple[str, str]]:
    return [(key, problem) for key, wrong, problem in _rules(host) if wrong]


def _rules(host: LogicalHost) -> list[tuple[str, bool, str]]:
    """(key, is it wrong, what was expected)."""
    return [
        ("address", not _is_address(host.address), "expected an IP address such as 192.0.2.10/24"),
        ("shared-directory", not host.shared_directory.startswith("/"), "expected an absolute path"),
        ("suites", not host.suites, "expected at least one suite"),
        ("suites", len(set(host.suites)) < len(host.suites), "expected each suite once"),
        ("suites", not all(NAME.fullmatch(s) for s in host.suites), "expected names as for a logical host"),
        ("ports", host.ports.event_service == host.ports.console, "expected two different ports"),
        *_too_fine(host.cluster),
        ("disk", host.disk is not None and not _lies_on(host), "expected shared-directory to lie on disk.mount-point"),
    ]


def _too_fine(cluster: Cluster) -> list[tuple[str, bool, str]]:
    """The numbers that the cluster is told."""
    numbers = {
        "monitor-interval": cluster.monitor_interval,
        "deep-interval": cluster.deep_interval,
        "retry-interval": cluster.retry_interval,
        "failure-window": cluster.failure_window,
    }
    problem = f"expected seconds with at most {DECIMALS} decimals, such as 0.25"
    return [(f"cluster.{key}", round(each, DECIMALS) != each, problem) for key, each in numbers.items()]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def _lies_on(host: LogicalHost) -> bool:
    mount_point = Path(host.disk.mount_point) if host.disk else Path("/")
    return Path(host.shared_directory).is_relative_to(mount_point)


def as_document(host: LogicalHost) -> dict[str, Any]:
    """The definition as plain data, as it stands in TOML and in JSON answers."""
    document: dict[str, Any] = msgspec.to_builtins(host)
    return document
