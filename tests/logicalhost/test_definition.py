"""A definition is read strictly: each mistake is one line that names the file, the key and what was expected."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.house import House

from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition
from bansho.logicalhost.errors import BadName, MalformedDefinition, UnknownLogicalHost, UnreadableDefinition

PATH = Path("/etc/bansho/logical-hosts/watch.toml")
LEAST = 'name = "watch"\nshared-directory = "/srv/watch"\n'


def test_the_least_definition_has_the_contracts_limits() -> None:
    host = definition.parse(LEAST, PATH)
    assert host.is_logical
    assert host.suites == ("base", "manager")
    assert (host.limits.start, host.limits.stop) == (60.0, 60.0)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("name = ", "the file", "expected TOML"),
        ("", "the file", "missing required field `name`"),
        (LEAST + "colour = 1", "the file", "unknown field `colour`"),
        (LEAST + "[limits]\nstrat = 1", "limits", "unknown field `strat`"),
        (LEAST + '[limits]\nstart = "1"', "limits.start", "Expected `float`"),
        (LEAST + "[limits]\nstart = -1", "limits.start", "> 0"),
        (LEAST + "[cluster]\nretry-interval = 0.0625", "cluster.retry-interval", "at most 3 decimals"),
        (LEAST + "[cluster]\nmonitor-interval = 2.5001", "cluster.monitor-interval", "at most 3 decimals"),
        (LEAST + "[cluster]\ndeep-interval = 0.0001", "cluster.deep-interval", "at most 3 decimals"),
        (LEAST + "[cluster]\nfailure-window = 1e-9", "cluster.failure-window", "at most 3 decimals"),
        (LEAST + "[cluster]\nretry-interval = nan", "cluster.retry-interval", ""),
        (LEAST + "[cluster]\ndeep-interval = inf", "cluster.deep-interval", ""),
        (LEAST + "[ports]\nconsole = 70000", "ports.console", "<= 65535"),
        (LEAST + "[ports]\nconsole = 7710", "ports", "two different ports"),
        (LEAST + 'address = "10.0.0.300/24"', "address", "expected an IP address"),
        (LEAST + "suites = []", "suites", "at least one suite"),
        (LEAST + 'suites = ["base", "base"]', "suites", "each suite once"),
        (LEAST + 'suites = ["../base"]', "suites", "expected names"),
        (LEAST + 'kind = "virtual"', "kind", "Invalid enum value"),
        ('name = "watch"\nshared-directory = "srv"', "shared-directory", "absolute path"),
        (LEAST + '[disk]\ndevice = "/dev/x"\nmount-point = "/mnt"', "disk", "lie on disk.mount-point"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_expectation(text: str, key: str, expected: str) -> None:
    with pytest.raises(MalformedDefinition) as caught:
        definition.parse(text, PATH)
    line = str(caught.value)
    assert line.startswith(f"BSHO1003-E {PATH}: {key}: ")
    assert expected in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["", " ", "-x", "a/b", "a b", "x" * 64, "ü", "..", "a\n"])
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        definition.check_name(name)


@given(st.from_regex(definition.NAME, fullmatch=True).filter(lambda name: len(name) <= 63))
@example("x" * 63)
def test_a_proper_name_is_taken(name: str) -> None:
    assert definition.check_name(name) == name


@given(st.text())
def test_no_text_makes_anything_but_a_definition_or_an_error_of_ours(text: str) -> None:
    with suppress(BanshoError):
        definition.parse(text, PATH)


def test_what_is_written_is_what_is_read(house: House) -> None:
    house.define("watch", "[limits]\nstart = 5", address='"127.0.0.7/8"')
    host = definition.load("watch")
    assert (host.ip, host.limits.start) == ("127.0.0.7", 5.0)
    assert msgspec.convert(definition.as_document(host), definition.LogicalHost) == host
    assert definition.names() == ["watch"]


def test_an_unknown_host_names_the_file_it_looked_for(house: House) -> None:
    with pytest.raises(UnknownLogicalHost, match=r"logical-hosts/nobody\.toml"):
        definition.load("nobody")


def test_the_file_and_the_name_must_agree(house: House) -> None:
    house.define("watch").rename(house.etc / "logical-hosts" / "other.toml")
    with pytest.raises(MalformedDefinition, match="expected 'other'"):
        definition.load("other")


def test_a_definition_that_is_no_text_or_no_file_is_one_line(house: House) -> None:
    (house.etc / "logical-hosts" / "noise.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedDefinition, match="UTF-8"):
        definition.load("noise")
    (house.etc / "logical-hosts" / "folder.toml").mkdir()
    with pytest.raises(UnreadableDefinition):
        definition.load("folder")


def test_the_option_beats_the_environment_and_the_environment_the_physical_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JP1_HOSTNAME", "watch")
    assert definition.chosen_name("other") == "other"
    assert definition.chosen_name(None) == "watch"
    monkeypatch.delenv("JP1_HOSTNAME")
    assert definition.chosen_name(None) == "physical"
    with pytest.raises(BadName):
        definition.chosen_name("")
