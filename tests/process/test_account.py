"""The user that a service runs as, asked for by root and by somebody else: a child that has become nobody."""

import os
import pwd

import pytest
from tests.process.nobody import NOBODY, as_nobody

from bansho.process import account
from bansho.process.definition import Service
from bansho.process.errors import UnknownServiceUser


def service(user: str | None) -> Service:
    return Service(name="one", command=("x",), user=user)


@pytest.mark.usefixtures("as_root")
def test_root_becomes_whoever_is_asked_for() -> None:
    assert account.of(service("nobody"))[:2] == ("nobody", NOBODY.pw_uid)
    assert account.of(service("root")).become == ""


def test_without_a_name_it_stays_who_it_is() -> None:
    me = pwd.getpwuid(os.geteuid())
    assert account.of(service(None)) == ("", me.pw_uid, me.pw_gid, account.of(service(me.pw_name)).variables)


def test_a_user_whom_this_node_does_not_know() -> None:
    with pytest.raises(UnknownServiceUser, match=r"nobody-at-all.* does not exist on this node"):
        account.of(service("nobody-at-all"))


@pytest.mark.usefixtures("as_root")
def test_only_root_runs_a_service_as_somebody_else() -> None:
    assert as_nobody(lambda: account.of(service("nobody")).become) == ""
    assert "can be taken on by root alone" in as_nobody(lambda: account.of(service("root")))
