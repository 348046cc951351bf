"""What must be installed: PostgreSQL, its user, the resource agents and the commands that they run."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bansho.cluster import install, model
from bansho.cluster.agent import command
from bansho.cluster.doctor.finding import Finding, Subject, right, unknown, warning, wrong
from bansho.cluster.errors import CommandMissing
from bansho.contract import suites
from bansho.database import account, programs
from bansho.database.errors import ProgramsAbsent, UnknownUser
from bansho.logicalhost.definition import LogicalHost

OLDEST = 14
"""The oldest major version of PostgreSQL that its project still mends (in 2026)."""
OTHERS = tuple(Path("/usr/lib/ocf/resource.d/heartbeat", name) for name in ("Filesystem", "IPaddr2"))
AGENT = Path("/", install.PLACE)


def uses_database(host: LogicalHost) -> bool:
    """Whether our own Manager runs on it with the IM database."""
    return "manager" in host.suites and host.cluster.database and not host.cluster.manager_commands


def postgresql(subject: Subject) -> Iterator[Finding]:
    """A version that is maintained, and the one that made the data."""
    host = subject.host
    if not uses_database(host):
        yield right("this logical host uses no IM database of ours")
        return
    try:
        folder = programs.bindir(host)
        version = programs.major_version(folder)
    except ProgramsAbsent as error:
        yield wrong(str(error), "install PostgreSQL's server on this node")
        return
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        yield wrong(f"PostgreSQL does not say its version ({error})", "repair its installation")
        return
    if version < OLDEST:
        yield warning(f"PostgreSQL {version} is no longer maintained", f"install {OLDEST} or newer on every node")
    else:
        yield right(f"PostgreSQL {version} in {folder}")
    yield made_by(subject, version)


def made_by(subject: Subject, version: int) -> Finding:
    """Whether the data was made by the version that is installed."""
    file = subject.host.shared.database / "PG_VERSION"
    if not subject.online:
        todo = "run this on the active node, and compare: bansho cluster diff"
        return unknown("which version made the data: the shared directory is not on this node", todo)
    if not file.exists():
        return right("there is no database yet")
    made = file.read_text().strip()
    if made != str(version):
        return wrong(f"PostgreSQL {version} cannot run data made by {made}", f"install PostgreSQL {made} on every node")
    return right(f"the data was made by PostgreSQL {made}")


def user(subject: Subject) -> Iterator[Finding]:
    """Who the services and the database run as: known, not root, and able to run the programs."""
    host = subject.host
    if host.user is None:
        yield warning("the definition names no user", "set user, with the same number on every node")
    else:
        try:
            entry = pwd.getpwnam(host.user)
        except KeyError:
            todo = f"useradd --system {host.user}, with the same number on every node"
            yield wrong(f"user {host.user} does not exist on this node", todo)
            return
        if entry.pw_uid == 0:
            yield wrong("the services would run as root, which PostgreSQL refuses", "name another user")
            return
        yield right(f"user {host.user} has number {entry.pw_uid}")
    if uses_database(host):
        yield can_run(host)


def can_run(host: LogicalHost) -> Finding:
    """Whether the database's user may execute PostgreSQL."""
    if os.geteuid() != 0:
        return unknown("whether the user can run PostgreSQL: that takes root", "run this as root")
    try:
        who, program = account.of(host), programs.bindir(host) / "postgres"
        done = subprocess.run(
            [program, "--version"], capture_output=True, check=False, timeout=10, cwd="/", **who.for_child()
        )
    except (ProgramsAbsent, UnknownUser, OSError, subprocess.SubprocessError) as error:
        return wrong(f"the database's user cannot run PostgreSQL ({error})", "let it read and enter the folders")
    if done.returncode != 0:
        return wrong(f"user {who.name} cannot run {program}", "let it read and enter the folders above")
    return right(f"user {who.name} can run {program}")


def agents(subject: Subject) -> Iterator[Finding]:
    """The resource agents, and every command that ours runs."""
    yield ours()
    for path in OTHERS:
        if os.access(path, os.X_OK):
            yield right(f"{path.name} is installed")
        else:
            yield wrong(f"{path} is not on this node", "install the package resource-agents")
    yield from commands(subject.host)
    yield from waiting(subject.host)


def ours() -> Finding:
    """Whether our agent is there as this installation would write it."""
    todo = "bansho cluster agent install"
    if not os.access(AGENT, os.X_OK):
        return wrong(f"{AGENT} is not on this node", todo)
    if AGENT.read_text(errors="replace") != install.agent_text(install.OUR_COMMANDS):
        return wrong(f"{AGENT} is of another installation than this one", todo)
    return right(f"{AGENT} is installed")


def commands(host: LogicalHost) -> Iterator[Finding]:
    """Whether each suite's commands are where the definition says."""
    folders = {"base": host.cluster.base_commands, "manager": host.cluster.manager_commands}
    for suite in host.suites:
        place = folders.get(suite) or str(install.OUR_COMMANDS)
        names = suites.COMMANDS[suite]
        wanted = [names.start, names.stop, names.status, names.killall]
        if suite == "manager" and host.cluster.database:
            wanted.append(suites.DATABASE_STATUS)
        missing = [error for each in wanted if (error := absent(each, place))]
        yield from (wrong(each, f"install it, or correct cluster.{suite}-commands") for each in missing)
        if not missing:
            yield right(f"the commands of {suite} are in {place}")


def waiting(host: LogicalHost) -> Iterator[Finding]:
    """Where monitors wait at the suites: the program that does."""
    if not any(model.wait(host, suite) for suite in host.suites):
        return
    if shutil.which("flock"):
        yield right("failures are told at once, with flock")
    else:
        yield warning("flock is not on this node, so that failures are found by polling", "install util-linux")


def absent(name: str, folders: str) -> str:
    """Why a command cannot be run; empty when it can."""
    try:
        command.find(name, folders)
    except CommandMissing as error:
        return str(error)
    return ""
