"""Each known defect in a script written for the purpose, beside its correct counterpart; and no script breaks it."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bansho.cli.check import command
from bansho.cluster.scriptcheck import Finding, check
from bansho.cluster.scriptcheck.findings import UnreadableScript

START, STOP, NO_TERMINATION, TIED, LOST, GOTO = (f"BSHO62{n}-E" for n in (11, 12, 13, 14, 15, 16))
OTHER, TWO_HOSTS, NO_HOST, NO_LIMIT, NO_RETRY, RAW = (f"BSHO62{n}-E" for n in (17, 18, 19, 20, 21, 22))
REDIRECTING, ASSIGNMENT, TEXT, SEQUENCE = (f"BSHO62{n}-E" for n in (23, 24, 25, 26))
NOT_UNDERSTOOD, NOT_FOLLOWED = "BSHO6231-W", "BSHO6233-W"

# A whole script as it should be, in the manner of a site: functions, variables, an action as its argument.
RIGHT = r"""#!/bin/ksh
LH=watch
BASE_BIN=/opt/jp1base/bin
IM_ETC=/etc/opt/jp1cons

function ask {          # status command, retries of 12
  typeset n=0
  while [ "$n" -lt 4 ]; do
    "$1" -h "$LH" -t 10 >/dev/null 2>&1
    rc=$?
    [ "$rc" -eq 12 ] || break
    sleep 1
    n=$((n + 1))
  done
}

function until_running {
  while :; do
    jco_spmd_status -h "$LH" -t 10 && return 0
    sleep 1
  done
}

case "$1" in
start)
  $IM_ETC/jco_start.cluster $LH
  until_running || exit 1
  exit 0
  ;;
stop)
  $IM_ETC/jco_stop.cluster $LH
  $IM_ETC/jco_killall.cluster $LH
  for try in 1 2 3; do
    jco_spmd_status -h $LH -t 10
    rc=$?
    if [ "$rc" -eq 8 ]; then exit 0; fi
    sleep 1
  done
  exit 1
  ;;
monitor)
  ask jco_spmd_status
  case $rc in
  0) exit 0 ;;
  *) exit 1 ;;
  esac
  ;;
kill)
  jco_killall.cluster $LH
  ;;
