from importlib import resources
from pathlib import Path

from bansho.process import definition


def test_the_suite_is_base_with_the_event_service() -> None:
    text = (resources.files("bansho.base") / "suite.toml").read_text()
    suite = definition.parse(text, Path("suite.toml"), "base", logical=True)
    service = suite.enabled["event-service"]
    assert service.command == ("{python}", "-m", "bansho.base.event_service")
    assert service.watchdog == 10
