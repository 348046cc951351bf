"""A database of its own for each test, made by copying."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.database.imdb import NEWEST, Imdb, Server, copy_database, define, running, short_folder
from tests.house import House


@pytest.fixture(scope="session")
def templates() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


@pytest.fixture
def bindir(request: pytest.FixtureRequest) -> Path:
    """The server programs: the distribution's, unless a test is marked BOTH."""
    chosen: Path = getattr(request, "param", NEWEST[0])
    return chosen


@pytest.fixture
def not_set_up(house: House, bindir: Path) -> Iterator[Imdb]:
    imdb = Imdb(house, define(house, bindir))
    yield imdb
    imdb.close()


@pytest.fixture
def imdb(not_set_up: Imdb, templates: Path) -> Imdb:
    """A database that is set up and stopped."""
    copy_database(not_set_up.host, templates)
    return not_set_up


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running database that the tests of the schema share."""
    with short_folder() as folder, running(folder, NEWEST[0]) as server:
        yield server
