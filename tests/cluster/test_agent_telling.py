"""When Pacemaker's agent leaves somebody who tells the console how the cluster sees things."""

from typing import Any

import pytest

from bansho.cluster.agent import __main__ as agent
from bansho.cluster.agent import telling
from bansho.cluster.errors import AgentError

TELLER = "bansho.cluster.pacemaker.telling"


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch, house: Any) -> list[str]:
    """What the agent left running."""
    found: list[str] = []
    monkeypatch.setattr(telling, "_leave", lambda module, _host: found.append(module))
    return found


def act(node: Any, action: str, interval: int = 10_000, **parameters: str) -> int:
    """One action, in this process."""
    given = {**node.parameters, **parameters, "CRM_meta_interval": str(interval), "CRM_meta_timeout": "60000"}
    return agent.act(action, str(node.commands), {f"OCF_RESKEY_{name}": value for name, value in given.items()})


def test_a_running_manager_has_one_told_and_another_monitor_sees_to_it_again(node: Any, left: list[str]) -> None:
    act(node, "start", suite="manager")
    assert left == [TELLER]
    act(node, "monitor", suite="manager")
    assert left == [TELLER, TELLER]


def test_base_a_stopped_manager_and_another_product_have_not(node: Any, left: list[str]) -> None:
    act(node, "start", suite="base")
    act(node, "monitor", suite="base")
    act(node, "start", suite="manager", commands=str(node.commands))
    act(node, "stop", suite="manager", releases_disk="false")
    assert left == []


def test_a_manager_that_fails_has_not(node: Any, left: list[str]) -> None:
    node.answer(4, suite="manager")
    with pytest.raises(AgentError):
        act(node, "start", suite="manager")
    with pytest.raises(AgentError):
        act(node, "monitor", suite="manager")
    assert left == []
