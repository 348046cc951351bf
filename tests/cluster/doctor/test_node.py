"""`bansho doctor` on nodes made of namespaces: one where everything is wrong, one where all is right."""

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.house import COMMANDS

if TYPE_CHECKING:
    from tests.house import House

pytestmark = pytest.mark.usefixtures("as_root")

DEFINITION = """\
name = "watch"
shared-directory = "{root}/disk/shared"
address = "192.0.2.10/24"
user = "nobody"
[disk]
device = "{root}/image"
mount-point = "{root}/disk"
[cluster]
nodes = ["{node}", "n2"]
"""
NETWORK = """\
ip link set lo up
mount -t tmpfs none /run
ip netns add other
ip link add v0 type veth peer name v1 netns other
ip addr add 192.0.2.1/24 dev v0 && ip link set v0 up
ip netns exec other ip link set v1 up
"""


class Patient:
    """A node of its own namespaces, for the time of one examination."""

    def __init__(self, house: "House") -> None:
        self.house, self.root = house, house.root
        node = Path("/proc/sys/kernel/hostname").read_text().strip()
        self.write(DEFINITION.format(root=self.root, node=node))

    def write(self, definition: str) -> None:
        (self.house.etc / "logical-hosts/watch.toml").write_text(definition)

    def examine(self, script: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
        """(exit code, check -> findings) after `script` has furnished the node."""
        text = f"set -e\nhosts={self.root}/hosts\n{script}\nexec {COMMANDS / 'bansho'} doctor watch --json"
        done = subprocess.run(
            ["unshare", "--mount", "--net", "sh", "-c", text], capture_output=True, text=True, check=False
        )
        assert done.stdout, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        assert all(each["why"] for each in document["checks"])
        return done.returncode, {each["check"]: each["findings"] for each in document["checks"]}


@pytest.fixture
def patient(house: "House") -> Patient:
    return Patient(house)


def said(findings: list[dict[str, str]], level: str) -> str:
    return " | ".join(each["what"] for each in findings if each["level"] == level)


def test_everything_wrong(patient: Patient) -> None:
    root = patient.root
    text = (patient.house.etc / "logical-hosts/watch.toml").read_text().replace('"n2"]', '"n2"]\ninterface = "eth9"')
    patient.write(text.replace('user = "nobody"', 'user = "no-such-user"').replace("watch.toml", ""))
    (patient.house.etc / "logical-hosts/watch.toml").chmod(0o666)
    (root / "disk").mkdir()
    (root / "disk/left-behind").touch()
    value, found = patient.examine(f"""{NETWORK}
echo '127.0.1.1 watch' >$hosts; mount --bind $hosts /etc/hosts
sysctl -qw net.ipv4.ip_nonlocal_bind=1
truncate -s 8M {root}/image; mkfs.ext2 -q {root}/image
echo '{root}/image {root}/disk ext4 defaults 0 2' >{root}/fstab; mount --bind {root}/fstab /etc/fstab
ip netns exec other ip addr add 192.0.2.10/24 dev v1
mount -t tmpfs none /usr/lib/ocf/resource.d
""")
    assert value == 1
    assert said(found["name resolution"], "wrong") == (
        "watch is the loopback address 127.0.1.1 | 192.0.2.10 is no name, expected watch"
    )
    assert said(found["ip_nonlocal_bind"], "wrong") == "net.ipv4.ip_nonlocal_bind is on"
    assert said(found["address in a local network"], "wrong") == "this node has no interface eth9"
    assert said(found["address free"], "wrong").startswith("192.0.2.10 answers already, from ")
    assert said(found["disk"], "wrong") == f"{root}/image holds ext2, expected ext4"
    assert "ext2 has no multi-mount protection" in said(found["multi-mount protection"], "warning")
    assert "mounts it at boot" in said(found["mounted by the cluster alone"], "wrong")
    assert "watch.toml may be changed by others" in said(found["permissions"], "wrong")
    assert said(found["user"], "wrong") == "user no-such-user does not exist on this node"
    agents = said(found["agents"], "wrong")
    assert all(each in agents for each in ("bansho/suite is not", "Filesystem is not", "IPaddr2 is not"))
    for name in ("quorum", "fencing", "nodes alike"):
        assert said(found[name], "not checked") == "this node is in no running cluster"
    assert all(each["todo"] for findings in found.values() for each in findings if each["level"] != "right")


def test_everything_right_as_far_as_one_node_can_tell(patient: Patient) -> None:
    root = patient.root
    (root / "disk").mkdir()
    value, found = patient.examine(f"""{NETWORK}
printf '127.0.0.1 localhost\\n192.0.2.10 watch.example.com watch\\n' >$hosts; mount --bind $hosts /etc/hosts
sysctl -qw net.ipv4.ip_nonlocal_bind=0
truncate -s 8M {root}/image; mkfs.ext4 -q -O mmp {root}/image
mkdir {root}/ocf; mount -t tmpfs none {root}/ocf; mkdir {root}/ocf/up {root}/ocf/work
place=/usr/lib/ocf/resource.d
mount -t overlay none -o lowerdir=$place,upperdir={root}/ocf/up,workdir={root}/ocf/work $place
{COMMANDS / "bansho"} cluster agent install
""")
    wrong = {name: said(findings, "wrong") for name, findings in found.items() if said(findings, "wrong")}
    assert wrong == {}
    assert value == 3, "what cannot be checked without a cluster and the disk is not passed"
    assert said(found["address free"], "right") == "nobody answers at 192.0.2.10"
    assert "has multi-mount protection" in said(found["multi-mount protection"], "right")
    assert {name for name, findings in found.items() if said(findings, "not checked")} == {
        "permissions",
        "PostgreSQL",
        "node name",
        "quorum",
        "fencing",
        "nodes alike",
        "time limits",
    }


def test_an_address_in_no_local_network_cannot_be_asked_for(patient: Patient) -> None:
    (patient.root / "disk").mkdir()
    _, found = patient.examine("ip link set lo up")
    assert "no interface of this node" in said(found["address in a local network"], "wrong")
    assert "whether 192.0.2.10 is free" in said(found["address free"], "not checked")


def test_an_address_that_the_node_itself_has_set_is_wrong(patient: Patient) -> None:
    (patient.root / "disk").mkdir()
    _, found = patient.examine(f"{NETWORK}\nip addr del 192.0.2.1/24 dev v0; ip addr add 192.0.2.10/24 dev v0")
    assert "192.0.2.10 is on v0 of this node" in said(found["address free"], "wrong")
    assert "no interface of this node" in said(found["address in a local network"], "wrong"), "it is no proof of itself"
