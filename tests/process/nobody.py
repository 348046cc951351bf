"""Questions asked by an ordinary user: a child of root's becomes nobody first."""

import os
import pwd
from collections.abc import Callable
from typing import Any

from bansho.process import bounded

NOBODY = pwd.getpwnam("nobody")


def as_nobody(question: Callable[[], Any]) -> Any:
    """What `question` returns there (JSON's types), or the line of the error that it raises."""

    def ask() -> Any:
        os.setgroups([])
        os.setgid(NOBODY.pw_gid)
        os.setuid(NOBODY.pw_uid)
        return question()

    try:
        return bounded.ask(ask, 10)
    except bounded.Refused as refusal:
        return str(refusal)
