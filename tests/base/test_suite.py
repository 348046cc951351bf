import tomllib
from importlib import resources


def test_the_suite_is_base_with_the_event_service() -> None:
    suite = tomllib.loads((resources.files("bansho.base") / "suite.toml").read_text())
    assert suite["suite"] == "base"
    [service] = suite["service"]
    assert service["name"] == "event-service"
    assert service["command"] == ["{python}", "-m", "bansho.base.event_service"]
    assert service["watchdog"] == 10
