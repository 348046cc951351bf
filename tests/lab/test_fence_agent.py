"""The fence agent as Pacemaker calls it, here without a power daemon."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from bansho.lab import fence_agent


def call(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-IS", fence_agent.__file__]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def test_metadata_names_the_actions_and_the_port() -> None:
    result = call("action=metadata\n")
    root = ElementTree.fromstring(result.stdout)
    actions = {action.attrib["name"] for action in root.iter("action")}
    assert result.returncode == 0
    assert {"on", "off", "reboot", "status", "list", "monitor", "metadata"} <= actions
    assert "port" in {parameter.attrib["name"] for parameter in root.iter("parameter")}


@pytest.mark.parametrize("action", ["reboot", "off", "on", "status", "monitor", "list"])
def test_without_its_daemon_it_never_says_done(action: str) -> None:
    result = call(f"action={action}\nport=n1\n")
    assert result.returncode == 1
    assert "power daemon" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_action_that_it_does_not_know_is_not_done() -> None:
    assert call("action=selfdestruct\nport=n1\n").returncode == 1


def test_without_an_action_it_means_reboot() -> None:
    assert call("port=n1\n").returncode == 1


def test_options_of_others_pass() -> None:
    assert fence_agent.options("action=off\n\n# note\nport = n2 \nx=a=b\n")["port"] == "n2"
    assert fence_agent.options("x=a=b")["x"] == "a=b"
