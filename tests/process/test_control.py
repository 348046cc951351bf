"""The commands' end of the control socket, before process managers that break off, say too much or are not ours."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.process.nobody import as_nobody

from bansho.process import control
from bansho.process.control import Broken, NoManager, Order

ORDER = Order("detail", 10)


def asked(path: Path) -> list[dict[str, object]]:
    return list(control.answers(path, ORDER, lambda: None))


@contextmanager
def manager(path: Path, answer: Callable[[socket.socket], object]) -> Iterator[None]:
    """Somebody who listens at `path` and gives that answer to the first who comes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


def test_the_answers_up_to_the_last(path: Path) -> None:
    said = b'{"progress": "x"}\n{"done": true}\n{"more": 1}\n'
    with manager(path, lambda connection: connection.recv(100) and connection.send(said)):
        assert asked(path) == [{"progress": "x"}, {"done": True}]


BROKEN: dict[str, Callable[[socket.socket], object]] = {
    "it ends before it answers": lambda connection: connection.recv(100),
    "it ends before it has read the order": lambda _: None,
    "it ends in the middle of an answer": lambda connection: connection.sendall(b'{"done": '),
    "it never ends its line": lambda connection: connection.sendall(b"x" * control.LINE_BYTES),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_what_is_no_answer(path: Path, answer: Callable[[socket.socket], object]) -> None:
    with manager(path, answer), pytest.raises(Broken):
        asked(path)


def test_nobody_listens(path: Path) -> None:
    assert not control.listening(path)
    with pytest.raises(NoManager):
        asked(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    assert not control.listening(path)


@pytest.mark.usefixtures("as_root")
def test_without_the_right_to_ask_nobody_takes_it_for_a_dead_manager(path: Path) -> None:
    path = Path("/tmp", f"b-control-{os.getpid()}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen()
        try:
            assert control.listening(path)
            assert "PermissionError" in as_nobody(lambda: control.listening(path))
        finally:
            path.unlink()
