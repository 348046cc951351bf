"""The forms that the defects take on the ways through a script, and right scripts that look like them."""

from pathlib import Path

import pytest

from bansho.cluster import products
from bansho.cluster.scriptcheck import check, is_script
from bansho.logicalhost.definition import parse

START, STOP, NO_TERMINATION, TIED, LOST = (f"BSHO62{n}-E" for n in (11, 12, 13, 14, 15))
OTHER, NO_HOST, NO_RETRY, RAW, TEXT = (f"BSHO62{n}-E" for n in (17, 19, 21, 22, 25))
NOT_KNOWN, NOT_FOLLOWED = "BSHO6232-W", "BSHO6233-W"

MONITOR = "for i in 1 2 3; do jco_spmd_status -h $LH -t 10 && exit 0; sleep 1; done\nexit 1\n"
PROOF = "for i in 1 2 3; do\n  jco_spmd_status -h $LH -t 10\n  [ $? -eq 8 ] && exit 0\ndone\nexit 1\n"
END = f"jco_killall.cluster $LH\n{PROOF}"

DEFECTS = {
    # a start is judged by its value
    "monitoring stands in another branch of an if": (
        'if [ "$1" = start ]; then\n  jco_start.cluster $LH\n  exit $?\n'
        f'elif [ "$1" = monitor ]; then\n  {MONITOR}fi\n',
        [(2, START)],
    ),
    "monitoring stands in another if": (
        f'if [ "$1" = start ]; then jco_start.cluster $LH; fi\nif [ "$1" = monitor ]; then\n  {MONITOR}fi\n',
        [(1, START)],
    ),
    "the status is only shown": (
        "jco_start.cluster $LH\nrc=$?\nfor i in 1 2; do jco_spmd_status -h $LH -t 5; done\nexit $rc\n",
        [(1, START)],
    ),
    "monitoring only where the value was not 0": (
        f"jco_start.cluster $LH\nif [ $? -eq 0 ]; then\n  echo started\n  exit 0\nfi\n{MONITOR}",
        [(1, START)],
    ),
    "the same by a case": (
        f"jco_start.cluster $LH\ncase $? in\n0) exit 0 ;;\nesac\n{MONITOR}",
        [(1, START)],
    ),
    "the same by a sum": (
        f"jco_start.cluster $LH\nrc=$?\n((rc == 0)) && exit 0\n{MONITOR}",
        [(1, START)],
    ),
    "the same by a function": (
        f"begin() {{\n  jco_start.cluster $LH\n  return $?\n}}\nif begin; then exit 0; fi\n{MONITOR}",
        [(2, START)],
    ),
    "the same by a flag": (
        f"ok=0\njco_start.cluster $LH && ok=1\n[ $ok -eq 1 ] && exit 0\n{MONITOR}",
        [(2, START)],
    ),
    "a loop that the value 0 leaves out": (
        "jco_start.cluster $LH\nrc=$?\nwhile [ $rc -ne 0 ]; do jco_spmd_status -h $LH -t 5; rc=$?; done\nexit 0\n",
        [(1, START)],
    ),
    "the start is all that the script does": (f"exec jco_start.cluster $LH\n{MONITOR}", [(1, START)]),
    # forced termination depends on a value
    "an exit before it, where stop said 0": (
        f"jco_stop.cluster $LH\nif [ $? -eq 0 ]; then\n  echo stopped\n  exit 0\nfi\n{END}",
        [(1, STOP), (6, TIED)],
    ),
    "an exit before it, at once": (f"jco_stop.cluster $LH && exit 0\n{END}", [(1, STOP), (2, TIED)]),
    "a return before it": (
        "end() {\n  jco_stop.cluster $LH && return 0\n  jco_killall.cluster $LH\n}\n" + f"end\n{PROOF}",
        [(3, TIED)],
    ),
    "a branch for 0 by text": (
        f'jco_stop.cluster $LH\nrc=$?\nif [ "$rc" = "0" ]; then :; else jco_killall.cluster $LH; fi\n{PROOF}',
        [(3, TIED)],
    ),
    "a negated stop": (f"if ! jco_stop.cluster $LH; then jco_killall.cluster $LH; fi\n{PROOF}", [(1, TIED)]),
    "only where a status says that it is needed": (
        "ask() { for i in 1 2 3; do jco_spmd_status -h $LH -t 5; rc=$?; [ $rc -eq 12 ] || break; done; return $rc; }\n"
        f"jco_stop.cluster $LH\nask\n[ $? -eq 8 ] || jco_killall.cluster $LH\n{PROOF}",
        [(4, TIED)],
    ),
    "before the stop": (f"jco_killall.cluster $LH\njco_stop.cluster $LH\n{PROOF}", [(2, NO_TERMINATION)]),
    "only another that is stopped, too": (
        "jco_stop.cluster $LH\njbs_stop.cluster $LH\njbs_killall.cluster $LH\n"
        f"for i in 1 2; do jbs_spmd_status -h $LH -t 5; done\n{PROOF}",
        [(1, NO_TERMINATION)],
    ),
    # $? is read too late
    "after the script's own message": (
        'log() { echo "$(date) $*" >>/var/log/x; }\numount /x\nif [ $? -ne 0 ]; then\n  log failed\n  exit $?\nfi\n',
        [(5, LOST)],
    ),
    "after the end of an if": ("mount x\nif [ $? -ne 0 ]; then echo bad; fi\nexit $?\n", [(3, LOST)]),
    "behind a negation": ("if ! mount x; then\n  exit $?\nfi\n", [(2, LOST)]),
    "after a declaration": ("f() {\n  local out=$(mount x)\n  return $?\n}\nf\n", [(3, LOST)]),
    # a status's text is searched
    "by way of a file": (
        "for i in 1 2 3; do\njco_spmd_status -h $LH -t 10 > /tmp/st.$$ 2>&1\n"
        "if grep -q KAVB3691-I /tmp/st.$$; then exit 0; fi\ndone\nexit 1\n",
        [(3, TEXT)],
    ),
    "by way of a file that is named by a variable": (
        "F=/tmp/status\nfor i in 1 2 3; do\njco_spmd_status -h $LH -t 10 >$F\n"
        "awk '/KAVB/ { exit 1 }' <$F || exit 1\ndone\n",
        [(4, TEXT)],
    ),
    "by way of a file and a pipe": (
        "for i in 1 2 3; do\njco_spmd_status -h $LH -t 10 >/tmp/st\ncat /tmp/st | grep -q x && exit 0\ndone\nexit 1\n",
        [(3, TEXT)],
    ),
    "by a here-string": (
        'for i in 1 2; do\ngrep -q KAVB <<<"$(jco_spmd_status -h $LH -t 10)" && exit 0\ndone\nexit 1\n',
        [(2, TEXT)],
    ),
    "by a here-string of a variable": (
        'for i in 1 2; do\nout=$(jco_spmd_status -h $LH -t 10)\ngrep -q KAVB <<<"$out" && exit 0\ndone\nexit 1\n',
        [(3, TEXT)],
    ),
    "by a process substitution": (
        "for i in 1 2; do\ngrep -q KAVB <(jco_spmd_status -h $LH -t 10) && exit 0\ndone\nexit 1\n",
        [(2, TEXT)],
    ),
    # no retry for 12
    "a loop over hosts": (
        "rc=0\nfor LH in one two; do\n  jco_spmd_status -h $LH -t 10 || rc=1\ndone\nexit $rc\n",
        [(3, NO_RETRY)],
    ),
    "a loop over hosts, by a function": (
        "ask() { jco_spmd_status -h $1 -t 10; }\nrc=0\nfor LH in one two; do ask $LH || rc=1; done\nexit $rc\n",
        [(1, NO_RETRY)],
    ),
    "a loop over hosts from a file": (
        "while read LH; do\n  jco_spmd_status -h $LH -t 10 || exit 1\ndone </etc/hosts.jp1\nexit 0\n",
        [(2, NO_RETRY)],
    ),
    "a loop that repeats for another value": (
        "while :; do\n  jco_spmd_status -h $LH -t 10\n  rc=$?\n  [ $rc -eq 8 ] || break\n  sleep 1\ndone\n"
        "case $rc in 0) exit 0 ;; *) exit 1 ;; esac\n",
        [(2, NO_RETRY)],
    ),
    "a second try for another value": (
        "jco_spmd_status -h $LH -t 10\nrc=$?\nif [ $rc -eq 8 ]; then\n  sleep 1\n  jco_spmd_status -h $LH -t 10\n"
        "  rc=$?\nfi\ncase $rc in 0) exit 0 ;; *) exit 1 ;; esac\n",
        [(1, NO_RETRY)],
    ),
    "a second try for one of two values": (
        "jimdbstatus -h $LH\nif [ $? -eq 1 ]; then jimdbstatus -h $LH || exit 1; fi\nexit 0\n",
        [(1, NO_RETRY)],
    ),
    "the value is looked at, once": (
        "ask() { jco_spmd_status -h $LH -t 10; r=$?; if [ $r -ne 0 ]; then return 1; fi; return 0; }\nask || exit 1\n",
        [(1, NO_RETRY)],
    ),
    # a value as it is
    "a function's value for the cluster": (
        "ask() {\n  for i in 1 2; do jco_spmd_status -h $LH -t 10; r=$?; [ $r -eq 12 ] || break; done\n  return $r\n}\n"
        "ask\nexit $?\n",
        [(6, RAW)],
    ),
    "a copy of a value": (
        "for i in 1 2; do jco_spmd_status -h $LH -t 10; rc=$?; [ $rc -eq 12 ] || break; done\nret=$rc\nexit $ret\n",
        [(3, RAW)],
    ),
    "the newest value, by the one before": (
        "rc=1\nwhile :; do\n  old=$rc\n  jco_spmd_status -h $LH -t 10\n  rc=$?\n"
        "  [ $old -eq 0 ] && exit $rc\n  sleep 1\ndone\n",
        [(6, RAW)],
    ),
    # another product's command
    "a function that is for another product by its name": (
        "stop_base() { jajs_killall.cluster $LH; }\ncase $2 in stop) stop_base ;; esac\n",
        [(1, OTHER)],
    ),
    "the same in capitals": ("killBase() { jajs_killall.cluster $LH; }\nkillBase\n", [(1, OTHER)]),
    # what is not known
    "options that are found out": (
        "OPTS=$(cat /etc/opts)\nfor i in 1 2; do jco_spmd_status $OPTS && exit 0; done\nexit 1\n",
        [(2, NOT_KNOWN), (2, NOT_KNOWN)],
    ),
    "a host that is not passed on": (
        'ask() { jco_spmd_status "$@"; }\nfor i in 1 2; do ask -t 5 && exit 0; done\nexit 1\n',
        [(1, NO_HOST)],
    ),
}

