#!/usr/bin/python3 -IS
"""The fence agent of a lab's nodes: asks the power daemon, which answers when the victim is dead.

A program of its own: it stands in each node as /usr/sbin/fence_bansho_lab, beside no other file of the project.
Pacemaker gives `key=value` lines on stdin (FenceAgentAPI); exit 0 done, 1 not done; `status`: 0 on, 2 off.
"""

import json
import socket
import sys

POWER = "/run/bansho-lab/power.sock"
FENCING = ("off", "on", "reboot", "status")
ACTIONS = (*FENCING, "list", "monitor", "metadata", "validate-all")
METADATA = """<?xml version="1.0" ?>
<resource-agent name="fence_bansho_lab" shortdesc="Power of the nodes of a bansho lab">
<longdesc>Asks the lab's power daemon, which answers when all processes of the victim are gone.</longdesc>
<parameters>
<parameter name="action"><content type="string" default="reboot"/><shortdesc>What to do</shortdesc></parameter>
<parameter name="port"><content type="string"/><shortdesc>The node</shortdesc></parameter>
</parameters>
<actions>
{actions}
</actions>
</resource-agent>"""


def options(text: str) -> dict[str, str]:
    """The options on stdin; Pacemaker adds some of its own, which pass."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def ask(action: str, node: str) -> dict[str, str]:
    """Asks the power daemon and waits until it is done."""
    with socket.socket(socket.AF_UNIX) as power:
        power.connect(POWER)
        power.sendall(json.dumps({"action": action, "node": node}).encode() + b"\n")
        with power.makefile() as answers:
            answer: dict[str, str] = json.loads(answers.readline())
            return answer


def fence(action: str, node: str) -> int:
    """Passes the action on; what went wrong goes to stderr, which Pacemaker logs."""
    answer = ask(action, node)
    if "error" in answer:
        print(answer["error"], file=sys.stderr)
        return 1
    return 2 if action == "status" and answer["power"] == "off" else 0


def run(action: str, node: str) -> int:
    """One action; the exit code."""
    if action == "metadata":
        print(METADATA.format(actions="\n".join(f'<action name="{name}"/>' for name in ACTIONS)))
    elif action == "list":
        print(*ask("list", "")["nodes"].split(), sep="\n")
    elif action == "monitor":
        ask("list", "")
    elif action in FENCING:
        return fence(action, node)
    return 0 if action in ACTIONS else 1


if __name__ == "__main__":
    given = options(sys.stdin.read())
    try:
        sys.exit(run(given.get("action", "reboot"), given.get("port", given.get("nodename", ""))))
    except (OSError, ValueError, KeyError) as error:
        print(f"power daemon: {error}", file=sys.stderr)
        sys.exit(1)
