"""Command lines that start a program in new namespaces, or in those of a running node."""

from collections.abc import Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the system's programs are, whatever the caller's PATH says."""

LAB = ("--mount", "--net", "--ipc", "--pid")
NODE = (*LAB, "--uts", "--cgroup")

_INTO_GROUP = 'umask 022; [ -z "$0" ] || echo 0 >"$0/cgroup.procs"; exec "$@"'
# nsenter itself would stop with its child when the node is frozen, and then never see it die. So it does not fork; a
# shell does, and waits. The program dies with that shell.
_WAIT = '"$@"; exit $?'


def group_of(top: str, member: str) -> str:
    """The control group of a member of the lab; "" where the machine permits none."""
    return f"{top}/{member}" if top else ""


def into_group(group: str, command: Sequence[str]) -> list[str]:
    """`command`, begun in a control group (none: ""), with the umask of a login."""
    return ["sh", "-c", _INTO_GROUP, group, *command]


def unshare(namespaces: Sequence[str], group: str, command: Sequence[str]) -> list[str]:
    """`command` as pid 1 of new namespaces; it dies with the process that this becomes."""
    return into_group(group, ["unshare", *namespaces, "--fork", "--kill-child", *command])


def enter(pid: int, group: str, command: Sequence[str]) -> list[str]:
    """`command` in all namespaces of the node whose pid 1 is `pid`; it is killed with the process that this becomes."""
    nsenter = ["nsenter", "--target", str(pid), *NODE, "--wdns=/", "--no-fork", "--", "sh", "-c", _WAIT, "sh"]
    return into_group(group, [*nsenter, "setpriv", "--pdeathsig", "KILL", "--", *command])
