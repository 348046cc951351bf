"""`bansho setup`: what it makes, for whom, and that an interrupted one is simply repeated."""

import json
import pwd
from pathlib import Path

import pytest
from tests.house import House

from bansho.base import tokens
from bansho.logicalhost import definition


@pytest.fixture
def bare(house: House) -> House:
    """A house whose shared directory is not set up; its services run as postgres where root prepares."""
    (house.shared / "conf").rmdir()
    (house.shared / "log").rmdir()
    house.define("watch", user='"postgres"')
    return house


@pytest.mark.usefixtures("as_root")
def test_what_root_trusts_stays_roots_and_secrets_are_the_services(bare: House) -> None:
    ended = bare.command("bansho", "setup", "watch")
    assert ended.returncode == 0, ended.stderr
    postgres = pwd.getpwnam("postgres").pw_uid
    owners = {path.relative_to(bare.shared).as_posix(): path.stat() for path in bare.shared.rglob("*")}
    assert bare.shared.stat().st_uid == 0
    for name in ("conf", "log", "conf/base.toml", "conf/manager.toml"):
        assert (owners[name].st_uid, owners[name].st_mode & 0o022) == (0, 0), name
    for name in ("conf/tokens.json", "conf/accounts.json", "conf/session.key", "conf/event-base.token"):
        assert (owners[name].st_uid, owners[name].st_mode & 0o777) == (postgres, 0o600), name
    assert owners["events"].st_uid == postgres
    assert owners["database"].st_mode & 0o777 == 0o700


def test_the_password_is_shown_once_and_nothing_is_made_twice(bare: House) -> None:
    first, second = (json.loads(bare.command("bansho", "setup", "watch", "--json").stdout) for _ in range(2))
    assert len(first["password"]) >= 16
    assert second == {"lines": [], "password": None}


def test_a_database_that_cannot_be_made_costs_no_password(bare: House) -> None:
    occupied = bare.shared / "database"
    occupied.mkdir(parents=True)
    (occupied / "somebody's").touch()
    failed = bare.command("bansho", "setup", "watch")
    assert failed.returncode == 1
    assert "BSHO30" in failed.stderr
    (occupied / "somebody's").unlink()
    assert json.loads(bare.command("bansho", "setup", "watch", "--json").stdout)["password"]


def test_a_token_that_was_revoked_is_made_anew(bare: House) -> None:
    bare.command("bansho", "setup", "watch")
    path = bare.shared / "conf" / "event-base.token"
    old = path.read_text()
    tokens.revoke(definition.load("watch").shared, "event-base", "watch")
    assert "made the token event-base" in bare.command("bansho", "setup", "watch").stdout
    assert path.read_text() != old


def test_a_shared_directory_that_had_to_be_made_is_told(bare: House) -> None:
    misspelt = bare.shared.with_name("misspelt")
    text = (bare.etc / "logical-hosts" / "watch.toml").read_text().replace(str(bare.shared), str(misspelt))
    (bare.etc / "logical-hosts" / "watch.toml").write_text(text)
    told = f"made the shared directory {misspelt}"
    assert told in bare.command("bansho", "setup", "watch").stdout
    assert told not in bare.command("bansho", "setup", "watch").stdout


def test_an_unmounted_disk_is_not_set_up(bare: House) -> None:
    bare.define("watch", f'[disk]\ndevice = "/dev/none"\nmount-point = "{bare.shared}"')
    failed = bare.command("bansho", "setup", "watch")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "BSHO9011-E" in failed.stderr
    assert not (bare.shared / "conf").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("setup", "nobody"),
        ("setup", "../x"),
        ("token", "create", "x", "--host", "watch"),
        ("definition", "check", "/no/such/file"),
        ("definition", "new", "watch", "--shared-directory", "/x"),
        ("up", "a b"),
        ("demo", "--takeover", "--report", "/no/such/folder/report"),
    ],
)
def test_a_mistake_is_one_line_with_an_id(bare: House, arguments: tuple[str, ...]) -> None:
    failed = bare.command("bansho", *arguments)
    assert failed.returncode == 1
    assert failed.stderr.startswith("BSHO")
    assert failed.stderr.count("\n") == 1


def test_a_shared_directory_that_is_a_file_is_one_line(bare: House) -> None:
    bare.shared.rmdir()
    Path(bare.shared).touch()
    failed = bare.command("bansho", "setup", "watch")
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert "BSHO9020-E" in failed.stderr


def test_check_reports_every_wrong_file_and_what_a_load_would_refuse(bare: House) -> None:
    hosts = bare.etc / "logical-hosts"
    (hosts / "other.toml").write_text((hosts / "watch.toml").read_text())
    (hosts / "broken.toml").write_text("name =")
    ended = bare.command("bansho", "definition", "check")
    assert ended.returncode == 1
    assert [line[:10] for line in ended.stderr.splitlines()] == ["BSHO1003-E", "BSHO1003-E"]
    assert ended.stdout.startswith(f"{hosts / 'watch.toml'}: logical host watch")
