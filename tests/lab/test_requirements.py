"""What a machine lacks."""

import subprocess
import sys
from pathlib import Path

import pytest

from bansho.lab import requirements


def test_every_part_that_is_asked_for_can_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "PATH", "/nonexistent")
    monkeypatch.setattr(requirements, "AGENTS", Path("/nonexistent"))
    absent = requirements.missing()
    assert "program corosync (package corosync)" in absent
    assert any("resource-agents" in part for part in absent)
    assert len(absent) >= len(requirements.PROGRAMS) + 1


@pytest.mark.usefixtures("as_root")
def test_a_kernel_that_refuses_a_part_is_reported_by_that_part(monkeypatch: pytest.MonkeyPatch) -> None:
    if requirements.missing():
        pytest.skip("the machine lacks a part itself")
    monkeypatch.setitem(requirements.PROBES, "a part that no kernel has", "mount -t nosuchfs n /tmp")
    assert requirements.missing() == ["a part that no kernel has"]


@pytest.mark.usefixtures("as_root")
def test_someone_who_is_not_root_is_told_so_on_one_line() -> None:
    nobody = ["setpriv", "--reuid", "nobody", "--clear-groups", "--inh-caps=-all", "--"]
    code = "import sys; sys.path[:] = sys.argv[1:]\nfrom bansho.lab import missing\nprint(missing())"
    command = [*nobody, sys.executable, "-c", code, *sys.path]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "root (run it as root)" in result.stdout
    assert result.stdout.count("\n") == 1
