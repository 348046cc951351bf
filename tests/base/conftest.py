"""An event service to talk to."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.base.service import Service
from tests.house import House


@pytest.fixture
def stopped(house: House) -> Iterator[Service]:
    """Defined, with tokens, not running."""
    service = Service(house)
    yield service
    service.close()


@pytest.fixture
def service(stopped: Service) -> Service:
    """Running."""
    return stopped.start()


@pytest.fixture(scope="module")
def lasting() -> Iterator[Service]:
    """Running for all tests of a module, which leave nothing in it."""
    house = House(Path(tempfile.mkdtemp(prefix="b-", dir="/tmp")))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BANSHO_ETC", str(house.etc))
        environment.setenv("BANSHO_RUN", str(house.run))
        service = Service(house).start()
    yield service
    service.close()
    shutil.rmtree(house.root, ignore_errors=True)
