"""What the launcher says of a program that it cannot turn into."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bansho.process import launcher

UNABLE = {
    "the user is gone": (["{log}", "nobody-at-all", "0", "true"], "unknown user nobody-at-all"),
    "the program is gone": (["{log}", "", "0", "/no/such/program"], "No such file or directory: /no/such/program"),
    "the log's place is gone": (["{log}/x", "", "0", "true"], "No such file or directory: {log}/x"),
}


@pytest.mark.parametrize(("arguments", "why"), UNABLE.values(), ids=UNABLE)
def test_it_says_why_not(tmp_path: Path, arguments: list[str], why: str) -> None:
    log, place = tmp_path / "log", tmp_path / "socket"
    given = [argument.format(log=log) for argument in arguments]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(place))
        ended = subprocess.run(
            [sys.executable, "-I", "-S", launcher.__file__, "", *given],
            env=os.environ | {"NOTIFY_SOCKET": str(place)},
            check=False,
        )
        said = receiver.recv(1000, socket.MSG_DONTWAIT).decode()
    assert (ended.returncode, said) == (launcher.CANNOT_LAUNCH, f"STATUS=cannot be launched: {why.format(log=log)}")
