"""`bansho check` and `bansho import`, as an operator calls them."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.house import House

from bansho import cli
from bansho.contract.messages import BanshoError

CLEAN = "evtcon||0|3|3|3600|\njcamain|-a|0|3|3|3600|\n"
RESTARTS = "# Manager\nevtcon||0|3|3|3600|\njcamain|-a|1|3|3|3600|\n"
SUITE = 'suite = "base"\n[[service]]\nname = "x"\ncommand = ["true"]\n'


@pytest.fixture
def conf(house: House) -> Path:
    path = house.root / "jp1co_service.conf"
    path.write_text(RESTARTS)
    return path


def test_restart_on_a_logical_host_is_reported_with_file_and_line(house: House, conf: Path) -> None:
    ended = house.command("bansho", "check", str(conf))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"BSHO2003-E {conf}, line 3: service jcamain: restart is not allowed")
    assert len(ended.stderr.splitlines()) == 1


def test_the_host_decides_where_it_is_named(house: House, conf: Path) -> None:
    house.define("watch")
    house.define("physical", kind='"physical"')
    assert house.command("bansho", "check", str(conf), "--host", "watch").returncode == 1
    assert house.command("bansho", "check", str(conf), "--host", "physical").returncode == 0
    assert house.command("bansho", "check", str(conf), "--physical").returncode == 0
    unknown = house.command("bansho", "check", str(conf), "--host", "nobody")
    assert (unknown.returncode, unknown.stderr.split()[0]) == (1, "BSHO1002-E")


def test_every_file_and_every_line_is_named(house: House, conf: Path) -> None:
    conf.write_text("evtcon\njcamain||1|3|3|3600|\nevgen||x|3|3|3600|\n")
    settings_file = house.root / "conf"
    settings_file.write_text("ports 1 2 3\nrestart 4 15 3600\n")
    suite = house.suite("base", SUITE + "restart = 1\n")
    ended = house.command("bansho", "check", *map(str, (conf, settings_file, suite, house.define())))
    assert ended.returncode == 1
    found = [(line.split()[0], line.split(": ")[0].partition(" ")[2]) for line in ended.stderr.splitlines()]
    assert found == [
        ("BSHO2016-E", f"{conf}, line 1"),
        ("BSHO2016-E", f"{conf}, line 3"),
        ("BSHO2003-E", f"{conf}, line 2"),
        ("BSHO2003-E", f"{settings_file}, line 2"),
        ("BSHO2003-E", f"{suite}, line 5"),
    ]
    assert ended.stdout == f"{house.etc}/logical-hosts/watch.toml: nothing is wrong\n"


def test_every_mistake_in_a_file_of_ours_is_named(house: House) -> None:
    suite = house.suite("base", SUITE + "restart = 1\nafter = ['nobody']\n[[service]]\nname = 'x'\ncommand = ['']\n")
    host = house.define("watch", "[ports]\nconsole = 0\nevents = 1\n")
    ended = house.command("bansho", "check", str(suite), str(host))
    assert ended.returncode == 1
    assert [line.partition(" ")[2].removeprefix(f"{suite}") for line in ended.stderr.splitlines()] == [
        ": service x: stands 2 times; expected each name once",
        ": service x: after: there is no service 'nobody' in this file",
        ": service x: command: expected a program first",
        ", line 5: service x: restart is not allowed on a logical host; remove it: the cluster software restarts,"
        " or fails over",
        f"{host}: ports.console: Expected `int` >= 1",
        f"{host}: ports: Object contains unknown field `events`; expected console, event-service",
    ]


def test_clean_files_end_with_0(house: House, conf: Path) -> None:
    conf.write_text(CLEAN)
    ended = house.command("bansho", "check", str(conf), str(house.suite("base", SUITE)))
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("other.conf", b"", "BSHO9017-E"),
        ("base.toml", b"\xff", "BSHO9018-E"),
        ("base.toml", b"suite", "BSHO1003-E"),
        ("base.toml", b"a = " + b"[" * 5000, "BSHO1003-E"),
        ("base.toml", b"a = " + b"1" * 5000, "BSHO1003-E"),
        ("base.toml", SUITE.replace("base", "other").encode(), "BSHO2002-E"),
        ("base.toml", b'suite = "base"\nx = 1', "BSHO2002-E"),
        ("conf", b"#" * ((1 << 20) + 1), "BSHO9018-E"),
    ],
)
def test_what_is_no_such_file_is_one_line(house: House, name: str, content: bytes, expected: str) -> None:
    path = house.root / name
    path.write_bytes(content)
    ended = house.command("bansho", "check", str(path))
    assert (ended.returncode, ended.stderr.split()[0], ended.stderr.count("\n")) == (1, expected, 1)


def test_a_missing_file_is_one_line(house: House) -> None:
    for path in (house.root / "conf", house.root):
        ended = house.command("bansho", "check", str(path / "conf"))
        assert (ended.returncode, ended.stderr.split()[0]) == (1, "BSHO9018-E")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["jp1co_service.conf", "jp1bs_service_0700.conf", "conf", "base.toml"]), st.binary(max_size=300))
def test_any_bytes_are_checked_and_imported_without_a_traceback(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for arguments in (["check", str(path)], ["import", str(path), "--suite", "base"]):
        ended = CliRunner().invoke(cli.group, arguments)
        assert ended.exit_code in (0, 1)
        assert ended.exception is None or isinstance(ended.exception, SystemExit | BanshoError)


def test_import_writes_a_suite_that_checks_clean(house: House, conf: Path) -> None:
    out = house.root / "manager.toml"
    ended = house.command("bansho", "import", str(conf), "--suite", "manager", "-o", str(out))
    assert ended.returncode == 0, ended.stderr
    assert "jcamain: restart is left out (line 3)" in ended.stderr
    assert "restart (3 times, 3 s apart, counted anew after 3600 s) is left out" in out.read_text()
    assert house.command("bansho", "check", str(out)).returncode == 0


def test_import_for_a_physical_host_keeps_restart(house: House, conf: Path) -> None:
    ended = house.command("bansho", "import", str(conf), "--suite", "manager", "--physical")
    assert ended.returncode == 0
    assert "restart = 1\nrestart-count = 3\nrestart-interval = 3\nrestart-reset = 3600\n" in ended.stdout
    assert ended.stderr == ""


def test_import_writes_nothing_from_a_malformed_file_and_over_nothing(house: House, conf: Path) -> None:
    out = house.root / "manager.toml"
    out.write_text("mine")
    taken = house.command("bansho", "import", str(conf), "--suite", "manager", "-o", str(out))
    assert (taken.returncode, taken.stderr.splitlines()[-1].split()[0]) == (1, "BSHO9019-E")
    assert out.read_text() == "mine"
    conf.write_text("evtcon|")
    malformed = house.command("bansho", "import", str(conf), "--suite", "manager")
    assert (malformed.returncode, malformed.stdout, malformed.stderr.split()[0]) == (1, "", "BSHO2016-E")
    conf.write_text("# nothing\n")
    empty = house.command("bansho", "import", str(conf), "--suite", "manager")
    assert (empty.returncode, empty.stdout, empty.stderr.split()[0]) == (1, "", "BSHO9018-E")
    settings_file = house.root / "conf"
    settings_file.write_text("restart 1 1 1\n")
    other = house.command("bansho", "import", str(settings_file), "--suite", "base")
    assert (other.returncode, other.stderr.split()[0]) == (1, "BSHO9017-E")
