import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.base.service import Service
from tests.house import House

from bansho.base import tokens
from bansho.base.errors import BadTokenName, TokenExists, TokensUnreadable, UnknownToken
from bansho.base.tokens import Tokens
from bansho.logicalhost.places import SharedPlaces


@pytest.fixture
def shared(house: House) -> SharedPlaces:
    return SharedPlaces(house.shared)


def test_only_the_hash_is_kept_and_the_file_is_private(shared: SharedPlaces) -> None:
    text = tokens.create(shared, "web1", "send")
    path = tokens.path_of(shared)
    assert text not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in shared.conf.iterdir()] == ["tokens.json"]
    found = Tokens(shared).find(text)
    assert found is not None
    assert (found.name, found.scope) == ("web1", "send")
    assert Tokens(shared).find(text[:-1]) is None
    assert Tokens(shared).find(found.hash) is None


def test_tokens_are_never_alike(shared: SharedPlaces) -> None:
    texts = {tokens.create(shared, f"t{n}", "read") for n in range(20)}
    assert len(texts) == 20
    assert all(len(text) >= 43 for text in texts)


def test_many_at_once_lose_none(shared: SharedPlaces) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: tokens.create(shared, f"t{n:02}", "send"), range(32)))
    assert [token.name for token in tokens.listed(shared)] == [f"t{n:02}" for n in range(32)]


@pytest.mark.parametrize("name", ["", "a b", "-x", "a" * 64, "a\n", "ä"])
def test_a_name_is_a_plain_name(shared: SharedPlaces, name: str) -> None:
    with pytest.raises(BadTokenName, match="BSHO4029-E"):
        tokens.create(shared, name, "send")


def test_a_name_stands_for_one_token(shared: SharedPlaces) -> None:
    first = tokens.create(shared, "web1", "send")
    with pytest.raises(TokenExists, match="BSHO4030-E"):
        tokens.create(shared, "web1", "read")
    tokens.revoke(shared, "web1", "watch")
    with pytest.raises(UnknownToken, match="BSHO4031-E"):
        tokens.revoke(shared, "web1", "watch")
    assert tokens.create(shared, "web1", "read") != first


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"tokens": [{"name": 1}]}', b'{"tokens": "\xff"}'])
def test_a_damaged_file_is_never_written_over(shared: SharedPlaces, content: bytes) -> None:
    tokens.path_of(shared).write_bytes(content)
    with pytest.raises(TokensUnreadable, match="BSHO4028-E"):
        tokens.create(shared, "web1", "send")
    with pytest.raises(TokensUnreadable):
        Tokens(shared).find("x")
    assert tokens.path_of(shared).read_bytes() == content


def test_no_file_means_no_tokens_and_no_folder_means_that_nobody_knows(shared: SharedPlaces) -> None:
    text = tokens.create(shared, "web1", "send")
    known = Tokens(shared)
    assert known.find(text)
    away = shared.conf.rename(shared.root / "away")
    with pytest.raises(TokensUnreadable, match="BSHO4028-E"):
        known.find("another")
    away.rename(shared.conf)
    assert known.find(text)
    tokens.path_of(shared).unlink()
    assert known.find("another") is None


def test_as_root_the_file_is_the_services_users(shared: SharedPlaces, as_root: None) -> None:
    shared.events.mkdir()
    os.chown(shared.events, 65534, 65534)
    tokens.create(shared, "web1", "send")
    status = tokens.path_of(shared).stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (65534, 65534, 0o600)


def test_a_link_in_the_way_is_not_followed(shared: SharedPlaces, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (shared.conf / "tokens.json.new").symlink_to(victim)
    tokens.create(shared, "web1", "send")
    assert victim.read_text() == "precious"


def test_from_the_command_line(service: Service) -> None:
    run = service.house.command
    made = run("bansho", "token", "create", "web1", "--host", "watch")
    assert (made.returncode, made.stderr) == (0, "")
    with service.client(made.stdout.strip()) as client:
        assert client.post("/api/v1/events", json={}).status_code == 201
    reader = run("bansho", "token", "create", "console", "--host", "watch", "--scope", "read").stdout.strip()
    with service.client(reader) as client:
        assert client.get("/api/v1/state").json()["last"] == 1
    listed = run("bansho", "token", "list", "--host", "watch").stdout
    assert [line.split()[:2] for line in listed.splitlines()] == [
        ["console", "read"],
        ["reader", "read"],
        ["sender", "send"],
        ["web1", "send"],
    ]
    assert made.stdout.strip() not in listed
    assert run("bansho", "token", "revoke", "web1", "--host", "watch").returncode == 0
    again = run("bansho", "token", "revoke", "web1", "--host", "watch")
    assert (again.returncode, again.stderr.split()[0]) == (1, "BSHO4031-E")
    assert [token["name"] for token in json.loads(tokens.path_of(service.host.shared).read_bytes())["tokens"]] == [
        "sender",
        "reader",
        "console",
    ]
