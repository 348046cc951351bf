"""Which nodes can be fenced: by what the fencer of this node says, and by the lists of devices that it has not."""

from subprocess import CompletedProcess
from xml.etree.ElementTree import Element

import pytest

from bansho.cluster.pacemaker import cib, fencing
from bansho.cluster.pacemaker.cib import Cib

NODES = ("n1", "n2", "n3")


def answer(devices: list[str]) -> str:
    """What Pacemaker 2.1.5 writes, with value 0 also where there is none."""
    items = "".join(f'<item name="device">{each}</item>' for each in devices)
    found = f'<list name="registered fence devices" count="{len(devices)}">{items}</list>'
    return f'<pacemaker-result api-version="2.25">{found}<status code="0" message="OK"/></pacemaker-result>'


@pytest.fixture
def fencer(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Device -> the nodes that it can fence, of those that the fencer of this node knows."""
    known: dict[str, list[str]] = {}

    def run(asked: Cib, program: str, *options: str) -> CompletedProcess[str]:
        assert program == "stonith_admin"
        assert options[-1] == "--output-as=xml"
        able = known if options[0] == "--list-registered" else [d for d, nodes in known.items() if options[1] in nodes]
        return CompletedProcess([], 0, answer(list(able)), "")

    monkeypatch.setattr(Cib, "run", run)
    return known


def configured(**devices: dict[str, str]) -> Element:
    """An information base with these devices and their parameters."""
    found = "".join(
        f'<primitive id="{name}" class="stonith" type="fence_x"><instance_attributes>'
        + "".join(f'<nvpair name="{key}" value="{value}"/>' for key, value in parameters.items())
        + "</instance_attributes></primitive>"
        for name, parameters in devices.items()
    )
    return cib.parse(f"<cib><configuration><resources>{found}</resources></configuration></cib>")


def test_a_node_that_no_device_names_is_told(fencer: dict[str, list[str]]) -> None:
    fencer["fence"] = ["n1", "n2"]
    assert fencing.unfenceable(configured(fence={}), NODES) == ["n3"]
    fencer["other"] = ["n3"]
    assert fencing.unfenceable(configured(fence={}, other={}), NODES) == []


def test_a_device_of_other_clusters_nodes_fences_none_of_these(fencer: dict[str, list[str]]) -> None:
    fencer["fence"] = ["a1", "a2"]
    assert fencing.unfenceable(configured(fence={"pcmk_host_list": "a1 a2"}), NODES) == list(NODES)


@pytest.mark.parametrize(
    ("parameters", "left"),
    [
        ({"pcmk_host_list": "n1"}, []),
        ({"pcmk_host_list": "x1, n1;x2"}, []),
        ({"pcmk_host_map": "n1:plug1;n9:n2"}, []),
        ({"pcmk_host_list": "x1"}, ["n1"]),
        ({"pcmk_host_map": "x1:n1"}, ["n1"]),
        ({"ip": "10.0.0.1"}, []),
    ],
)
def test_of_a_device_that_must_not_run_on_this_node_its_own_list_counts(
    parameters: dict[str, str], left: list[str], fencer: dict[str, list[str]]
) -> None:
    """As is usual for the device that fences this node: its fencer has not got it."""
    fencer["fence-others"] = ["n2", "n3"]
    live = configured(**{"fence-others": {"pcmk_host_list": "n2 n3"}, "fence-n1": parameters})
    assert fencing.unfenceable(live, NODES) == left
