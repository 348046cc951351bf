"""Single checks of the doctor, each with its condition brought about."""

import os
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bansho.cluster.doctor import clock, directory, disk, examine, membership, names, network, programs
from bansho.cluster.doctor.finding import Check, Examined, Finding, Level, Subject, ask, right, unknown, warning, wrong
from bansho.cluster.pacemaker import fencing
from bansho.cluster.pacemaker.cib import parse
from bansho.logicalhost import definition
from bansho.logicalhost.definition import Disk, LogicalHost

if TYPE_CHECKING:
    from tests.house import House


def define(house: "House", keys: str = "", name: str = "watch", directory: str = "disk/shared") -> LogicalHost:
    text = f"""\
name = "{name}"
shared-directory = "{house.root}/{directory}"
{keys}
"""
    (house.etc / f"logical-hosts/{name}.toml").write_text(text)
    return definition.load(name)


def subject(host: LogicalHost, cib: str = "", node: str = "n1", home: str = "", online: bool = False) -> Subject:
    return Subject(host, node, online, parse(cib) if cib else None, home)


def levels(findings: Iterable[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


def words(findings: Iterable[Finding], level: Level = Level.PROBLEM) -> str:
    return " | ".join(each.what for each in findings if each.level is level)


@pytest.mark.parametrize("listens", ["0.0.0.0", "127.0.0.1"])
def test_a_port_that_somebody_has_is_taken(house: "House", listens: str) -> None:
    with socket.create_server((listens, 0)) as taken:
        port = taken.getsockname()[1]
        host = define(house, f'address = "127.0.0.1"\nports = {{ event-service = {port}, console = {port + 1} }}')
        found = list(network.ports(subject(host)))
        assert f"port {port} (ports.event-service) is taken: something listens at {listens}" in words(found)
        running = list(network.ports(subject(host, home="n1")))
        assert bool(words(running)) == (listens == "0.0.0.0"), "its own listener is no stranger"


def test_a_listener_on_ipv6_is_seen() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        assert ("::1", taken.getsockname()[1]) in network.listening()


def test_a_directory_of_two_hosts_is_found(house: "House") -> None:
    host = define(house, 'address = "192.0.2.10/24"')
    assert levels(directory.alone(subject(host))) == [Level.OK]
    define(house, 'address = "192.0.2.11/24"', "guard", "disk/shared/inner")
    assert "watch has the shared directory" in words(directory.alone(subject(host)))
    define(house, 'address = "192.0.2.10/24"', "guard", "elsewhere")
    assert "watch has the address 192.0.2.10, and so has logical host guard" in words(directory.alone(subject(host)))


def test_a_link_to_the_same_directory_is_found(house: "House") -> None:
    (house.root / "disk/shared").mkdir(parents=True)
    (house.root / "link").symlink_to(house.root / "disk")
    define(house, 'address = "192.0.2.11/24"', "guard", "link/shared")
    assert "watch has the shared directory" in words(directory.alone(subject(define(house))))


def test_a_definition_that_cannot_be_read_is_no_all_clear(house: "House") -> None:
    (house.etc / "logical-hosts/guard.toml").write_text("nonsense")
    assert Level.UNKNOWN in levels(directory.alone(subject(define(house))))


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("place", ["logical-hosts/watch.toml", "logical-hosts", "."])
def test_a_definition_that_another_than_root_can_change_is_found(house: "House", place: str) -> None:
    host = define(house)
    path = house.etc / place
    os.chown(path, 1234567, 0)
    found = words(directory.permissions(subject(host)))
    assert found == f"{path} belongs to number 1234567, who can change it"
    os.chown(path, 0, 0)
    path.chmod(path.stat().st_mode | 0o020)
    assert f"{path} may be changed by others than its owner" in words(directory.permissions(subject(host)))


def test_a_definition_that_no_cluster_takes_is_wrong_not_unknown(house: "House") -> None:
    host = define(house, 'suites = ["manager", "base"]')
    check = next(each for each in examine.CHECKS if each.look is membership.budget)
    examined = list(examine.examine(subject(host), [check]))
    assert examine.verdict(examined) == examine.WRONG
    assert "BSHO6001-E" in words(examined[0].findings)


@pytest.mark.usefixtures("as_root")
def test_secrets_that_everybody_may_read_are_found(house: "House") -> None:
    host = define(house, directory="shared")
    secret = host.shared.conf / "tokens.json"
    secret.touch(0o600)
    assert levels(directory.permissions(subject(host, online=True))) == [Level.OK, Level.OK]
    secret.chmod(0o604)
    assert "tokens.json may be read or changed by everybody (-rw----r--)" in words(
        directory.permissions(subject(host, online=True))
    )


def test_data_of_another_postgresql_is_found(house: "House") -> None:
    host = define(house, directory="shared")
    assert programs.made_by(subject(host, online=True), 15) == right("there is no database yet")
    host.shared.database.mkdir()
    (host.shared.database / "PG_VERSION").write_text("13\n")
    assert "PostgreSQL 15 cannot run data made by 13" in programs.made_by(subject(host, online=True), 15).what
    assert programs.made_by(subject(host, online=False), 15).level is Level.UNKNOWN


def test_a_postgresql_that_is_not_there_or_does_not_speak_is_found(house: "House") -> None:
    folder = house.root / "bin"
    keys = f'database = {{ bindir = "{folder}" }}'
    assert levels(programs.postgresql(subject(define(house, keys)))) == [Level.PROBLEM]
    folder.mkdir()
    (folder / "postgres").write_text("#!/bin/sh\nexit 1\n")
    (folder / "postgres").chmod(0o755)
    assert "does not say its version" in words(programs.postgresql(subject(define(house, keys))))
    (folder / "postgres").write_text("#!/bin/sh\necho postgres '(PostgreSQL)' 11.5\n")
    assert "PostgreSQL 11 is no longer maintained" in words(
        programs.postgresql(subject(define(house, keys))), Level.WARNING
    )
    without = define(house, f"{keys}\ncluster = {{ database = false }}")
    assert levels(programs.postgresql(subject(without))) == [Level.OK]


def test_the_services_must_not_be_roots(house: "House") -> None:
    assert "would run as root" in words(programs.user(subject(define(house, 'user = "root"'))))
    assert Level.WARNING in levels(programs.user(subject(define(house))))


@pytest.mark.usefixtures("as_root")
def test_a_user_that_cannot_reach_postgresql_is_found(house: "House") -> None:
    folder = house.root / "closed"
    folder.mkdir(0o700)
    (folder / "postgres").symlink_to("/bin/true")
    host = define(house, f'user = "nobody"\ndatabase = {{ bindir = "{folder}" }}')
    assert "cannot run PostgreSQL" in words(programs.user(subject(host)))
    folder.chmod(0o755)
    assert words(programs.user(subject(host))) == ""


def test_a_monitor_that_waits_needs_its_program(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    assert levels(programs.waiting(define(house))) == [Level.OK]
    monkeypatch.setenv("PATH", str(house.root))
    found = list(programs.waiting(define(house)))
    assert "flock is not on this node" in words(found, Level.WARNING)
    assert list(programs.waiting(define(house, "cluster = { push = false }"))) == []


def test_commands_of_another_product_must_be_there(house: "House") -> None:
    (house.root / "opt").mkdir()
    host = define(house, f'cluster = {{ base-commands = "{house.root}/opt" }}')
    found = list(programs.commands(host))
    assert "command jbs_start.cluster: expected an executable" in words(found)
    assert "jco" not in words(found)


@pytest.mark.parametrize("option", ["barrier=0", "data=writeback"])
def test_a_mount_option_that_loses_data_is_found(house: "House", option: str) -> None:
    host = define(house, f'disk = {{ device = "/dev/d", mount-point = "{house.root}", options = "noatime,{option}" }}')
    assert option in words(disk.options(subject(host)))


def test_only_lines_that_mount_the_disk_by_themselves_count(tmp_path: Path) -> None:
    (tmp_path / "by-label").symlink_to(tmp_path / "sda")
    shared = Disk(device=str(tmp_path / "by-label"), mount_point="/srv/watch")
    fstab = f"""\
# {tmp_path}/sda /srv/watch ext4 defaults
{tmp_path}/sda /srv/watch ext4 noauto,noatime 0 0
/dev/other /srv/watcher ext4 defaults 0 0
"""
    assert disk.at_boot(fstab, shared) == []
    assert len(disk.at_boot(f"{tmp_path}/sda /elsewhere ext4 noatime 0 0\n", shared)) == 1
    assert len(disk.at_boot("/dev/other /srv/watch/ ext4 noatime 0 0 # why\n", shared)) == 1


def test_the_clock_is_asked_and_judged() -> None:
    assert clock.judged(clock.CLOCK_ERROR).level is Level.WARNING
    assert clock.judged(0).level is Level.OK
    assert 0 <= clock.state() <= clock.CLOCK_ERROR


CIB = """\
<cib have-quorum="{quorum}"><configuration>
<crm_config><cluster_property_set id="o"><nvpair id="o-q" name="no-quorum-policy" value="{policy}"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources>{resources}</resources><constraints/></configuration>
<status><node_state uname="n2"><transient_attributes><instance_attributes>
<nvpair name="bansho-watch" value="{told}"/>
</instance_attributes></transient_attributes></node_state></status></cib>"""


def cib(quorum: int = 1, policy: str = "stop", resources: str = "", told: str = "") -> str:
    return CIB.format(quorum=quorum, policy=policy, resources=resources, told=told)


def test_quorum_that_is_missing_or_ignored_is_found(house: "House") -> None:
    host = define(house)
    assert words(membership.quorum(subject(host, cib()))) == ""
    assert "no quorum now" in words(membership.quorum(subject(host, cib(quorum=0))))
    assert "no-quorum-policy is ignore" in words(membership.quorum(subject(host, cib(policy="ignore"))))


def test_a_node_that_is_not_the_clusters_is_found(house: "House") -> None:
    host = define(house, 'cluster = { nodes = ["n1", "n9"] }')
    assert "the cluster has no node n9" in words(membership.name(subject(host, cib())))
    assert "this node is n3" in words(membership.name(subject(host, cib(), node="n3")))


def test_missing_fencing_is_found_and_untried_fencing_is_no_proof(house: "House") -> None:
    assert "no fencing device" in words(membership.fencing(subject(define(house), cib())))
    history = """<pacemaker-result><fence_history>
<fence_event action="reboot" target="n1" status="success"/><fence_event target="n2" status="failed"/>
</fence_history></pacemaker-result>"""
    assert membership.proven(parse(history)) == {"n1"}


def test_a_node_that_no_device_can_fence_is_found(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    """The device and its history are there all the same."""
    able = {"": frozenset({"fence"}), "n1": frozenset({"fence"})}
    monkeypatch.setattr(fencing, "usable", lambda node="": able.get(node, frozenset()))
    monkeypatch.setattr(membership, "ask", lambda *_: subprocess.CompletedProcess((), 0, "<history/>", ""))
    host = define(house, 'cluster = { nodes = ["n1", "n2"] }')
    live = subject(host, cib(resources='<primitive id="fence" class="stonith" type="fence_x"/>'))
    assert words(membership.fencing(live)) == "no fencing device can fence n2"
    able["n2"] = able["n1"]
    assert words(membership.fencing(live)) == ""


def test_nodes_that_differ_are_found(house: "House") -> None:
    host = define(house, 'cluster = { nodes = ["n1", "n2", "n3"] }')
    found = list(membership.alike(subject(host, cib(told="definition=0123 bansho=0.0.1"))))
    assert "the definition on n2 is 0123" in words(found)
    assert "bansho's version on n2 is 0.0.1" in words(found)
    assert "n3 has told nothing yet" in words(found, Level.UNKNOWN)


def test_a_program_that_is_missing_leaves_the_check_unmade(
    house: "House", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check = Check("names", "because", names.look)
    assert [each.findings for each in examine.examine(subject(define(house)), [check])] == [
        (unknown("getent is not on this node", "mend that, and examine the node again"),)
    ]


def test_a_program_that_hangs_leaves_the_check_unmade(
    house: "House", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bansho.cluster.doctor.finding.ANSWERS_WITHIN", 0.1)
    monkeypatch.setattr(names, "answers", lambda *_: ask("sleep", "60").stdout.splitlines())
    check = Check("names", "because", names.look)
    assert levels(next(examine.examine(subject(define(house)), [check])).findings) == [Level.UNKNOWN]


@pytest.mark.parametrize(
    ("findings", "value"),
    [
        ([right("a")], examine.RIGHT),
        ([right("a"), warning("b", "c")], examine.RIGHT),
        ([unknown("a", "b"), right("c")], examine.INCOMPLETE),
        ([unknown("a", "b"), wrong("c", "d")], examine.WRONG),
    ],
)
def test_the_verdict(findings: list[Finding], value: int) -> None:
    check = Check("name", "why", lambda _: ())
    assert examine.verdict([Examined(check, tuple(findings))]) == value


def test_every_check_has_a_name_of_its_own() -> None:
    named = [check.name for check in examine.CHECKS]
    assert len(set(named)) == len(named)
