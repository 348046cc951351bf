"""Accounts: who may log in, what the file looks like, what `bansho account` does."""

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.house import House

from bansho.logicalhost.places import SharedPlaces
from bansho.manager import accounts
from bansho.manager.errors import (
    AccountExists,
    AccountsDamaged,
    AccountsUnwritable,
    BadAccountName,
    BadPassword,
    UnknownAccount,
)


@pytest.fixture
def shared(tmp_path: Path) -> SharedPlaces:
    (tmp_path / "conf").mkdir()
    return SharedPlaces(tmp_path)


def test_a_created_account_takes_its_password_and_no_other(shared: SharedPlaces) -> None:
    password = accounts.create(shared, "ann", "operator")
    account = accounts.read(shared)["ann"]
    assert account.role == "operator"
    assert accounts.verify(account, password)
    assert not accounts.verify(account, password + "x")
    assert password not in accounts.accounts_file(shared).read_text()


def test_generated_passwords_differ(shared: SharedPlaces) -> None:
    assert accounts.create(shared, "ann", "viewer") != accounts.create(shared, "ben", "viewer")


def test_an_unknown_account_is_hashed_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    real = accounts.hasher

    class Watched:
        def verify(self, hash_text: str, password: str) -> bool:
            checked.append(hash_text)
            return real.verify(hash_text, password)

    monkeypatch.setattr(accounts, "hasher", Watched())
    assert not accounts.verify(None, "anything")
    assert checked == [accounts.NOBODY]
    assert accounts.NOBODY.split("$")[:4] == real.hash("x").split("$")[:4]  # the same work


def test_the_files_are_secret(shared: SharedPlaces) -> None:
    accounts.prepare(shared)
    accounts.create(shared, "ann", "viewer")
    for path in (accounts.accounts_file(shared), accounts.session_key_file(shared)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(path.name for path in shared.conf.iterdir()) == ["accounts.json", "session.key"]


def test_prepare_keeps_the_key_that_is_there(shared: SharedPlaces) -> None:
    accounts.prepare(shared)
    key = accounts.session_key_file(shared).read_bytes()
    accounts.prepare(shared)
    assert accounts.session_key_file(shared).read_bytes() == key
    assert len(key) == accounts.SESSION_KEY_BYTES


def test_accounts_created_at_the_same_time_are_all_kept(shared: SharedPlaces) -> None:
    names = [f"user{number}" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: accounts.create(shared, name, "viewer"), names))
    assert sorted(accounts.read(shared)) == names


def test_a_new_password_is_another_generation(shared: SharedPlaces) -> None:
    accounts.create(shared, "ann", "viewer", "first one")
    before = accounts.read(shared)["ann"]
    assert accounts.change_password(shared, "ann", "second one") == "second one"
    after = accounts.read(shared)["ann"]
    assert after.generation != before.generation
    assert accounts.verify(after, "second one")
    assert not accounts.verify(after, "first one")


def test_a_removed_account_that_comes_back_is_another_generation(shared: SharedPlaces) -> None:
    accounts.create(shared, "ann", "viewer", "first one")
    before = accounts.read(shared)["ann"].generation
    accounts.remove(shared, "ann")
    assert accounts.read(shared) == {}
    accounts.create(shared, "ann", "viewer", "first one")
    assert accounts.read(shared)["ann"].generation != before


def test_a_directory_sees_each_change(shared: SharedPlaces) -> None:
    directory = accounts.Directory(shared)
    assert directory.get("ann") is None
    accounts.create(shared, "ann", "viewer")
    first = directory.get("ann")
    assert first is not None
    accounts.change_password(shared, "ann")
    assert directory.get("ann") != first
    accounts.remove(shared, "ann")
    assert directory.get("ann") is None


@pytest.mark.parametrize("name", ["", "1ann", "a b", "ann\n", "x" * 65, "änn", "../x"])
def test_a_bad_name_is_refused(shared: SharedPlaces, name: str) -> None:
    with pytest.raises(BadAccountName):
        accounts.create(shared, name, "viewer")


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_bad_password_is_refused(shared: SharedPlaces, password: str) -> None:
    with pytest.raises(BadPassword):
        accounts.create(shared, "ann", "viewer", password)


def test_an_account_is_created_once(shared: SharedPlaces) -> None:
    password = accounts.create(shared, "ann", "viewer")
    with pytest.raises(AccountExists):
        accounts.create(shared, "ann", "admin")
    assert accounts.verify(accounts.read(shared)["ann"], password)


@pytest.mark.parametrize("change", [accounts.remove, accounts.change_password])
def test_an_unknown_account_is_named(shared: SharedPlaces, change: Callable[[SharedPlaces, str], object]) -> None:
    with pytest.raises(UnknownAccount, match="nobody"):
        change(shared, "nobody")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ann": {}}', '{"ann": {"role": "god"}}'])
def test_a_damaged_file_is_said_to_be_one(shared: SharedPlaces, text: str) -> None:
    accounts.accounts_file(shared).write_text(text)
    with pytest.raises(AccountsDamaged, match=r"accounts\.json"):
        accounts.read(shared)


def test_an_absent_disk_is_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(AccountsUnwritable, match="No such file"):
        accounts.create(SharedPlaces(tmp_path / "nowhere"), "ann", "viewer")


def test_root_gives_the_files_to_the_user(shared: SharedPlaces, as_root: None) -> None:
    accounts.create(shared, "ann", "viewer", user="nobody")
    assert accounts.accounts_file(shared).owner() == "nobody"
    shared.events.mkdir()
    os.chown(shared.events, 1, 1)
    accounts.change_password(shared, "ann")
    assert accounts.accounts_file(shared).stat().st_uid == 1  # the services' user, where no user is named


def test_root_names_a_user_that_does_not_exist(shared: SharedPlaces, as_root: None) -> None:
    with pytest.raises(AccountsUnwritable, match="no-such-user"):
        accounts.create(shared, "ann", "viewer", user="no-such-user")


def test_the_tool_shows_a_password_once(house: House) -> None:
    house.define("watch")
    made = house.command("bansho", "account", "create", "ann", "--role", "admin", "--host", "watch")
    assert made.returncode == 0, made.stderr
    password = made.stdout.split("password: ")[1].split(" ")[0]
    shared = SharedPlaces(house.shared)
    assert accounts.verify(accounts.read(shared)["ann"], password)

    listed = house.command("bansho", "account", "list", "--host", "watch").stdout
    assert "ann" in listed
    assert "admin" in listed
    assert "argon2" not in listed

    changed = house.command("bansho", "account", "password", "ann", "--host", "watch").stdout
    assert password not in changed
    assert not accounts.verify(accounts.read(shared)["ann"], password)

    assert house.command("bansho", "account", "remove", "ann", "--host", "watch").returncode == 0
    assert json.loads(accounts.accounts_file(shared).read_text()) == {}


def test_the_tool_says_in_one_line_what_is_wrong(house: House) -> None:
    house.define("watch")
    refused = house.command("bansho", "account", "remove", "ann", "--host", "watch")
    assert refused.returncode == 1
    assert refused.stderr.startswith("BSHO5117-E account ann")
    assert len(refused.stderr.splitlines()) == 1
    assert house.command("bansho", "account", "list", "--host", "nowhere").stderr.startswith("BSHO1002-E")
