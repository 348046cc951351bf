"""`bansho lab`, as a person types it."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bansho.lab import Lab

BANSHO = str(Path(sys.prefix, "bin", "bansho"))


def bansho(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BANSHO, "lab", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.nodes
def test_status_tells_programs_and_people_the_same(lab: Lab) -> None:
    name = lab.spec.name
    status = json.loads(bansho("status", "--name", name, "--json").stdout)
    assert list(status["hosts"]) == ["n1", "n2", "n3", "outside"]
    plugged = {"power": "on", "cable": "plugged", "management": "plugged"}
    assert status["hosts"]["n2"] == plugged | {"address": lab.address("n2")}
    text = bansho("status", "--name", name).stdout
    assert lab.disk in text
    assert f"n2       {lab.address('n2')}   power on      cable plugged  management plugged" in text


@pytest.mark.nodes
def test_exec_passes_arguments_input_and_the_exit_code(lab: Lab) -> None:
    script = 'cat; echo "$1" $(hostname); exit 5'
    command = [BANSHO, "lab", "exec", "--name", lab.spec.name, "outside", "--", "sh", "-c", script, "sh", "--help  x"]
    result = subprocess.run(command, input="in ", capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (5, "in --help  x outside\n")


@pytest.mark.nodes
def test_power_and_cable_are_in_the_log(bare: Lab) -> None:
    name = bare.spec.name
    for arguments in (("cable", "n1", "cut"), ("power", "n1", "off"), ("power", "n1", "on"), ("cable", "n1", "plug")):
        result = bansho(arguments[0], "--name", name, *arguments[1:])
        assert (result.returncode, result.stderr) == (0, "")
    entries = [json.loads(line) for line in bansho("log", "--name", name, "--json").stdout.splitlines()]
    done = [entry["action"] for entry in entries if entry["by"] == "operator" and entry["done"]]
    assert done == ["cut", "off", "on", "plug"]
    assert "operator off n1 ..." in bansho("log", "--name", name).stdout


@pytest.mark.nodes
def test_a_window_stays_until_it_is_interrupted(bare: Lab) -> None:
    with bare.window("10.77.0.1:1") as free:
        port = free.port
    target = f"{bare.address('n1')}:1"
    command = [BANSHO, "lab", "window", "--name", bare.spec.name, str(port), target]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as window:
        assert window.stdout is not None
        assert window.stdout.readline() == f"http://127.0.0.1:{port}/ leads to {target}\n"
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20)
        refused = bansho("window", "--name", bare.spec.name, str(port), target)
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"BSHO7011-E window: 127.0.0.1:{port}")
        window.send_signal(2)
        assert window.wait(20) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--name", "../x"),
        ("up", "--name", "nobody", "--nodes", "0"),
        ("up", "--name", "nobody", "--disk-size", "huge"),
        ("down", "--name", ""),
        ("status", "--name", "nobody"),
        ("exec", "--name", "nobody", "n1", "--", "true"),
        ("power", "--name", "nobody", "n1", "off"),
        ("log", "--name", "nobody"),
        ("window", "--name", "nobody", "80", "10.77.0.100:80"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_1(arguments: tuple[str, ...]) -> None:
    result = bansho(*arguments)
    assert result.returncode == 1
    assert result.stderr.startswith("BSHO700")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [("power", "n1", "explode"), ("cable", "n1"), ("exec", "n1"), ("window", "0", "x")]
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = bansho(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_down_without_a_lab_is_no_error() -> None:
    result = bansho("down", "--name", "nobody")
    assert (result.returncode, result.stdout) == (0, "lab nobody: was not up\n")


@pytest.mark.nodes
def test_a_node_that_does_not_exist_or_has_no_power_is_named(bare: Lab) -> None:
    unknown = bansho("exec", "--name", bare.spec.name, "n7", "--", "true")
    assert unknown.stderr.startswith("BSHO7005-E")
    bare.node("n2").power("off")
    off = bansho("exec", "--name", bare.spec.name, "n2", "--", "true")
    assert (off.returncode, off.stderr.split()[0]) == (1, "BSHO7006-E")
