"""Labs that do not wait for their cluster: half a second each, for what needs no Pacemaker."""

import os
from collections.abc import Iterator

import pytest

from bansho.lab import Lab, missing


@pytest.fixture
def lab_name() -> str:
    """A lab's name that no other run uses."""
    if lacking := missing():
        pytest.skip(f"no cluster nodes here; missing: {'; '.join(lacking)}")
    return f"b{os.getpid()}"


@pytest.fixture
def bare(lab_name: str) -> Iterator[Lab]:
    """Two nodes and the host outside, booted; the cluster software is still starting."""
    with Lab.up(lab_name, nodes=2, online=False, tied=True) as lab:
        yield lab
