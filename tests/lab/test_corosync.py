"""The cluster's configuration. That Corosync and Pacemaker take it is what test_nodes.py shows."""

import xml.etree.ElementTree as ElementTree

from bansho.lab import corosync, network
from bansho.lab.spec import node_names


def test_each_node_is_listed_with_its_own_number_and_address() -> None:
    conf = corosync.conf("lab", node_names(3))
    assert conf.count("node {") == 3
    for number, name in enumerate(("n1", "n2", "n3"), 1):
        assert f"name: {name}\n        nodeid: {number}\n        ring0_addr: {network.address(name)}\n" in conf


def test_two_nodes_keep_quorum_when_one_is_gone() -> None:
    assert "two_node: 1" in corosync.conf("lab", node_names(2))
    assert "two_node: 0" in corosync.conf("lab", node_names(3))


def test_braces_are_balanced() -> None:
    conf = corosync.conf("lab", node_names(9))
    assert conf.count("{") == conf.count("}") == 14


def test_the_first_information_base_is_xml_and_empty_of_resources() -> None:
    root = ElementTree.fromstring(corosync.cib())
    resources = root.find("configuration/resources")
    assert resources is not None
    assert len(resources) == 0


def test_no_host_has_the_free_address_or_that_of_another() -> None:
    hosts = [*node_names(9), "outside"]
    addresses = {network.address(host) for host in hosts} | {network.LOGICAL_ADDRESS.partition("/")[0]}
    assert len(addresses | {network.BRIDGE_ADDRESS}) == len(hosts) + 2
