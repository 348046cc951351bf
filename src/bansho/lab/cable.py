"""What can be wrong with a host's cable, and the kernel's means for it.

A host that is `deaf` hears nobody and is heard; one that is `mute` is heard by nobody. A `lossy` cable drops every
second packet to the host, by lot; a `narrow` one passes 200 kbit/s to it and holds packets back for up to 0.4 s.
"""

PLUGGED, CUT = "plugged", "cut"
STATES = {"plug": PLUGGED, "cut": CUT, "deafen": "deaf", "mute": "mute", "lose": "lossy", "narrow": "narrow"}
"""What is done to a cable -> what it is then."""

# tc's own loss needs the kernel's netem, which not every kernel has: this is classic BPF for `random() > 2^31`.
HALF = "4,32 0 0 4294963256,37 0 1 2147483648,6 0 0 4294967295,6 0 0 0"
MEANS = {
    "deaf": ("tc qdisc add dev {host} root pfifo limit 0",),
    "mute": ("nsenter --target {pid} --net tc qdisc add dev eth0 root pfifo limit 0",),
    "lossy": (
        "tc qdisc add dev {host} root handle 1: htb default 1",
        "tc class add dev {host} parent 1: classid 1:1 htb rate 10gbit quantum 60000",
        "tc class add dev {host} parent 1: classid 1:2 htb rate 10gbit quantum 60000",
        "tc qdisc add dev {host} parent 1:2 pfifo limit 0",
        "tc filter add dev {host} parent 1: protocol all bpf bytecode {half} flowid 1:2",
    ),
    "narrow": ("tc qdisc add dev {host} root tbf rate 200kbit burst 2000 latency 400ms",),
}
"""State -> the commands that bring about what the link's being up or down does not."""
RESET = ("tc qdisc delete dev {host} root", "nsenter --target {pid} --net tc qdisc delete dev eth0 root")
"""The commands that take it all back; one fails where there is nothing to take back."""


def means(host: str, pid: int, state: str) -> list[list[str]]:
    """The commands for a state, on the bridge's end or, for the host's own end, by its first process's pid."""
    return [_words(line, host, pid) for line in MEANS.get(state, ())]


def reset(host: str, pid: int) -> list[list[str]]:
    """The commands that undo any state's."""
    return [_words(line, host, pid) for line in RESET]


def _words(line: str, host: str, pid: int) -> list[str]:
    return [word.format(host=host, pid=pid, half=HALF) for word in line.split()]
