"""The suite file: what it may say, and that each mistake is one line that names it."""

import os
from pathlib import Path

import pytest
from tests.house import House
from tests.process.nobody import as_nobody

from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition as hosts
from bansho.process import definition, errors
from bansho.process.errors import MalformedSuite, RestartForbidden, SuiteFileMissing, UnsafeSuiteFile

PATH = Path("/shared/conf/base.toml")

GOOD = """\
suite = "base"
on-service-failure = "stop-all"

[[service]]
name = "event-service"
command = ["{python}", "-m", "{host}", "{shared}/x", "{other}"]
start-limit = 30
environment = { WHERE = "{shared}" }

[[service]]
name = "automation"
command = ["automation"]
after = ["event-service", "off"]
watchdog = 10.0
user = "operator"

[[service]]
name = "off"
command = ["off"]
enabled = false
"""


def parse(text: str, *, logical: bool = True) -> definition.Suite:
    return definition.parse(text, PATH, "base", logical=logical)


def test_a_whole_definition() -> None:
    suite = parse(GOOD)
    assert list(suite.enabled) == ["event-service", "automation"]
    assert suite.on_service_failure == "stop-all"
    assert suite.dependencies == {"event-service": frozenset(), "automation": frozenset({"event-service"})}


def test_limits_users_and_placeholders_are_filled_in(house: House) -> None:
    house.define("watch", "[limits]\nservice-start = 7\nservice-stop = 3", user='"bansho"')
    house.suite("base", GOOD)
    first, second, _ = definition.load(hosts.load("watch"), "base").service
    assert first.command[1:] == ("-m", "watch", f"{house.shared}/x", "{other}")
    assert first.command[0].endswith("python3") or "python" in first.command[0]
    assert first.environment == {"WHERE": str(house.shared)}
    assert (first.start_limit, first.stop_limit, first.user) == (30, 3, "bansho")
    assert (second.start_limit, second.user) == (7, "operator")


def test_a_missing_file_says_what_to_do(house: House) -> None:
    house.define()
    with pytest.raises(SuiteFileMissing, match="bansho setup watch"):
        definition.load(hosts.load("watch"), "base")


