"""The postmaster as our child; tests/database/test_controller.py has its whole life."""

import os
import select
import signal
import subprocess

import pytest

from bansho.database import server


@pytest.mark.parametrize("sign", [signal.SIGCONT, signal.SIGINT, signal.SIGKILL])
def test_a_signal_does_not_collect_a_postmaster_that_has_just_ended(sign: signal.Signals) -> None:
    """Its status is waited for elsewhere, and an end in order must not become a failure."""
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    server.tell(child.pid, sign)
    assert os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG) is not None
    child.returncode = 0


def test_a_signal_is_for_a_child_of_ours_alone() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; wait"], stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        grandchild = os.pidfd_open(pid := int(shell.stdout.readline()))
        server.tell(pid, signal.SIGKILL)
        server.tell(shell.pid, signal.SIGTERM)
        assert shell.wait() == -signal.SIGTERM
        ended, _, _ = select.select([grandchild], [], [], 0.5)
        assert not ended
        signal.pidfd_send_signal(grandchild, signal.SIGKILL)
        os.close(grandchild)
