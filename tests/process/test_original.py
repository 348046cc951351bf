"""The original's definition files: what is read, what is refused where, and the suite of ours that comes of it."""

from pathlib import Path
from string import ascii_letters, digits

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bansho.process import definition, original
from bansho.process.original import Entry

MANAGER = """# name|options|restart|count|interval|reset|
evtcon||0|3|3|3600|

\tjcamain|-x "two words"|1|3|3|3600|\r
"""
BASE = "jbsroute|/opt/jp1base/bin/jbsroute|-d 1|0|3|3|21600|\n"
NAMES = st.text(ascii_letters + digits, min_size=1, max_size=20)
WORDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="|"), min_size=1, max_size=10)
ENTRIES = st.lists(
    st.builds(
        Entry,
        line=st.just(0),
        name=NAMES,
        command=st.lists(WORDS, min_size=1, max_size=4).map(tuple),
        restart=st.booleans(),
        tries=st.integers(0, 99),
        interval=st.integers(0, 3600),
        reset=st.integers(1, 2**31 - 1),
    ),
    unique_by=lambda entry: entry.name,
    min_size=1,
    max_size=5,
)


def rendered(entry: Entry) -> str:
    """The line of jp1bs_service_0700.conf."""
    path, *options = entry.command
    quoted = " ".join("'" + option.replace("'", "'\"'\"'") + "'" for option in options)
    numbers = f"{int(entry.restart)}|{entry.tries}|{entry.interval}|{entry.reset}"
    return f"{entry.name}|{path}|{quoted}|{numbers}|"


def problems(text: str, form: str = "jp1co_service.conf") -> list[tuple[int, str]]:
    return [(problem.line, problem.expected) for problem in original.read(text, form).problems]


def test_managers_file() -> None:
    content = original.read(MANAGER, "jp1co_service.conf")
    assert content.problems == ()
    assert content.entries == (
        Entry(2, "evtcon", ("evtcon",), restart=False, tries=3, interval=3, reset=3600),
        Entry(4, "jcamain", ("jcamain", "-x", "two words"), restart=True, tries=3, interval=3, reset=3600),
    )


def test_bases_file() -> None:
    (entry,) = original.read(BASE, "jp1bs_service_0700.conf").entries
    assert entry.command == ("/opt/jp1base/bin/jbsroute", "-d", "1")
    assert entry.reset == 21600


@pytest.mark.parametrize(("line", "restart"), [("restart 4 15 3600", True), ("restart 0 15 3600", False)])
def test_the_event_servers_settings(line: str, restart: bool) -> None:
    text = f"# settings\nports jp1 jp1imevt jp1imevtapi\n\n{line}\noptions no-sync\n"
    (entry,) = original.read(text, "conf").entries
    assert (entry.line, entry.name, entry.restart) == (4, "event-service", restart)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("evtcon||0|3|3|3600", "name|start-options|restart|count|interval|reset|"),
        ("evtcon||0|3|3|3600||", "name|start-options|restart|count|interval|reset|"),
        ("evtcon||0|3|3|3600| #", "name|start-options|restart|count|interval|reset|"),
        ("evtcon", "name|start-options|restart|count|interval|reset|"),
        ("||0|3|3|3600|", "1 to 63 letters, digits, '.', '_' and '-'"),
        ("evtcon||2|3|3|3600|", "a whole number from 0 to 1"),
        ("evtcon||0|100|3|3600|", "a whole number from 0 to 99"),
        ("evtcon||0|3|3601|3600|", "a whole number from 0 to 3600"),
        ("evtcon||0|3|3|0|", "a whole number from 1 to 2147483647"),
        ("evtcon||0|3|-3|3600|", "a whole number from 0 to 3600"),
        ("evtcon||0|٣|3|3600|", "a whole number from 0 to 99"),
        ("evtcon||||||", "a whole number from 0 to 1"),
        ("evtcon|||||", "name|start-options|restart|count|interval|reset|"),
        ("evtcon|'|0|3|3|3600|", "closed quotes (No closing quotation)"),
        ("evt\0con||0|3|3|3600|", "UTF-8 text without control characters"),
        ("evt\udc83||0|3|3|3600|", "UTF-8 text without control characters"),
    ],
)
def test_a_malformed_line_is_named_with_what_was_expected(line: str, expected: str) -> None:
    assert problems(f"# first\n{line}\njcamain||1|3|3|3600|\n") == [(2, expected)]


def test_the_other_files_malformed_lines() -> None:
    assert problems("jbsroute||-d|0|3|3|3600|", "jp1bs_service_0700.conf") == [(1, "the path of the program")]
    assert problems("restart 4 15\n", "conf") == [(1, "restart COUNT INTERVAL RESET")]
    assert problems("restart 4 15 x\n", "conf") == [(1, "a whole number from 1 to 2147483647")]
    assert problems("evtcon||0|3|3|9|\nevtcon||0|3|3|9|\nevtcon||0|3|3|9|") == [(2, "one line for each")]


def test_files_are_known_by_name() -> None:
    assert original.form_of("jp1co_service.conf.model") == "jp1co_service.conf"
    assert original.form_of("conf") == "conf"
    assert original.form_of("my.conf") is None


@given(st.binary(max_size=300), st.sampled_from(list(original.FORMS)))
@example(b"\x0b", "conf")
def test_any_bytes_are_read_or_refused(content: bytes, form: str) -> None:
    found = original.read(content.decode("utf-8", "surrogateescape"), form)
    text = original.suite(found.entries, "base", form, logical=True)
    text.encode()
    assert all(1 <= problem.line <= content.count(b"\n") + 1 for problem in found.problems)


@given(st.text("|#0123456789abc '\"\n\r\t\\", max_size=200), st.sampled_from(list(original.FORMS)))
def test_nearly_right_text_is_read_or_refused(text: str, form: str) -> None:
    found = original.read(text, form)
    if form in original.SUITES and found.entries:
        name = original.SUITES[form]
        definition.parse(original.suite(found.entries, name, form, logical=False), Path("x"), name, logical=False)


@given(ENTRIES)
def test_what_was_written_is_read_again(entries: list[Entry]) -> None:
    content = original.read("\n".join(map(rendered, entries)), "jp1bs_service_0700.conf")
    assert content.problems == ()
    assert [entry._replace(line=0) for entry in content.entries] == entries


@given(ENTRIES, st.booleans())
def test_the_suite_has_what_the_original_had(entries: list[Entry], logical: bool) -> None:
    text = original.suite(entries, "base", "jp1bs_service_0700.conf", logical=logical)
    suite = definition.parse(text, Path("base.toml"), "base", logical=logical)
    for entry, service in zip(entries, suite.service, strict=True):
        assert (service.name, service.command) == (entry.name, entry.command)
        assert service.restart == (entry.restart and not logical)
        if service.restart:
            assert (service.restart_count, service.restart_interval) == (entry.tries, entry.interval)
            assert service.restart_reset == entry.reset
        assert f"{entry.tries} times, {entry.interval} s apart" in text or service.restart