RIGHT = {
    "arguments passed on": (
        'ask() { jco_spmd_status "$@"; }\nfor i in 1 2 3; do ask -h "$LH" -t 10 && exit 0; sleep 1; done\nexit 1\n'
    ),
    "options in a variable": (
        'OPTS="-h $LH -t 5"\nfor i in 1 2 3; do jco_spmd_status $OPTS && exit 0; sleep 1; done\nexit 1\n'
    ),
    "a command in a variable": (
        'STATUS="/opt/jp1cons/bin/jco_spmd_status -h $LH -t 5"\n/etc/opt/jp1cons/jco_start.cluster $LH\ni=0\n'
        "until $STATUS; do i=$((i+1)); [ $i -gt 20 ] && exit 1; sleep 1; done\n"
    ),
    "a command handed to a function": (
        "retry() {\n  n=$1\n  shift\n  while [ $n -gt 0 ]; do\n"
        '    "$@" && return 0\n    n=$((n - 1))\n    sleep 1\n  done\n  return 1\n}\n'
        "jco_start.cluster $LH\nretry 30 jco_spmd_status -h $LH -t 5 || exit 1\nexit 0\n"
    ),
    "an output inside a text": 'out="status: $(mycheck $LH 2>&1)"\nrc=$?\nexit $rc\n',
    "the value behind if's end": "if [ -f /x ]; then mount /x; fi\nexit $?\n",
    "two products, each with its own forced termination": (
        "jajs_stop.cluster $LH\njajs_killall.cluster $LH\njbs_killall.cluster $LH\n"
        "for i in 1 2; do jajs_spmd_status -h $LH -t 5; jbs_spmd_status -h $LH -t 5; done\n"
    ),
    "a start that could not even be called": (
        "begin() { jco_start.cluster $LH || return 1; return 0; }\n"
        f"begin\nrc=$?\nif [ $rc -ne 0 ]; then\n  echo bad\n  exit $rc\nfi\n{MONITOR}"
    ),
    "one if for the start, one for it and the monitor": (
        'if [ "$1" = start ]; then jco_start.cluster $LH; fi\n'
        f'if [ "$1" = start ] || [ "$1" = monitor ]; then\n{MONITOR}fi\n'
    ),
    "nothing to stop": f"for i in 1 2 3; do\n  jco_spmd_status -h $LH -t 5\n  rc=$?\n  [ $rc -eq 12 ] || break\ndone\n"
    f"[ $rc -eq 8 ] && exit 0\njco_stop.cluster $LH\n{END}",
    "a note on stop's value": f"jco_stop.cluster $LH || echo odd\n{END}",
    "a log of the status": (
        "for i in 1 2 3; do jco_spmd_status -h $LH -t 10 >>/var/log/site 2>&1 && exit 0; done\n"
        "tail /var/log/site\nexit 1\n"
    ),
    "a search in another file": (
        "for i in 1 2 3; do\njco_spmd_status -h $LH -t 10 >/tmp/st && exit 0\ndone\ngrep -q x /etc/site\nexit 1\n"
    ),
    "values of two kinds asked again": (
        "while :; do\n  jimdbstatus -h $LH\n"
        "  case $? in\n  0) exit 0 ;;\n  1 | 4) sleep 1 ;;\n  *) exit 1 ;;\n  esac\ndone\n"
    ),
    "as many tries as a test of two parts allows": (
        'tries=4\nwhile :; do\n  jco_spmd_status -h "$LH" -t 10\n  rc=$?\n  tries=$((tries - 1))\n'
        '  if [ "$rc" -ne 12 ] || [ "$tries" -le 0 ]; then break; fi\n  sleep 1\ndone\n'
        "if [ $rc -eq 0 -o $rc -eq 4 ]; then exit 0; fi\nexit 1\n"
    ),
    "the hosts in turn, each with tries": (
        "for LH in one two; do\n  for i in 1 2 3; do jco_spmd_status -h $LH -t 10 && break; done\ndone\nexit 0\n"
    ),
    "a database's function": "stop_database() { jco_killall.cluster $LH; }\nstop_database\n",
    "what depends on Base": "stop_base_clients() { jajs_killall.cluster $LH; }\nstop_base_clients\n",
    "a loop by an unknown count": (
        "jco_start.cluster $LH\nn=0\nwhile [ $n -lt $MAX ]; do\n  jco_spmd_status -h $LH -t 5\n  rc=$?\n"
        "  [ $rc -eq 0 ] && break\n  n=$((n + 1))\ndone\n[ $rc -eq 0 ] && exit 0\nexit 1\n"
    ),
    "a loop by a sum": (
        "jco_start.cluster $LH\nfor ((i = 0; i < 4; i++)); do\n  jco_spmd_status -h $LH -t 5\n  rc=$?\n"
        "  [ $rc -eq 0 ] && break\ndone\ncase $rc in 0) exit 0 ;; *) exit 1 ;; esac\n"
    ),
    "a function that does what its argument says": (
        f"control() {{\n  case $1 in\n  start) jco_start.cluster $LH ;;\n  monitor) {MONITOR} ;;\n  esac\n}}\n"
        "control start\ncontrol monitor\n"
    ),
    "a value that can only be one": (
        "for i in 1 2; do\n  jco_spmd_status -h $LH -t 5\n  rc=$?\n  [ $rc -eq 0 ] && exit $rc\ndone\nexit 1\n"
    ),
    "a variable that names one command, then another": (
        "K=/etc/opt/jp1cons/jco_killall.cluster\njco_stop.cluster $LH\n$K $LH\nK=/opt/jajs_killall.cluster\n" + PROOF
    ),
    "a negation that is looked at": "! grep -q x /etc/site\nif [ $? -eq 0 ]; then exit 1; fi\nexit 0\n",
    "a title": 'echo "== status"\n',
    "a program that is handed a command's name": 'exec /opt/site/ask jco_spmd_status "$@"\n',
    "a file for all output": "exec >/tmp/log 2>&1\nmount x\n",
    "a sister product by text": f'if [ "$PRODUCT" = ajs ]; then\n  mount x\nelse\n  jco_stop.cluster $LH\n  {END}fi\n',
}
HEAD = "#!/bin/sh\nLH=$1\n"


