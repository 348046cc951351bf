"""One stage for the tests that only disturb it: real nodes on which `watch` runs. Each gives it back as it was."""

import os
from collections.abc import Iterator

import pytest

from bansho.drill.stage import Stage, stage
from bansho.lab import missing


@pytest.fixture(scope="package")
def standing() -> Iterator[Stage]:
    """Three nodes with `watch` all running, until the last of these tests: other parts' tests need the processors."""
    if lacking := missing():
        pytest.skip(f"no cluster nodes here; missing: {'; '.join(lacking)}")
    with stage(f"d{os.getpid()}") as built:
        yield built