esac
"""


def found(folder: Path, script: str) -> list[Finding]:
    path = folder / "script.sh"
    path.write_text(script)
    return check(path)


def ids(folder: Path, script: str) -> list[tuple[int, str]]:
    """(line, id) of each finding."""
    return [(each.line, each.id) for each in found(folder, script)]


def test_a_script_as_it_should_be(tmp_path: Path) -> None:
    assert found(tmp_path, RIGHT) == []


PROOF = "while ! jbs_spmd_status -h $LH -t 5; do sleep 1; done\n"
DEFECTS = {
    "start judged by its value": (
        "jbs_start.cluster $LH\nif [ $? -eq 0 ]; then exit 0; fi\nexit 1\n",
        [(1, START)],
        f"jbs_start.cluster $LH\nif [ $? -eq 1 ]; then exit 1; fi\n{PROOF}exit 0\n",
    ),
    "start judged by its value, at once": (
        "jbs_start.cluster $LH && exit 0\nexit 1\n",
        [(1, START)],
        f"jbs_start.cluster $LH || exit 1\n{PROOF}",
    ),
    "a failed start is reported as success": (
        f"jbs_start.cluster $LH\nif [ $? -ne 0 ]; then\n  exit $?\nfi\n{PROOF}",
        [(3, LOST)],
        f'jbs_start.cluster $LH\nrc=$?\nif [ $rc -ne 0 ]; then\n  exit "$rc"\nfi\n{PROOF}',
    ),
    "the same in other clothes": (
        f"jbs_start.cluster $LH\n[[ $? -ne 0 ]] && exit $?\n{PROOF}",
        [(2, LOST)],
        f"jbs_start.cluster $LH || exit $?\n{PROOF}",
    ),
    "the second look at a value that is gone": (
        "for i in 1 2; do\njbs_spmd_status -h $LH -t 5\nif [ $? -eq 0 ]; then exit 0\n"
        "elif [ $? -eq 12 ]; then sleep 1\nelse exit 1; fi\ndone\n",
        [(4, LOST)],
        "for i in 1 2; do\njbs_spmd_status -h $LH -t 5\nrc=$?\nif [ $rc -eq 0 ]; then exit 0\n"
        "elif [ $rc -eq 12 ]; then sleep 1\nelse exit 1; fi\ndone\n",
    ),
    "a value lost to a message": (
        "for i in 1 2; do jbs_spmd_status -h $LH -t 5; done\necho asked\nexit $?\n",
        [(3, LOST)],
        "for i in 1 2; do jbs_spmd_status -h $LH -t 5; done\nresult=1\necho asked\nexit $result\n",
    ),
    "forced termination only where stop failed": (
        f"jbs_stop.cluster $LH\nif [ $? -ne 0 ]; then\n  jbs_killall.cluster $LH\nfi\n{PROOF}",
        [(3, TIED)],
        f"jbs_stop.cluster $LH\njbs_killall.cluster $LH\n{PROOF}",
    ),
    "the same by a variable": (
        f"jbs_stop.cluster $LH\nRC=$?\ncase $RC in\n0) ;;\n*) jbs_killall.cluster $LH ;;\nesac\n{PROOF}",
        [(5, TIED)],
        f"jbs_stop.cluster $LH\nRC=$?\ncase $RC in\n0) ;;\n*) echo odd ;;\nesac\njbs_killall.cluster $LH\n{PROOF}",
    ),
    "the same by ||": (
        f"jbs_stop.cluster $LH || jbs_killall.cluster $LH\n{PROOF}",
        [(1, TIED)],
        f"jbs_stop.cluster $LH || :\njbs_killall.cluster $LH\n{PROOF}",
    ),
    "no forced termination": (
        f"jbs_stop.cluster $LH\n{PROOF}",
        [(1, NO_TERMINATION)],
        f"end() {{ jbs_killall.cluster $LH; }}\njbs_stop.cluster $LH\nend\n{PROOF}",
    ),
    "a stop without proof": (
        "jbs_stop.cluster $LH\njbs_killall.cluster $LH\nexit 0\n",
        [(1, STOP)],
        f"jbs_stop.cluster $LH\njbs_killall.cluster $LH\n{PROOF}",
    ),
    "goto": (
        "if [ -z $LH ]; then\n  goto end\nfi\n",
        [(2, GOTO)],
        "if [ -z $LH ]; then\n  exit 1\nfi\n",
    ),
    "another product's command": (
        "KILL1=/etc/opt/jp1base/jbs_killall.cluster\nKILL2=/etc/opt/jp1ajs2/jajs_killall.cluster\n"
        f"jbs_stop.cluster $LH\n$KILL2 $LH\n{PROOF}",
        [(4, OTHER)],
        "KILL1=/etc/opt/jp1base/jbs_killall.cluster\nKILL2=/etc/opt/jp1ajs2/jajs_killall.cluster\n"
        f"jbs_stop.cluster $LH\n$KILL1 $LH\n{PROOF}",
    ),
    "a host's name edited by hand": (
        "for i in 1 2; do jbs_spmd_status -h web -t 5; done\njevstat web\nfor i in 1 2; do jevstat watch -t 5; done\n",
        [(3, TWO_HOSTS)],
        "for i in 1 2; do jbs_spmd_status -h web -t 5; done\njevstat web\nfor i in 1 2; do jevstat web -t 5; done\n",
    ),
    "a retry that forgets its host": (
        "for i in 1 2; do\njbs_spmd_status -t 5\ndone\n",
        [(2, NO_HOST)],
        "for i in 1 2; do\njbs_spmd_status -h $LH -t 5\ndone\n",
    ),
    "an order that forgets its host": (
        f"jbs_start.cluster\n{PROOF}",
        [(1, NO_HOST)],
        f'jbs_start.cluster "$LH"\n{PROOF}',
    ),
    "a database that is asked for the wrong host": (
        "until jimdbstatus; do sleep 1; done\n",
        [(1, NO_HOST)],
        "until jimdbstatus -h $LH; do sleep 1; done\n",
    ),
    "no time limit": (
        "until jbs_spmd_status -h $LH; do sleep 1; done\n",
        [(1, NO_LIMIT)],
        "until jbs_spmd_status -h $LH -t 5; do sleep 1; done\n",
    ),
    "no retry for 12": (
        "jbs_spmd_status -h $LH -t 5 || exit 1\n",
        [(1, NO_RETRY)],
        "jbs_spmd_status -h $LH -t 5\nrc=$?\nif [ $rc -eq 12 ]; then\n  sleep 1\n"
        "  jbs_spmd_status -h $LH -t 5 || exit 1\nfi\n",
    ),
    "a raw value for the cluster": (
        "for i in 1 2; do\n  jbs_spmd_status -h $LH -t 5\n  rc=$?\ndone\nexit $rc\n",
        [(5, RAW)],
        "for i in 1 2; do\n  jbs_spmd_status -h $LH -t 5\n  rc=$?\ndone\nif [ $rc -eq 0 ]; then exit 0; fi\nexit 1\n",
    ),
    "a comparison that is a redirection": (
        "i=1\nwhile [ $i < $n ]; do i=$((i + 1)); done\n",
        [(2, REDIRECTING)],
        "i=1\nwhile [ $i -lt $n ]; do i=$((i + 1)); done\n",
    ),
    "an assignment that is a command": ("flg = 0\n", [(1, ASSIGNMENT)], "flg=0\n"),
    "a status's text is searched": (
        "for i in 1 2; do jbs_spmd_status -h $LH -t 5 | grep -q running; done\n",
        [(1, TEXT)],
        "for i in 1 2; do jbs_spmd_status -h $LH -t 5 >>$LOG; done\n",
    ),
    "a status's text is kept and searched": (
        'for i in 1 2; do\nout=`LANG=C jbs_spmd_status -h $LH -t 5`\necho "$out" | grep -q running\ndone\n',
        [(3, TEXT)],
        'for i in 1 2; do\nout=`LANG=C jbs_spmd_status -h $LH -t 5`\necho "$out" | tee -a $LOG\ndone\n',
    ),
    "Manager before Base": (
        f"jco_start.cluster $LH\njbs_start.cluster $LH\n{PROOF}{PROOF.replace('jbs', 'jco')}",
        [(1, SEQUENCE)],
        f"jbs_start.cluster $LH\n{PROOF}jco_start.cluster $LH\n{PROOF.replace('jbs', 'jco')}",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_and_its_correct_counterpart(tmp_path: Path, name: str) -> None:
    wrong, expected, right = DEFECTS[name]
    assert ids(tmp_path, "#!/bin/sh\n" + wrong) == [(line + 1, kind) for line, kind in expected]
    assert ids(tmp_path, "#!/bin/sh\n" + right) == []


def test_every_kind_of_defect_has_its_script() -> None:
    kinds = {kind for _, expected, _ in DEFECTS.values() for _, kind in expected}
    assert kinds == {f"BSHO62{n}-E" for n in range(11, 27)}


def test_a_finding_says_where_why_and_how_it_is_done_right(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, f"jbs_stop.cluster $LH || jbs_killall.cluster $LH\n{PROOF}")
    assert finding.text.startswith(
        f"BSHO6214-E {tmp_path}/script.sh:1: jbs_killall.cluster runs only for some values of"
    )
    assert finding.text.endswith("run it after every stop, without a condition")


@pytest.mark.parametrize(
    ("command", "retried"),
    [("jbs_spmd_status -h $LH -t 5", "12"), ("jimdbstatus -h $LH", "1 and 4"), ("jevstat $LH -t 5", "")],
)
def test_what_asks_for_a_retry_is_in_each_commands_own_table(tmp_path: Path, command: str, retried: str) -> None:
    """No value of jevstat does: its 12 is a failure."""
    said = [each.text for each in found(tmp_path, f"{command} || exit 1\n")]
    assert [text.partition(" is asked once; ")[2].partition(" asks for")[0] for text in said] == [retried][
        : bool(retried)
    ]


@pytest.mark.parametrize("wrapper", ["sudo", "timeout 60", "nice -n 5 sh"])
def test_a_command_behind_another_is_seen(tmp_path: Path, wrapper: str) -> None:
    assert ids(tmp_path, f"until {wrapper} /opt/jp1base/bin/jbs_spmd_status -t 5; do :; done\n") == [(1, NO_HOST)]


def test_what_is_not_understood_is_said(tmp_path: Path) -> None:
    noted = found(tmp_path, "if then fi done esac ((\ngoto end\n")
    assert NOT_UNDERSTOOD in {each.id for each in noted}
    assert not [each for each in noted if each.id == NOT_UNDERSTOOD and each.is_defect]


def test_deep_nesting_and_long_files_are_borne(tmp_path: Path) -> None:
    assert NOT_FOLLOWED in {each.id for each in found(tmp_path, "{ " * 3000 + "goto x" + "; }" * 3000)}
    (tmp_path / "long").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(UnreadableScript, match="it is larger"):
        check(tmp_path / "long")
    with pytest.raises(UnreadableScript, match="No such file"):
        check(tmp_path / "none")


PIECES = st.sampled_from(
    [
        *RIGHT.split(),
        "$?",
        "if",
        "then",
        "fi",
        "case",
        "esac",
        "$(",
        ")",
        "`",
        "<<EOF",
        "((",
        "[[",
        "]]",
        "&&",
        "|",
        "\n",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(source=st.one_of(st.binary(), st.lists(PIECES, max_size=40).map(lambda pieces: " ".join(pieces).encode())))
def test_no_bytes_break_it(tmp_path: Path, source: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(source)
    for finding in check(path):
        assert f"{path}:{finding.line}: " in finding.text
        assert 1 <= finding.line <= source.count(b"\n") + 1


def test_bansho_check_knows_a_script_by_its_first_line_or_its_name(tmp_path: Path) -> None:
    (tmp_path / "control").write_text("#! /usr/bin/ksh -p\ngoto end\n")
    (tmp_path / "control.sh").write_text(RIGHT)
    done = CliRunner().invoke(command, [str(tmp_path / "control"), str(tmp_path / "control.sh")])
    assert done.exit_code == 1
    assert f"BSHO6216-E {tmp_path}/control:2: a shell has no goto" in done.output
    assert f"{tmp_path}/control.sh: nothing is wrong" in done.output
