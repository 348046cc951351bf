"""A cluster on the lab's nodes: what fails is fenced, and what ran there runs elsewhere, never twice."""

import os
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest
from tests.nodes import until

from bansho.lab import Lab, missing
from bansho.lab.watch import overlaps

pytestmark = pytest.mark.nodes

CONFIGURATION = """
{fencing}
primitive disk ocf:heartbeat:Filesystem params device={disk} directory=/mnt fstype=ext4
primitive address ocf:heartbeat:IPaddr2 params ip=10.77.0.100 cidr_netmask=24
primitive dummy ocf:pacemaker:Dummy
group service disk address dummy
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Lab]:
    """A lab with a service on its disk and address; each test leaves all nodes online again."""
    if lacking := missing():
        pytest.skip(f"no cluster nodes here; missing: {'; '.join(lacking)}")
    with Lab.up(f"f{os.getpid()}", tied=True) as lab:
        text = CONFIGURATION.format(fencing=lab.fencing, disk=lab.disk)
        lab.node("n1").run(["crm", "configure", "load", "update", "-"], input=text, check=True)
        yield lab


@pytest.mark.parametrize("fault", ["loss", "cut", "freeze"])
def test_a_node_that_fails_is_fenced_and_its_service_moves(cluster: Lab, fault: str) -> None:
    with cluster.watch() as watch:
        victim = cluster.node(watch.wait_for("address"))
        before, boot = len(watch.changes), victim.boot_id()
        began = time.monotonic()
        (victim.cable if fault == "cut" else victim.power)(fault)
        others = {"n1", "n2", "n3"} - {victim.name}

        fenced = cluster.wait_power("reboot", victim.name, after=began)
        assert fenced.by in others
        heir = watch.wait_for("address", others)
        assert watch.owners("disk") == {heir}
        assert overlaps(watch.changes) == []
        taken = [change for change in watch.changes[before:] if change.node == heir]
        assert [(change.what, change.held) for change in taken] == [("disk", True), ("address", True)]
        assert taken[0].monotonic > fenced.monotonic

    victim.cable("plug")
    cluster.wait_power("boot", victim.name, after=fenced.monotonic)
    cluster.wait_online("n1", "n2", "n3")
    assert victim.boot_id() != boot
    until(lambda: "dummy" in running_on(cluster, heir))


def running_on(lab: Lab, name: str) -> str:
    """What crm_mon says of one node's resources."""
    report = ElementTree.fromstring(lab.node(name).run(["crm_mon", "-1", "--output-as=xml"], check=True).stdout)
    held = [item.attrib["id"] for item in report.iter("resource") if item.find(f"node[@name='{name}']") is not None]
    return " ".join(held)
