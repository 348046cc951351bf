"""A block is one sector with a checksum: whatever stands there is a record, nothing, or damaged."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.logicalhost import block

RECORDS = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=16), max_size=4)


@given(RECORDS)
def test_a_record_survives_its_sector(record: dict[str, object]) -> None:
    assert block.decode(block.encode(record)) == record


def test_an_untouched_sector_holds_nothing() -> None:
    assert block.decode(bytes(block.SECTOR)) is None


@given(RECORDS.filter(bool), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_noticed(record: dict[str, object], where: int, change: int) -> None:
    sector = bytearray(block.encode(record))
    sector[where % len(sector.rstrip(b"\0\n"))] ^= change
    with pytest.raises((block.DamagedBlock, ValueError)):
        block.decode(bytes(sector))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        block.encode({"x": "y" * block.SECTOR})


def test_blocks_of_a_file_are_apart(tmp_path: Path) -> None:
    with block.opened(tmp_path / "file", os.O_RDWR | os.O_CREAT) as descriptor:
        os.posix_fallocate(descriptor, 0, 2 * block.SIZE)
        block.write(descriptor, 1, {"block": 1})
        assert block.read(descriptor, 0) is None
        block.write(descriptor, 0, {"block": 0})
        assert block.read(descriptor, 1) == {"block": 1}
