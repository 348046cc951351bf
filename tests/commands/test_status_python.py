"""A bare interpreter answers from a fresh record as `operation` would, and leaves every doubt to it."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.house import COMMANDS, House

from bansho.commands import operation, status
from bansho.contract import limits
from bansho.process import record
from bansho.process.record import Record

TEXT = "base on watch: all running"
SAID = {"host": "watch", "suite": "base", "value": 0, "meaning": "all running", "text": TEXT, "services": []}
FOREIGN = "import sys; sys.path.append(sys.argv.pop(1)); from bansho.commands.status import main; main()"


@pytest.fixture
def folder(house: House) -> Path:
    """The suite's run-time folder; nothing runs."""
    house.define()
    folder = house.run / "watch" / "base"
    folder.mkdir(parents=True)
    return folder


def own(document: dict[str, Any] = SAID, **changes: Any) -> Record:
    return record.own(0, TEXT, document)._replace(**{"until": record.now() + 6000} | changes)


def thoroughly(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """What `operation` answers."""
    monkeypatch.setattr(sys, "argv", ["-c", "base", *arguments])
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
        operation.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out.getvalue()


@pytest.mark.parametrize("arguments", [["-h", "watch"], ["-h", "watch", "-t", "5"], ["-t", "0", "-h", "watch"]])
def test_both_answer_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    record.write(folder / "record", own())
    value, line = thoroughly(monkeypatch, *arguments)
    assert status.quickly("base", arguments) == (value, line.removesuffix("\n")) == (0, TEXT)
    for at in range(len(arguments) + 1):
        given = [*arguments[:at], "--json", *arguments[at:]]
        if at % 2 == 0:
            _, line = thoroughly(monkeypatch, *given)
            quick = status.quickly("base", given)
            assert quick is not None
            assert (quick[0], json.loads(quick[1])) == (0, json.loads(line))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-h"],
        ["-h", ""],
        ["-h", "../watch"],
        ["-h", ".watch"],
        ["-h", "watch", "-h", "watch"],
        ["-h", "watch", "-t", ""],
        ["-h", "watch", "-t", str(limits.STATUS_MAXIMUM + 1)],
        ["-h", "watch", "-t", "٣"],
        ["-hwatch"],
        ["--help"],
        ["-h", "watch", "x"],
        ["-h", "nobody"],
    ],
)
def test_other_arguments_are_not_its_own(folder: Path, arguments: list[str]) -> None:
    record.write(folder / "record", own())
    assert status.quickly("base", ["-h", "watch", "-t", str(limits.STATUS_MAXIMUM)]) is not None
    assert status.quickly("base", arguments) is None


def test_the_host_from_the_environment(folder: Path) -> None:
    record.write(folder / "record", own())
    environment = os.environ | {"JP1_HOSTNAME": "watch"}
    ended = subprocess.run([COMMANDS / "jbs_spmd_status", "--json"], env=environment, capture_output=True, check=False)
    assert json.loads(ended.stdout)["text"] == TEXT


DOUBTS: dict[str, dict[str, Any]] = {
    "stale": {"until": 1},
    "another boot": {"boot_id": "11111111-2222-3333-4444-555555555555"},
    "another start": {"ticks": 1},
    "nobody": {"pid": 2**22 + 7},
    "a value that no manager has": {"value": 8},
    "details that are none": {"document": "{]}"},
    "details of another host": {"document": json.dumps(SAID | {"host": "other"})},
    "details of another value": {"document": json.dumps(SAID | {"value": 4})},
    "details without the meaning": {"document": json.dumps({k: v for k, v in SAID.items() if k != "meaning"})},
    "details with what is no JSON": {"document": json.dumps(SAID | {"since": float("nan")})},
    "two details": {"document": "{}{}"},
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_no_doubt_is_its_own(folder: Path, doubt: str) -> None:
    record.write(folder / "record", own())
    assert status.quickly("base", ["-h", "watch", "--json"]) is not None
    record.write(folder / "record", own(**DOUBTS[doubt]))
    assert status.quickly("base", ["-h", "watch", "--json"]) is None


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='{}[]",:\\ aeu01.-nN', max_size=20))
def test_details_of_any_kind_are_read_as_json_reads_them(folder: Path, inside: str) -> None:
    text = f'{{"a": {inside}}}'
    try:
        expected = json.loads(text, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        expected = None
    assert status._object(text) == expected


def test_it_imports_next_to_nothing(folder: Path) -> None:
    """What makes it quick, held without a clock: neither `site` nor a module that takes long to import."""
    record.write(folder / "record", own())
    traced = [sys.executable, "-I", "-S", "-X", "importtime", "-c", FOREIGN]
    source = str(Path(status.__file__).parents[2])
    ended = subprocess.run(
        [*traced, source, "base", "-h", "watch", "--json"], capture_output=True, text=True, check=False
    )
    assert json.loads(ended.stdout)["value"] == 0
    modules = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "bansho.process.fresh" in modules
    assert not modules & {"site", "os", "json", "re", "enum", "typing", "collections", "argparse", "msgspec"}


def test_the_limits_are_the_contract_s() -> None:
    assert status.MAXIMUM == limits.STATUS_MAXIMUM
