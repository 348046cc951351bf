"""The status record: written whole, read strictly, believed only when it deserves it."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.process import identity, record
from bansho.process.record import Damage, Record, Trust

RECORD = Record(4, "boot", 17, 1234, 5000, "base on watch: partially stopped", '{"host":"watch"}')


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "record"
    record.write(path, RECORD)
    assert record.read(path) == RECORD
    assert record.details(RECORD) == {"host": "watch"}
    assert (tmp_path / "record").stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [tmp_path / "record"]


def test_no_record_is_no_damage(tmp_path: Path) -> None:
    assert record.read(tmp_path / "record") is None


def test_a_record_that_is_no_file_is_damage(tmp_path: Path) -> None:
    with pytest.raises(Damage):
        record.read(tmp_path)


def test_a_line_break_in_the_text_does_not_break_the_record() -> None:
    assert record.parse(record.render(RECORD._replace(text="a\nb"))).text == "a b"


DAMAGED = {
    "empty": "",
    "cut short": "bansho-record 1 0 boot 17\n",
    "a second line without an end": "".join(record.render(RECORD).splitlines(keepends=True)[:2])[:-1],
    "another tag": record.render(RECORD).replace("bansho-record", "bansho"),
    "another version": record.render(RECORD).replace("record 1", "record 2"),
    "a value of no table": record.render(RECORD).replace("1 4", "1 5"),
    "all stopped, which a living manager never says": record.render(RECORD).replace("1 4", "1 8"),
    "a padded value": record.render(RECORD).replace("1 4", "1 04"),
    "a pid that is none": record.render(RECORD).replace("17", "-17"),
    "too large a number": record.render(RECORD).replace("17", "1" * 16),
    "other digits": record.render(RECORD).replace("17", "١٧"),
    "two spaces": record.render(RECORD).replace("boot 17", "boot  17"),
    "one number more": record.render(RECORD).replace("5000", "5000 1"),
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_is_recognised(text: str) -> None:
    with pytest.raises(Damage):
        record.parse(text)


DETAILS = {
    "nothing": "",
    "cut short": '{"host":"wa',
    "nonsense": "{nonsense}",
    "no object": "[1]",
    "another line": '{"host":"watch"}\nx',
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("document", DETAILS.values(), ids=DETAILS)
def test_damage_to_the_details_costs_the_details_alone(document: str) -> None:
    found = record.parse(record.render(RECORD._replace(document=document)))
    assert found == RECORD._replace(document=document)
    with pytest.raises(Damage):
        record.details(found)


@given(st.text(max_size=200))
def test_any_text_is_a_record_or_damage(text: str) -> None:
    with suppress(Damage):
        assert record.render(record.parse(text)) == text


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_damage(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")
    with pytest.raises(Damage):
        record.parse(text)


def test_trust_by_age() -> None:
    def trust(at: int) -> Trust:
        return record.trust(RECORD, at, "boot", manager_lives=True)

    assert (trust(0), trust(5000)) == (Trust.FRESH, Trust.FRESH)
    assert (trust(5001), trust(RECORD.lost_at - 1)) == (Trust.STALE, Trust.STALE)
    assert (trust(RECORD.lost_at), trust(10**9)) == (Trust.LOST, Trust.LOST)
    assert RECORD.lost_at - RECORD.until == 800, "stale after two beats, lost after ten"


def test_no_trust_in_the_dead() -> None:
    assert record.trust(RECORD, 0, "boot", manager_lives=False) is Trust.DEAD
    assert record.trust(RECORD, 0, "another boot", manager_lives=True) is Trust.DEAD


def test_an_own_record_is_fresh_and_only_ours() -> None:
    mine = record.own(0, "x", {})
    assert record.trust_now(mine) is Trust.FRESH
    assert record.trust_now(mine._replace(ticks=mine.ticks + 1)) is Trust.DEAD
    assert mine.pid == os.getpid()


def test_a_stat_line_with_a_nasty_program_name() -> None:
    line = "17 (a) R 1 (b)) S 4 17 17 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2"
    stat = identity.parse(17, line)
    assert (stat.program, stat.state, stat.parent, stat.ticks) == ("a) R 1 (b)", "S", 4, 98765)
    assert identity.stat(2**22 + 1) is None
