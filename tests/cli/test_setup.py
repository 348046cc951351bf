"""`bansho setup` makes the tokens of our own programs, once, and again where it was interrupted."""

import stat

from tests.house import House

from bansho.base import tokens
from bansho.logicalhost import definition


def test_the_process_managers_get_a_token_that_may_send(house: House) -> None:
    house.define(suites='["base"]')
    shared = definition.load("watch").shared
    first = house.command("bansho", "setup", "watch")
    assert first.returncode == 0, first.stderr
    assert "made the token process-manager, which may send events" in first.stdout
    path = shared.process_manager_token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    known = tokens.Tokens(shared).find(text.strip())
    assert known
    assert (known.name, known.scope) == ("process-manager", "send")
    assert house.command("bansho", "setup", "watch").stdout == "watch is set up already\n"
    assert path.read_text() == text


def test_an_interrupted_set_up_makes_it_anew(house: House) -> None:
    house.define(suites='["base"]')
    shared = definition.load("watch").shared
    tokens.create(shared, "process-manager", "send")
    assert house.command("bansho", "setup", "watch").returncode == 0
    known = tokens.Tokens(shared).find(shared.process_manager_token.read_text().strip())
    assert known
    assert [token.name for token in tokens.listed(shared)].count("process-manager") == 1
