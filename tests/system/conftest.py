"""One stage for all of these tests: three real nodes, the real suites, a sender outside. Each test begins settled."""

import os
from collections.abc import Iterator

import pytest

from bansho.drill.stage import Stage, stage
from bansho.lab import missing


@pytest.fixture(scope="session")
def built() -> Iterator[Stage]:
    """The stage, built once (about 15 s)."""
    if lacking := missing():
        pytest.skip(f"no cluster nodes here; missing: {'; '.join(lacking)}")
    with stage(f"s{os.getpid()}") as built:
        yield built


@pytest.fixture
def settled(built: Stage) -> Stage:
    """The stage with all nodes online and the logical host all running."""
    built.settle()
    return built
