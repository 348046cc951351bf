"""A cluster on the lab's nodes: what fails is fenced, and what ran there runs elsewhere, never twice."""

import pytest

from bansho.lab import Lab
from bansho.lab.watch import overlaps

pytestmark = pytest.mark.nodes

CONFIGURATION = """
{fencing}
primitive disk ocf:heartbeat:Filesystem params device={disk} directory=/mnt fstype=ext4
primitive address ocf:heartbeat:IPaddr2 params ip=10.77.0.100 cidr_netmask=24
primitive dummy ocf:pacemaker:Dummy
group service disk address dummy
"""


def configure(lab: Lab) -> None:
    text = CONFIGURATION.format(fencing=lab.fencing, disk=lab.disk)
    result = lab.node("n1").run(["crm", "configure", "load", "update", "-"], input=text)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("fault", ["loss", "cut", "freeze"])
def test_a_node_that_fails_is_fenced_and_its_service_moves(lab: Lab, fault: str) -> None:
    with lab.watch() as watch:
        configure(lab)
        victim = lab.node(watch.wait_for("address"))
        boot = victim.boot_id()
        (victim.cable if fault == "cut" else victim.power)(fault)
        others = {"n1", "n2", "n3"} - {victim.name}

        fenced = lab.wait_power("reboot", victim.name)
        assert fenced.by in others
        heir = watch.wait_for("address", others)
        assert watch.owners("disk") == {heir}
        assert overlaps(watch.changes) == []
        taken = [change for change in watch.changes if change.node == heir]
        assert [(change.what, change.held) for change in taken] == [("disk", True), ("address", True)]
        assert taken[0].monotonic > fenced.monotonic

        if fault == "cut":
            victim.cable("plug")
        lab.wait_power("boot", victim.name, after=fenced.monotonic)
        lab.wait_online("n1", "n2", "n3")
        assert victim.boot_id() != boot
        assert "dummy" in lab.node(heir).run(["crm_mon", "--one-shot", "--group-by-node"]).stdout