def ids(folder: Path, script: str) -> list[tuple[int, str]]:
    path = folder / "script.sh"
    path.write_text(HEAD + script)
    return [(each.line - HEAD.count("\n"), each.id) for each in check(path)]


@pytest.mark.parametrize("form", DEFECTS)
def test_a_form_of_a_defect_is_found(tmp_path: Path, form: str) -> None:
    script, expected = DEFECTS[form]
    assert ids(tmp_path, script) == expected


@pytest.mark.parametrize("form", RIGHT)
def test_a_right_script_passes(tmp_path: Path, form: str) -> None:
    assert ids(tmp_path, RIGHT[form]) == []


DOUBLED = "A1=xxxxxxxxxx\n" + "".join(f"A{n + 1}=$A{n}$A{n}\n" for n in range(1, 40))
BRANCHES = "".join(f"if [ -f {n} ]; then a{n}=1; else a{n}=2; fi\na{n}=$b\n" for n in range(40))
SPREAD = "".join(f"case ${n} in a) x{n}=1 ;; b) x{n}=2 ;; c) x{n}=3 ;; esac\n" for n in range(1, 10))
CALLING = "".join(f"f{n}() {{ f{n + 1}; f{n + 1}; }}\n" for n in range(40)) + "f40() { jco_stop.cluster $LH; }\nf0\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"{DOUBLED}echo $A40\n", set()),
        (BRANCHES, set()),
        (SPREAD * 3, {NOT_FOLLOWED}),
        (CALLING, {NOT_FOLLOWED}),
        ("$(echo " * 200 + "x" + ")" * 200, {NOT_FOLLOWED}),
        ("f() { f; f; }\nf\n", set()),
        (f"f() {{ break {'9' * 5000}; shift {'9' * 5000}; echo ${'9' * 5000}; }}\nwhile a; do f; done\n", set()),
        ('while a; do x="$y$y"; y="$x$x"; done\n', set()),
    ],
    ids=["doubled", "branches", "spread", "calling", "substitutions", "recursion", "numbers", "growing"],
)
def test_what_would_grow_without_end_is_borne(tmp_path: Path, script: str, expected: set[str]) -> None:
    assert {kind for _, kind in ids(tmp_path, script)} == expected


def test_what_no_way_leads_to_is_looked_at(tmp_path: Path) -> None:
    assert ids(tmp_path, "exit 0\njco_killall.cluster\n") == [(2, NO_HOST)]


@pytest.mark.parametrize("product", products.PRODUCTS)
def test_what_is_rendered_here_passes(tmp_path: Path, definition: str, product: str) -> None:
    for each in products.render(parse(definition, Path("watch.toml")), product):
        path = tmp_path / each.path.name
        path.write_text(each.text)
        assert not is_script(path) or check(path) == []
