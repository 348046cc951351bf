"""Wrong usage of `bansho`: one line with an id, what was expected, and the exit code 2."""

import subprocess

import pytest
from tests.house import COMMANDS, House


@pytest.mark.parametrize(
    ("arguments", "problem", "expected"),
    [
        (["frob"], "No such command 'frob'", "bansho [OPTIONS] COMMAND [ARGS]..."),
        (["check"], "Missing argument 'FILES...'", "bansho check [OPTIONS] FILES..."),
        (["check", "--nope", "x"], "No such option '--nope'", "bansho check [OPTIONS] FILES..."),
        (["token", "create"], "Missing argument 'NAME'", "bansho token create [OPTIONS] NAME"),
        (
            ["cluster", "status", "--watch", "-1"],
            "-1.0 is not in the range 0.1<=x<=86400",
            "bansho cluster status [OPTIONS] [NAME]",
        ),
        (
            ["cluster", "status", "--watch", "nan"],
            "'nan' is not a number of seconds",
            "bansho cluster status [OPTIONS] [NAME]",
        ),
        (
            ["cluster", "remove", "x", "--timeout", "nan", "--yes"],
            "'nan' is not a number of seconds",
            "bansho cluster remove [OPTIONS] NAME",
        ),
        (
            ["cluster", "standby", "on", "n1", "--timeout", "+NaN"],
            "is not a number of seconds",
            "bansho cluster standby [OPTIONS] {on|off} NODE",
        ),
        (
            ["cluster", "move", "x", "--timeout", "inf"],
            "inf is not in the range 1<=x<=86400",
            "bansho cluster move [OPTIONS] NAME [NODE]",
        ),
        (["account", "create", "x", "--role", "king"], "'king' is not one of", "bansho account create [OPTIONS] NAME"),
    ],
)
def test_wrong_usage_is_one_line_with_an_id(house: House, arguments: list[str], problem: str, expected: str) -> None:
    ended = house.command("bansho", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("BSHO9024-E ")
    assert problem in line
    assert f"; expected: {expected}; see: bansho" in line


def test_a_group_without_a_command_shows_its_commands(house: House) -> None:
    ended = house.command("bansho", "token")
    assert ended.returncode == 2
    assert "create" in ended.stderr
    assert "BSHO" not in ended.stderr


def test_help_and_version_end_with_0(house: House) -> None:
    assert house.command("bansho", "check", "--help").returncode == 0
    assert house.command("bansho", "--version").stdout.startswith("bansho, version ")


def test_a_reader_that_leaves_is_no_complaint() -> None:
    with subprocess.Popen(
        [COMMANDS / "bansho", "check", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert b"BSHO" not in process.stderr.read()
