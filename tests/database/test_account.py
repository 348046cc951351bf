"""The postmaster never runs as root."""

import os
import pwd

import pytest
from tests.house import House

from bansho.database import account
from bansho.database.errors import UnknownUser
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost


def host_of(house: House, user: str | None = None) -> LogicalHost:
    house.define("watch", **({"user": f'"{user}"'} if user else {}))
    return definition.load("watch")


@pytest.mark.skipif(os.geteuid() == 0, reason="about everyone but root")
def test_whoever_is_not_root_runs_it_himself(house: House) -> None:
    found = account.of(host_of(house, "daemon"))
    assert (found.uid, found.for_child()) == (os.geteuid(), {})


@pytest.mark.usefixtures("as_root")
def test_root_takes_the_definitions_user(house: House) -> None:
    found = account.of(host_of(house, "daemon"))
    entry = pwd.getpwnam("daemon")
    assert found == ("daemon", entry.pw_uid, entry.pw_gid)
    assert found.for_child() == {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.mark.usefixtures("as_root")
def test_root_without_a_user_falls_back_on_one_without_rights(house: House) -> None:
    assert account.of(host_of(house)).name in account.FALLBACKS


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("user", ["root", "nobody-of-that-name"])
def test_root_itself_and_the_unknown_are_refused(house: House, user: str) -> None:
    with pytest.raises(UnknownUser, match=f"BSHO3006-E .*{user}"):
        account.of(host_of(house, user))
