"""A suite's process definition: one TOML file in the shared directory (docs/house.md), read strictly.

Its keys are the facts of the original's definition line (CONTRACT 4) and ours.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from bansho.contract import limits
from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import NAME, LogicalHost, Seconds, Section, Text, malformations, read_toml
from bansho.logicalhost.errors import MalformedDefinition
from bansho.process import graph
from bansho.process.errors import MalformedSuite, RestartForbidden, SuiteFileMissing, UnsafeSuiteFile

MAXIMUM_BYTES = 1 << 20
RestartCount = Annotated[int, msgspec.Meta(ge=0, le=99)]
FolderName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,30}\Z")]
RestartInterval = Annotated[float, msgspec.Meta(ge=0, le=3600)]
RestartReset = Annotated[float, msgspec.Meta(gt=0, le=2**31 - 1)]


class Service(Section, frozen=True, kw_only=True):
    """One supervised process. Times are in seconds."""

    name: Text
    command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    after: tuple[str, ...] = ()
    """The services that must be ready before this one starts."""
    enabled: bool = True
    start_limit: Seconds | None = None
    stop_limit: Seconds | None = None
    watchdog: Seconds | None = None
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    user: str | None = None
    run_folder: FolderName | None = None
    """A folder of its own in the logical host's run-time state, made for its user (0700) before it starts."""
    restart: Literal[0, 1] = 0
    restart_count: RestartCount = 3
    restart_interval: RestartInterval = 3
    restart_reset: RestartReset = 3600
    """A service that lived this long begins with a count of none again."""


class Suite(Section, frozen=True, kw_only=True):
    """A set of services under one process manager."""

    suite: str
    on_service_failure: Literal["report", "stop-all"] = "report"
    process_events: bool = True
    """Whether the event service is told of services that end abnormally, start too late or were restarted."""
    service: tuple[Service, ...] = ()

    @property
    def enabled(self) -> dict[str, Service]:
        """The services that run and are required, by name."""
        return {service.name: service for service in self.service if service.enabled}

    @property
    def dependencies(self) -> graph.Dependencies:
        """What each enabled service waits for. One that is off keeps nobody waiting."""
        enabled = self.enabled
        return {name: frozenset(service.after) & enabled.keys() for name, service in enabled.items()}


def load(host: LogicalHost, suite: str) -> Suite:
    """The definition of `suite`, with every limit, user and placeholder filled in.

    Raises SuiteFileMissing, UnsafeSuiteFile, MalformedSuite or RestartForbidden. It reads the shared disk, which may
    hang.
    """
    path = host.shared.suite_file(suite)
    try:
        with path.open(encoding="utf-8") as file:
            _check_owner(path, os.fstat(file.fileno()))
            text = file.read(MAXIMUM_BYTES)
    except FileNotFoundError:
        raise SuiteFileMissing(name=host.name, suite=suite, path=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedSuite(path=path, key="the file", problem=f"cannot be read ({error})") from None
    definition = complete(parse(text, path, suite, logical=host.is_logical), host)
    for service in definition.service:
        if service.run_folder in host.suites:
            problem = "expected a name that is no suite's"
            raise MalformedSuite(path=path, key=f"service {service.name}: run-folder", problem=problem)
    return definition


def _check_owner(path: Path, file: os.stat_result) -> None:
    """Root runs what stands there, as any user: nobody else may have written it. Raises UnsafeSuiteFile."""
    if os.geteuid() != 0:
        return
    for of, state in ((path, file), (path.parent, path.parent.stat())):
        if state.st_uid != 0 or state.st_mode & 0o022:
            raise UnsafeSuiteFile(path=path, of=of, uid=state.st_uid, mode=f"{state.st_mode & 0o777:o}")


def parse(text: str, path: Path, suite: str, *, logical: bool) -> Suite:
    """The definition in `text`; `path` is only for messages. Raises MalformedSuite or RestartForbidden."""
    try:
        definition = read_toml(text, path, Suite)
    except MalformedDefinition as error:
        raise MalformedSuite(**error.facts) from None
    for problem in _wrong(definition, text, path, suite, logical):
        raise problem
    return definition


def problems(text: str, path: Path, suite: str, *, logical: bool) -> Iterator[BanshoError]:
    """Everything that is wrong with the definition in `text`."""
    malformed = [MalformedSuite(**each.facts) for each in malformations(text, path, Suite)]
    yield from malformed or _wrong(read_toml(text, path, Suite), text, path, suite, logical)


def _wrong(definition: Suite, text: str, path: Path, suite: str, logical: bool) -> Iterator[BanshoError]:
    for key, problem in _problems(definition, suite):
        yield MalformedSuite(path=path, key=key, problem=problem)
    for service in definition.service if logical else ():
        if service.restart:
            yield RestartForbidden(path=path, line=_line_of_restart(text, service.name), service=service.name)


def _problems(definition: Suite, suite: str) -> Iterator[tuple[str, str]]:
    if definition.suite != suite:
        yield "suite", f"expected {suite!r} as in the file's name"
    known = Counter(service.name for service in definition.service)
    for name, times in known.items():
        if not NAME.fullmatch(name) or len(name) > limits.NAME_BYTES:
            yield f"service {name!r}", "expected a name of letters, digits, '.', '_' and '-'"
        if times > 1:
            yield f"service {name}", f"stands {times} times; expected each name once"
    for service in definition.service:
        for unknown in sorted(set(service.after) - set(known)):
            yield f"service {service.name}: after", f"there is no service {unknown!r} in this file"
        if any("\0" in part for part in (*service.command, *service.environment, *service.environment.values())):
            yield f"service {service.name}", "expected no NUL in command and environment"
        if any(not name or "=" in name for name in service.environment):
            yield f"service {service.name}: environment", "expected names without '='"
        if not service.command[0]:
            yield f"service {service.name}: command", "expected a program first"
    cycle = graph.cycle({service.name: frozenset(service.after) for service in definition.service})
    if cycle:
        yield "after", f"services wait for each other: {' -> '.join(cycle)}"
    if not definition.enabled:
        yield "service", "expected at least one that is enabled"


def _line_of_restart(text: str, service: str) -> int:
    """The line, from 1, of the `restart` in the table of `service`."""
    line_of: dict[str, int] = {}
    names: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        key, equals, value = (part.strip() for part in line.partition("="))
        if line.strip().startswith("[[service]]"):
            names, line_of = [], {}
        elif equals and key == "name":
            names.append(value.partition("#")[0].strip().strip("\"'"))
        elif equals and key == "restart":
            line_of["restart"] = number
        if service in names and "restart" in line_of:
            return line_of["restart"]
    return 1


def complete(definition: Suite, host: LogicalHost) -> Suite:
    """The definition with the logical host's limits and user where it names none, and its placeholders filled."""
    return msgspec.structs.replace(
        definition, service=tuple(_complete(service, host) for service in definition.service)
    )


def _complete(service: Service, host: LogicalHost) -> Service:
    return msgspec.structs.replace(
        service,
        command=tuple(fill(part, host) for part in service.command),
        environment={name: fill(value, host) for name, value in service.environment.items()},
        start_limit=service.start_limit or host.limits.service_start,
        stop_limit=service.stop_limit or host.limits.service_stop,
        user=service.user or host.user,
    )


def fill(text: str, host: LogicalHost) -> str:
    """`text` with `{python}`, `{host}` and `{shared}` filled in; other braces stay as they are."""
    known = {"{python}": sys.executable, "{host}": host.name, "{shared}": host.shared_directory}
    for placeholder, value in known.items():
        text = text.replace(placeholder, value)
    return text
