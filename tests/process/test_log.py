"""The process manager's own log stays bounded, and is its owner's alone."""

import json
import logging
import stat
from pathlib import Path

import pytest

from bansho.contract.messages import Message
from bansho.process.log import Log, bounded


def test_an_entry_is_one_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "spmd.log"
    written = Log(path, host="watch")
    written("word", Message("BSHO2000-I", "{host}: {text}"), path=tmp_path, text="two\nlines")
    written.close()
    (line,) = path.read_text().splitlines()
    found = json.loads(line)
    assert found.pop("timestamp")
    facts = {"host": "watch", "path": str(tmp_path), "text": "two\nlines"}
    assert found == {"id": "BSHO2000-I", "event": "word", **facts, "message": "BSHO2000-I watch: two lines"}


def test_a_log_without_a_place_disturbs_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "folder" / "spmd.log"
    handler = bounded(path)
    handler.handle(entry("lost"))
    path.parent.mkdir()
    handler.handle(entry("kept"))
    handler.close()
    assert path.read_text() == "kept\n"
    assert "FileNotFoundError" in capfd.readouterr().err


def test_it_stays_bounded_and_its_owners_alone(tmp_path: Path) -> None:
    handler = bounded(tmp_path / "log", 50)
    for number in range(100):
        handler.handle(entry(f"line {number}"))
    handler.close()
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["log", "log.1", "log.2", "log.3"]
    assert all(each.stat().st_size <= 50 and stat.S_IMODE(each.stat().st_mode) == 0o600 for each in files)
    kept = "".join(each.read_text() for each in reversed(files))
    assert "".join(f"line {number}\n" for number in range(100)).endswith(kept)


def entry(text: str) -> logging.LogRecord:
    return logging.LogRecord("log", logging.INFO, "", 0, text, None, None)
