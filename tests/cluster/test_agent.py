"""The resource agent's file as Pacemaker calls it, above commands that misbehave in every way known from the field."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from bansho.cluster import timing
from bansho.contract.suites import COMMANDS
from bansho.logicalhost import history
from bansho.logicalhost.definition import Cluster
from bansho.logicalhost.places import SharedPlaces

if TYPE_CHECKING:
    from tests.cluster.conftest import Node

SUCCESS, GENERIC, UNIMPLEMENTED, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 3, 5, 6, 7


def test_a_life(node: "Node") -> None:
    assert node.call("monitor", interval=0)[0] == NOT_RUNNING
    assert node.call("start") == (SUCCESS, "")
    assert node.call("monitor") == (SUCCESS, "")
    assert node.call("monitor", interval=0) == (SUCCESS, "")
    assert node.call("stop") == (SUCCESS, "")
    assert node.call("monitor")[0] == NOT_RUNNING


@pytest.mark.parametrize("suite", COMMANDS)
def test_every_command_is_told_its_logical_host(node: "Node", suite: str) -> None:
    node.parameters["suite"] = suite
    for action in ("start", "monitor", "stop"):
        assert node.call(action)[0] == SUCCESS
    names = COMMANDS[suite]
    assert {call for call in node.calls() if not call.startswith(names.status)} == {
        f"{names.start} watch",
        f"{names.stop} watch",
        f"{names.killall} watch",
    }
    assert {call for call in node.calls() if call.startswith(names.status)} == {f"{names.status} -h watch -t 5"}


def test_commands_never_see_the_clusters_variables_and_know_the_host(node: "Node") -> None:
    node.do("jbs_start.cluster", f"env >{node.state}/environment; exit 0")
    node.answer(8, 0)
    assert node.call("start")[0] == SUCCESS
    variables = (node.state / "environment").read_text().splitlines()
    assert "JP1_HOSTNAME=watch" in variables
    assert not [each for each in variables if each.startswith("OCF_")]


@pytest.mark.parametrize("database", ["true", "false"])
def test_a_healthy_monitor_of_our_manager_needs_no_python_either(node: "Node", database: str) -> None:
    node.call("start", suite="manager")
    (node.state / "calls").unlink()
    (node.commands / "python3").unlink()
    assert node.call("monitor", suite="manager", database=database) == (SUCCESS, "")
    asked = ["jco_spmd_status -h watch -t 5", "jimdbstatus -h watch -t 5"]
    assert node.calls() == asked[: 1 + (database == "true")]


@pytest.mark.parametrize("shell", ["/bin/dash", "/bin/bash --posix"])
@pytest.mark.parametrize("which", ["jco_spmd_status", "jimdbstatus"])
@pytest.mark.parametrize("content", ["", "if", "exit 4", "exec /nowhere/python3", "return 0", None])
def test_what_is_no_answer_is_python_s_to_look_into(node: "Node", shell: str, which: str, content: str | None) -> None:
    """Nothing, no program, another value, a doubt, an end that is none, no command: of the first or the second."""
    node.call("start", suite="manager")
    (node.commands / "python3").unlink()
    node.agent.write_text(node.agent.read_text().replace("#!/bin/sh", f"#!{shell}", 1))
    assert node.call("monitor", suite="manager", database="true") == (SUCCESS, "")
    (node.commands / which).unlink()
    if content is not None:
        (node.commands / which).write_text(content)
    assert node.call("monitor", suite="manager", database="true")[0] == INSTALLED


def test_a_healthy_monitor_of_ours_costs_one_status_command_and_no_python(node: "Node") -> None:
    node.call("start")
    python = node.commands / "python3"
    python.write_text(f'#!/bin/sh\necho started >"{node.state}/python"\nexec {sys.executable} "$@"\n')
    (node.state / "calls").unlink()
    assert node.call("monitor") == (SUCCESS, "")
    assert node.calls() == ["jbs_spmd_status -h watch -t 5"]
    assert not (node.state / "python").exists()
    node.kill("base")
    assert node.call("monitor")[0] == NOT_RUNNING
    assert (node.state / "python").exists()


# Start


def test_a_start_command_that_lies_is_not_believed(node: "Node") -> None:
    node.do("jbs_start.cluster", "exit 0")
    value, said = node.call("start")
    assert value == GENERIC
    assert "ocf-exit-reason:BSHO6014-E" in said
    assert "jbs_spmd_status answered 8: all stopped" in said
    assert "jbs_start.cluster returned 0" in said


def test_a_start_still_under_way_is_waited_for(node: "Node") -> None:
    node.do("jbs_start.cluster", "exit 0")
    node.answer(8, *[12] * 8, 0)
    assert node.call("start") == (SUCCESS, "")


def test_a_start_that_never_ends_names_the_last_answer(node: "Node") -> None:
    node.answer(8, 12)
    value, said = node.call("start", timeout=1.6)
    assert value == GENERIC
    assert "BSHO6016-E start of suite base of watch: not done within 1.2 s" in said
    assert "last: jbs_spmd_status answered 12" in said


def test_a_start_is_not_given_up_at_the_first_bad_answer(node: "Node") -> None:
    node.do("jbs_start.cluster", "exit 0")
    node.answer(8, 4, 8, 12, 1, 4, 0)
    assert node.call("start") == (SUCCESS, "")


def test_a_start_is_given_up_once_a_bad_answer_is_settled(node: "Node") -> None:
    node.do("jbs_start.cluster", "exit 0")
    node.answer(8, 4)
    value, said = node.call("start")
    assert value == GENERIC
    assert "answered 4" in said
    assert len([call for call in node.calls() if "status" in call]) == 1 + 3


def test_an_argument_error_of_start_needs_no_patience(node: "Node") -> None:
    node.do("jbs_start.cluster", "exit 1")
    value, said = node.call("start")
    assert value == GENERIC
    assert "jbs_start.cluster returned 1" in said
    assert len([call for call in node.calls() if "status" in call]) == 2


def test_a_hung_start_command_is_given_up_and_monitoring_decides(node: "Node") -> None:
    node.do("jbs_start.cluster", 'echo $$ >"$state/hung"; echo 0 >"$state/base.values"; exec sleep 1000')
    node.answer(8)
    assert node.call("start", timeout=4, status_timeout="0.5") == (SUCCESS, "")
    assert not Path("/proc", (node.state / "hung").read_text().strip()).exists()


def test_what_a_hung_start_command_has_started_is_left_alone(node: "Node") -> None:
    node.do("jbs_start.cluster", 'sleep 1000 & echo $! >"$state/base.pid"; exec sleep 1000')
    assert node.call("start", timeout=4, status_timeout="0.5") == (SUCCESS, "")
    assert node.call("monitor") == (SUCCESS, "")


def test_a_failed_start_repeats_what_the_command_said(node: "Node") -> None:
    node.do("jbs_start.cluster", "echo 'the disk is full' >&2; exit 0")
    assert "jbs_start.cluster returned 0: the disk is full" in node.call("start")[1]


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(("options", "shortage"), [("size=1m", "is full (0 MiB left"), ("nr_inodes=4", "no file can")])
def test_a_failed_start_names_a_full_disk_first(node: "Node", options: str, shortage: str) -> None:
    node.do("jbs_start.cluster", "exit 0")
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", node.shared], check=True)
    try:
        node.mount()
        value, said = node.call("start")
    finally:
        subprocess.run(["umount", node.shared], check=True)
    assert value == GENERIC
    assert shortage in said.partition("jbs_spmd_status")[0]
    assert "full" not in node.call("start")[1]


def test_a_daemon_that_keeps_the_output_open_holds_nothing_up(node: "Node") -> None:
    node.do("jbs_start.cluster", 'sleep 1000 & echo $! >"$state/base.pid"; exit 0')
    assert node.call("start", timeout=30) == (SUCCESS, "")


def test_a_suite_that_runs_is_not_started_again(node: "Node") -> None:
    node.call("start")
    assert node.call("start") == (SUCCESS, "")
    assert node.calls().count("jbs_start.cluster watch") == 1


def test_no_start_without_the_disk(node: "Node") -> None:
    node.unmount()
    value, said = node.call("start")
    assert value == GENERIC
    assert "BSHO6013-E" in said
    assert node.calls() == []


def test_a_failed_start_cleans_nothing_up(node: "Node") -> None:
    node.do("jbs_start.cluster", "exit 0")
    node.call("start")
    assert not [call for call in node.calls() if "stop" in call or "killall" in call]


def test_start_waits_for_the_database_too(node: "Node") -> None:
    node.do("jimdbstatus", 'n=$(cat "$state/n" 2>/dev/null); echo "x$n" >"$state/n"; [ "$n" = xxx ] && exit 0; exit 4')
    assert node.call("start", suite="manager", database="true") == (SUCCESS, "")
    assert node.calls().count("jimdbstatus -h watch") == 4


# Stop


def test_a_stop_that_timed_out_returned_zero_too_so_forced_termination_always_follows(node: "Node") -> None:
    node.call("start")
    node.do("jbs_stop.cluster", "exit 0")
    assert node.call("stop") == (SUCCESS, "")
    assert node.call("monitor")[0] == NOT_RUNNING
    calls = node.calls()
    assert calls.index("jbs_stop.cluster watch") < calls.index("jbs_killall.cluster watch")


def test_a_hung_stop_command_leaves_time_for_forced_termination(node: "Node") -> None:
    node.call("start")
    node.do("jbs_stop.cluster", "exec sleep 1000")
    assert node.call("stop", timeout=4) == (SUCCESS, "")
    assert node.call("monitor")[0] == NOT_RUNNING


def test_a_stop_without_proof_is_an_error(node: "Node") -> None:
    node.call("start")
    for command in ("jbs_stop.cluster", "jbs_killall.cluster"):
        node.do(command, "exit 0")
    value, said = node.call("stop")
    assert value == GENERIC
    assert "BSHO6015-E" in said
    assert "jbs_spmd_status answered 0: all running" in said
    assert "held by sleep" in said
    assert node.calls().count("jbs_killall.cluster watch") == 3


@pytest.mark.parametrize("value", [0, 1, 4, 12, 77])
def test_no_other_value_than_eight_proves_a_stop(node: "Node", value: int) -> None:
    node.answer(value)
    assert node.call("stop")[0] == GENERIC


def test_a_process_that_still_holds_the_disk_refutes_the_stop(node: "Node") -> None:
    with (node.shared / "log/kept").open("w") as kept:
        holder = subprocess.Popen(["sleep", "1000"], stdout=kept, start_new_session=True)
    try:
        value, said = node.call("stop")
        assert value == GENERIC
        assert f"held by sleep (pid {holder.pid}, {node.shared}/log/kept)" in said
        # Manager stops while Base still runs and holds the disk: only the last to stop releases it.
        assert node.call("stop", releases_disk="false") == (SUCCESS, "")
    finally:
        holder.kill()
        holder.wait()


def test_a_persons_shell_in_the_shared_directory_is_named_and_left_to_the_unmount(node: "Node") -> None:
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - becomes another program
        os.chdir(node.shared)
        os.execvp("cat", ["cat"])
    try:
        os.write(terminal, b"x\n")
        seen = b""
        while seen.count(b"x") < 2:  # the terminal's echo, then the program's: it has started
            seen += os.read(terminal, 100)
        value, said = node.call("stop")
        assert value == SUCCESS
        assert f"cat (pid {pid}, {node.shared})" in said
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def test_what_our_forced_termination_could_not_end_refutes_the_stop(node: "Node") -> None:
    node.do("jbs_killall.cluster", "echo 'pid 7 (postgres): waits in the kernel' >&2; exit 1")
    value, said = node.call("stop")
    assert value == GENERIC
    assert "jbs_killall.cluster returned 1: pid 7 (postgres): waits in the kernel" in said


def test_of_others_forced_termination_the_value_means_nothing_where_monitoring_can_tell(node: "Node") -> None:
    node.do("jbs_killall.cluster", "exit 1")
    assert node.call("stop", commands=str(node.commands)) == (SUCCESS, "")
    node.unmount()
    value, said = node.call("stop", commands=str(node.commands))
    assert value == GENERIC
    assert "no proof that it has stopped: jbs_killall.cluster returned 1" in said


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("others", [True, False])
def test_a_disk_that_was_unmounted_under_its_processes_is_still_held(node: "Node", others: bool) -> None:
    disk = node.shared.parent
    node.parameters |= {"mount_point": str(disk), "commands": str(node.commands) if others else ""}
    subprocess.run(["mount", "-t", "tmpfs", "none", disk], check=True)
    try:
        node.mount()
        assert node.call("start") == (SUCCESS, "")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    node.do("jbs_killall.cluster", "exit 0")
    value, said = node.call("stop")
    assert value == GENERIC
    assert f"held by sleep (pid {(node.state / 'base.pid').read_text().strip()}, /shared/log/held-by-base)" in said
    (node.state / "jbs_killall.cluster.do").unlink()
    assert node.call("stop") == (SUCCESS, "")
    node.do("jbs_killall.cluster", "exit 0")
    assert node.call("stop") == (SUCCESS, ""), "its number may be another's by now"


@pytest.mark.usefixtures("as_root")
def test_the_agent_shuts_no_service_out_of_the_folder_that_it_makes(node: "Node") -> None:
    """Where nobody has started the suite yet, the first note makes it; cluster software may have a closed umask."""
    before = os.umask(0o077)
    try:
        node.call("start", mount_point="/proc")
    finally:
        os.umask(before)
    folder = Path(os.environ["BANSHO_RUN"], "watch/base")
    assert (folder / "disk").exists()
    assert {oct(each.stat().st_mode & 0o777) for each in (folder, folder.parent)} == {"0o755"}


def test_a_file_system_that_everybody_holds_is_not_looked_for(node: "Node") -> None:
    node.parameters["mount_point"] = "/"
    assert node.call("start") == (SUCCESS, "")
    node.unmount()
    assert node.call("stop") == (SUCCESS, "")


def test_a_stop_where_nothing_runs_sweeps_up_all_the_same(node: "Node") -> None:
    assert node.call("stop") == (SUCCESS, "")
    assert [call for call in node.calls() if "status" not in call] == ["jbs_killall.cluster watch"]


def test_a_stop_without_the_disk_asks_no_status_and_writes_nothing(node: "Node") -> None:
    node.unmount()
    assert node.call("stop") == (SUCCESS, "")
    assert node.calls() == ["jbs_killall.cluster watch"]
    assert not node.shared.exists()


def test_a_stop_that_runs_out_of_time_is_an_error_that_names_the_step(node: "Node") -> None:
    node.do("jbs_killall.cluster", "exec sleep 1000")
    value, said = node.call("stop", timeout=1.2)
    assert value == GENERIC
    assert "BSHO6016-E stop of suite base of watch: not done within 0.9 s: jbs_killall.cluster for" in said


# Monitor


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0,), SUCCESS),
        ((1,), GENERIC),
        ((4,), GENERIC),
        ((8,), NOT_RUNNING),
        ((77,), GENERIC),
        ((12, 12, 0), SUCCESS),
        ((12, 8), NOT_RUNNING),
        ((77, 77, 4), GENERIC),
        ((12,), GENERIC),
    ],
)
@pytest.mark.parametrize("interval", [0, 10])
def test_monitor(node: "Node", values: tuple[int, ...], expected: int, interval: int) -> None:
    node.answer(*values)
    value, said = node.call("monitor", interval=interval)
    assert value == expected
    assert ("BSHO6017-E" in said) == (expected == GENERIC)


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_twelve_for_ever_is_retried_as_often_as_specified(node: "Node", retries: int) -> None:
    node.answer(12)
    value, said = node.call("monitor", retries=str(retries), commands=str(node.commands))
    assert value == GENERIC
    assert "answered 12: recoverable by retrying" in said
    assert len(node.calls()) == retries + 1


def test_one_on_a_standby_is_not_running_and_nobody_is_asked(node: "Node") -> None:
    node.unmount()
    assert node.call("monitor", interval=0) == (NOT_RUNNING, "")
    assert node.calls() == []


def test_an_empty_mount_point_counts_as_no_disk(node: "Node") -> None:
    assert node.call("monitor", interval=0, mount_point=str(node.shared.parent)) == (NOT_RUNNING, "")
    assert node.calls() == []


def test_a_suite_that_loses_its_disk_has_failed(node: "Node") -> None:
    node.unmount()
    value, said = node.call("monitor")
    assert value == GENERIC
    assert "answered 1: unrecoverable error" in said


def test_a_status_that_is_killed_is_asked_again(node: "Node") -> None:
    node.do("jbs_spmd_status", 'n=$(cat "$state/n" 2>/dev/null); echo "x$n" >"$state/n"; [ "$n" = xx ] || kill -9 $$')
    node.call("start", commands=str(node.commands))
    value, said = node.call("monitor", commands=str(node.commands))
    assert value == GENERIC
    assert "jbs_spmd_status was killed by signal 9" in said


def test_a_status_killed_once_does_no_harm(node: "Node") -> None:
    node.do("jbs_spmd_status", '[ -e "$state/n" ] || { : >"$state/n"; kill -9 $$; }; exit 0')
    assert node.call("monitor", commands=str(node.commands)) == (SUCCESS, "")


def test_a_hung_status_command_is_ended_with_all_it_started(node: "Node") -> None:
    node.do("jbs_spmd_status", 'sleep 1000 & echo "$! $$" >>"$state/hung"; wait')
    node.parameters |= {"status_timeout": "0.1", "retries": "1", "commands": str(node.commands)}
    value, said = node.call("monitor")
    assert value == GENERIC
    assert "jbs_spmd_status did not answer in time" in said
    pids = (node.state / "hung").read_text().split()
    assert len(pids) == 4
    assert not [pid for pid in pids if Path("/proc", pid, "exe").exists()]


def test_a_monitor_that_runs_out_of_time_says_where_it_was(node: "Node") -> None:
    node.do("jbs_spmd_status", "exec sleep 1000")
    value, said = node.call("monitor", timeout=0.8, commands=str(node.commands))
    assert value == GENERIC
    assert "monitor of suite base of watch: not done within 0.6 s: jbs_spmd_status for" in said


@pytest.mark.parametrize(("suite", "slow"), [("base", "jbs_spmd_status"), ("manager", "jimdbstatus")])
def test_what_a_status_took_on_the_short_way_counts_too(node: "Node", suite: str, slow: str) -> None:
    """Ours keep their time-out, and then ask for a retry: here there is no time left for it."""
    node.answer(0, suite=suite)
    node.do(slow, "sleep 1; exit 12")
    value, said = node.call("monitor", timeout=1.2, suite=suite, database=str(suite == "manager").lower())
    assert value == GENERIC
    assert f"not done within 0.9 s: the short way, up to {slow} for" in said
    assert [call.split()[0] for call in node.calls()].count(slow) == 1, "nobody is asked when the time is over"


def test_a_missing_command_is_not_installed(node: "Node") -> None:
    (node.commands / "jbs_spmd_status").unlink()
    value, said = node.call("monitor")
    assert value == INSTALLED
    assert f"BSHO6012-E command jbs_spmd_status: expected an executable in {node.commands}" in said


def test_a_command_without_an_interpreter_is_not_installed(node: "Node") -> None:
    (node.commands / "jbs_spmd_status").write_text("#!/no/such/shell\n")
    value, said = node.call("monitor")
    assert value == INSTALLED
    assert "No such file or directory" in said


@pytest.mark.parametrize(
    ("answer", "expected", "asked"),
    [(0, SUCCESS, 1), (1, GENERIC, 3), (4, GENERIC, 3), (12, GENERIC, 1), (8, GENERIC, 1)],
)
def test_the_database_has_its_own_table_and_its_own_retries(
    node: "Node", answer: int, expected: int, asked: int
) -> None:
    node.answer(12, 12, 0, suite="manager")
    node.do("jimdbstatus", f"exit {answer}")
    value, said = node.call("monitor", suite="manager", database="true")
    assert value == expected
    assert node.calls().count("jimdbstatus -h watch") == asked
    assert (f"jimdbstatus answered {answer}" in said) == (expected == GENERIC)


def test_the_database_of_a_stopped_manager_is_not_asked(node: "Node") -> None:
    assert node.call("monitor", suite="manager", database="yes")[0] == NOT_RUNNING
    assert not [call for call in node.calls() if call.startswith("jimdbstatus")]


def test_commands_may_lie_in_several_folders(node: "Node") -> None:
    other = node.commands.parent / "etc"
    other.mkdir()
    for name in ("jbs_start.cluster", "jbs_stop.cluster", "jbs_killall.cluster"):
        shutil.move(node.commands / name, other / name)
    (other / "state").symlink_to(node.state)
    folders = f"{other}:{node.commands}"
    for action in ("validate-all", "start", "monitor", "stop"):
        assert node.call(action, commands=folders) == (SUCCESS, "")


# Everything else


def test_a_takeover_leaves_its_marks_and_nothing_else_does(node: "Node") -> None:
    node.call("monitor", interval=0)
    node.call("start")
    node.call("start")
    node.call("monitor")
    node.call("stop")
    legs = [mark.leg for mark in history.marks(SharedPlaces(node.shared))]
    assert legs == ["base start begins", "base started"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"host": ""}, "parameter host: is required"),
        ({"suite": "web"}, "parameter suite: 'web': expected one of base, manager"),
        ({"directory": ""}, "parameter directory: is required"),
        ({"retries": "-1"}, "parameter retries: '-1': expected a whole number"),
        ({"retries": "٣"}, "parameter retries"),
        ({"retry_interval": "1h"}, "parameter retry_interval: '1h': expected seconds"),
        ({"status_timeout": "nan"}, "parameter status_timeout"),
        ({"database": "perhaps"}, "parameter database: 'perhaps': expected true or false"),
    ],
)
def test_a_bad_parameter_is_named(node: "Node", parameters: dict[str, str], said: str) -> None:
    node.parameters |= parameters
    value, reason = node.call("validate-all")
    assert value == CONFIGURED
    assert f"ocf-exit-reason:BSHO6011-E {said}" in reason


@pytest.mark.parametrize("suite", COMMANDS)
@pytest.mark.parametrize("action", ["promote", "", "start stop", "--help", "Monitor"])
def test_an_unknown_action_is_unimplemented(node: "Node", action: str, suite: str) -> None:
    value, said = node.call(action, suite=suite)
    assert value == UNIMPLEMENTED
    assert "expected one of start, stop, monitor, validate-all, meta-data" in said


def test_without_python_the_agent_says_what_to_install(node: "Node") -> None:
    (node.commands / "python3").unlink()
    value, said = node.call("start")
    assert value == INSTALLED
    assert "bansho cluster agent install" in said


@pytest.mark.parametrize("schema", ["--dtdvalid ra-api-1.dtd", "--relaxng metadata.rng"])
def test_the_meta_data_is_what_cluster_software_expects(node: "Node", schema: str) -> None:
    text = subprocess.run([node.agent, "meta-data"], capture_output=True, text=True, check=True).stdout
    folder = Path("/usr/share/resource-agents")
    if not folder.exists() or not shutil.which("xmllint"):
        pytest.skip("needs resource-agents and xmllint")
    option, name = schema.split()
    done = subprocess.run(
        ["xmllint", "--noout", "--nonet", option, folder / name, "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_meta_data_advertises_the_limits_of_a_usual_definition(node: "Node") -> None:
    text = subprocess.run([node.agent, "meta-data"], capture_output=True, text=True, check=True).stdout
    actions = ElementTree.fromstring(text).iter("action")
    advertised = {(each.get("name"), each.get("depth", "0")): each.get("timeout") for each in actions}
    cluster = Cluster()
    usual = timing.Patience(cluster.retries, cluster.retry_interval, cluster.status_timeout)
    assert usual == timing.USUAL
    expected = {(name, "0"): limit for name, limit in timing.usual(usual).items()}
    expected["monitor", "10"] = timing.deep_monitor(usual)
    assert advertised == {action: f"{limit.seconds}s" for action, limit in expected.items()}


def test_without_a_limit_from_the_cluster_the_usual_one_holds(node: "Node") -> None:
    variables = {f"OCF_RESKEY_{name}": value for name, value in node.parameters.items()}
    done = subprocess.run([node.agent, "start"], env={**os.environ, **variables}, check=False)
    assert done.returncode == SUCCESS


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("suite", COMMANDS)
def test_ocf_tester_is_content(node: "Node", suite: str) -> None:
    if not shutil.which("ocf-tester") or not shutil.which("xmllint"):
        pytest.skip("needs resource-agents and xmllint")
    parameters = node.parameters | {"suite": suite, "database": str(suite == "manager").lower(), "wait": "10"}
    options = [part for name, value in parameters.items() for part in ("-o", f"{name}={value}")]
    done = subprocess.run(
        ["ocf-tester", "-n", f"watch-{suite}", *options, str(node.agent)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OCF_ROOT": "/usr/lib/ocf"},
    )
    assert "passed all tests" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_takeover_marks_are_json_lines(node: "Node") -> None:
    node.call("start")
    lines = (node.shared / "log/takeover.jsonl").read_text().splitlines()
    assert [json.loads(line)["node"] for line in lines] == [os.uname().nodename] * 2