def test_a_file_that_is_no_text(house: House) -> None:
    house.define()
    (house.shared / "conf" / "base.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedSuite, match="cannot be read"):
        definition.load(hosts.load("watch"), "base")


SERVICE = '[[service]]\nname = "a"\ncommand = ["a"]\n'
MISTAKES = {
    "no TOML": ("suite = ", "expected TOML"),
    "no suite": (SERVICE, "suite"),
    "another suite": ('suite = "manager"', "expected 'base'"),
    "unknown key": ('suite = "base"\nspeed = 1', "speed"),
    "unknown key of a service": ('suite = "base"\n' + SERVICE + "speed = 1", "speed"),
    "no name": ('suite = "base"\n[[service]]\ncommand = ["a"]', "name"),
    "no command": ('suite = "base"\n[[service]]\nname = "a"', "command"),
    "empty command": ('suite = "base"\n[[service]]\nname = "a"\ncommand = []', "command"),
    "empty program": ('suite = "base"\n[[service]]\nname = "a"\ncommand = [""]', "program first"),
    "name with a slash": ('suite = "base"\n[[service]]\nname = "../a"\ncommand = ["a"]', "expected a name"),
    "twice": ('suite = "base"\n' + SERVICE + SERVICE, "2 times"),
    "unknown dependency": ('suite = "base"\n' + SERVICE + 'after = ["ghost"]', "ghost"),
    "on itself": ('suite = "base"\n' + SERVICE + 'after = ["a"]', "a -> a"),
    "circle": (
        'suite = "base"\n' + SERVICE + 'after = ["b"]\n[[service]]\nname = "b"\ncommand = ["b"]\nafter = ["a"]',
        "wait for each other",
    ),
    "negative limit": ('suite = "base"\n' + SERVICE + "start-limit = -1", "start-limit"),
    "wrong type": ('suite = "base"\n' + SERVICE + 'watchdog = "soon"', "watchdog"),
    "unknown policy": ('suite = "base"\non-service-failure = "ignore"', "on-service-failure"),
    "restart neither 0 nor 1": ('suite = "base"\n' + SERVICE + "restart = 2", "restart"),
    "restart-count too large": ('suite = "base"\n' + SERVICE + "restart-count = 100", "restart-count"),
    "restart-interval too large": ('suite = "base"\n' + SERVICE + "restart-interval = 3601", "restart-interval"),
    "NUL": ('suite = "base"\n[[service]]\nname = "a"\ncommand = ["a\\u0000"]', "NUL"),
    "environment name": ('suite = "base"\n' + SERVICE + 'environment = { "A=B" = "c" }', "environment"),
}


@pytest.mark.parametrize(("text", "named"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_is_one_line_that_names_it(text: str, named: str) -> None:
    with pytest.raises(MalformedSuite) as caught:
        parse(text)
    assert str(PATH) in str(caught.value)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


RESTARTS = {
    "after the name": ('suite = "base"\n\n[[service]]\nname = "b"\ncommand = ["b"]\nrestart = 1\n', 6),
    "before the name": ('suite = "base"\n[[service]]\nrestart = 1 # quickly\nname = "b"\ncommand = ["b"]\n', 3),
    "the second service": ('suite = "base"\n' + SERVICE + '[[service]]\nname = "b"\nrestart=1\ncommand = ["b"]\n', 7),
    "beside a restart of 0": (
        'suite = "base"\n' + SERVICE + 'restart = 0\n[[service]]\nname = "b"\nrestart = 1\ncommand = ["b"]\n',
        8,
    ),
    "in one line with the rest": ('suite = "base"\nservice = [{ name = "b", command = ["b"], restart = 1 }]\n', 1),
}


@pytest.mark.parametrize(("text", "line"), RESTARTS.values(), ids=RESTARTS)
def test_a_restart_on_a_logical_host_is_an_error_with_file_and_line(text: str, line: int) -> None:
    with pytest.raises(RestartForbidden, match=f"{PATH}, line {line}: service b"):
        parse(text)
    assert parse(text, logical=False).enabled["b"].restart == 1


def test_every_mistake_at_once() -> None:
    """What a check prints; what cannot be read at all is not looked at any further."""
    malformed, wrong = "speed = 1\nrestart = 2", 'after = ["ghost"]\nrestart = 1'
    for keys, named in ((malformed, ["speed", "restart"]), (wrong, ["ghost", "restart is not allowed"])):
        found = [
            str(each) for each in definition.problems(f'suite = "base"\n{SERVICE}{keys}', PATH, "base", logical=True)
        ]
        assert len(found) == 2, found
        assert all(name in "".join(found) for name in named)


def test_a_run_folder_is_not_a_suites_own(house: House) -> None:
    house.define()
    house.suite("base", f'suite = "base"\n{SERVICE}run-folder = "manager"\n')
    with pytest.raises(MalformedSuite, match="service a: run-folder: expected a name that is no suite's"):
        definition.load(hosts.load("watch"), "base")


def test_every_error_of_process_management_has_an_id_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BanshoError)]
    kinds.remove(BanshoError)
    assert len({kind.id for kind in kinds}) == len(kinds)
    assert all(kind.id.startswith("BSHO2") for kind in kinds)


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("whose", ["file", "folder"])
def test_root_runs_no_definition_that_somebody_else_could_have_written(house: House, whose: str) -> None:
    house.define("watch")
    path = house.suite("base", 'suite = "base"\n[[service]]\nname = "one"\ncommand = ["true"]\n')
    host = hosts.load("watch")
    assert definition.load(host, "base").suite == "base"
    os.chown(path if whose == "file" else path.parent, 65534, -1)
    with pytest.raises(UnsafeSuiteFile, match="belongs to user id 65534"):
        definition.load(host, "base")
    os.chown(path if whose == "file" else path.parent, 0, -1)
    (path if whose == "file" else path.parent).chmod(0o777)
    with pytest.raises(UnsafeSuiteFile, match="mode 777"):
        definition.load(host, "base")


@pytest.mark.usefixtures("as_root")
def test_who_is_not_root_runs_what_anybody_wrote(house: House) -> None:
    house.define("watch")
    path = house.suite("base", 'suite = "base"\n[[service]]\nname = "one"\ncommand = ["true"]\n')
    path.chmod(0o666)
    assert as_nobody(lambda: definition.load(hosts.load("watch"), "base").suite) == "base"


def test_a_suite_without_an_enabled_service_is_no_suite() -> None:
    for text in ('suite = "base"', 'suite = "base"\n[[service]]\nname = "one"\ncommand = ["true"]\nenabled = false'):
        with pytest.raises(MalformedSuite, match="at least one that is enabled"):
            definition.parse(text, Path("/x"), "base", logical=True)
