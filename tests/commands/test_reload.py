"""Re-reading the process definitions."""

from tests.commands.suites import Suite, eventually, service, steady


def test_new_services_start_and_dropped_ones_stop(base: Suite, mechanism: str) -> None:
    base.write(steady("kept"), service("dropped", "escapee=setsid+orphan+ignore", "ready", "wait"))
    base.start()
    assert len(of_service(base, "dropped")) == 2
    kept = base.pid("kept")
    base.write(steady("kept"), steady("new", after=["kept"]))
    ended = base.reload()
    assert ended.returncode == 0
    assert "BSHO2111-I" in ended.stderr
    base.wait_for_service("new", "ready")
    eventually(lambda: set(base.services()) == {"kept", "new"})
    assert (base.value, base.pid("kept")) == (0, kept)
    assert of_service(base, "dropped") == set()
    assert not (base.folder / "notify" / "dropped").exists()


def of_service(suite: Suite, name: str) -> set[int]:
    return {pid for pid, process in suite.processes().items() if process.service == name}


def test_a_service_that_is_switched_off_stops(base: Suite) -> None:
    base.write(steady("one"), service("two", "ready", "wait"))
    base.start()
    base.write(steady("one"), service("two", "ready", "wait", enabled=False))
    assert base.reload().returncode == 0
    eventually(lambda: set(base.services()) == {"one"})
    assert base.value == 0


def test_a_mistake_changes_nothing(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    pid = base.pid("one")
    base.write(steady("one"), steady("two", after=["ghost"]))
    ended = base.reload()
    assert ended.returncode == 1
    assert "BSHO2002-E" in ended.stderr
    assert "ghost" in ended.stderr
    assert (base.value, base.pid("one")) == (0, pid)


def test_without_a_process_manager(base: Suite) -> None:
    base.write(steady("one"))
    ended = base.reload()
    assert ended.returncode == 1
    assert "BSHO2011-E" in ended.stderr
    assert "jbs_start.cluster watch" in ended.stderr
