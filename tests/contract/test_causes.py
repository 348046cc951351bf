"""Every value of every command has a test that brings it about, and each test that is named is there."""

import ast
from functools import cache
from pathlib import Path

import pytest

from bansho.contract import causes, eventservice, imdatabase, operation, termination
from bansho.contract.causes import CAUSES, Cause

ROOT = Path(__file__).parents[2]
VALUES = {
    causes.STATUS: set(operation.TABLE),
    causes.DATABASE: set(imdatabase.TABLE),
    causes.EVENTS: set(eventservice.TABLE),
    causes.START_STOP: {termination.NORMAL, termination.ARGUMENT_ERROR},
    causes.KILLALL: {termination.NOTHING_LEFT, termination.SOMETHING_LEFT},
    causes.RELOAD: {termination.NORMAL, termination.ARGUMENT_ERROR},
    causes.SEND: {eventservice.REGISTERED, eventservice.NOT_REGISTERED},
}


@cache
def functions(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("cause", [row for rows in CAUSES.values() for row in rows], ids=lambda cause: cause.test)
def test_the_test_is_there(cause: Cause) -> None:
    assert cause.function in functions(ROOT / cause.file)


def test_every_value_of_every_command_has_one() -> None:
    assert {command: {row.value for row in rows} for command, rows in CAUSES.items()} == VALUES
