"""The resource agent's meta-data, as the OCF resource agent API wants it (ra-api-1.dtd)."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from bansho import __version__
from bansho.cluster import timing
from bansho.cluster.agent.parameters import PARAMETERS, Parameter

PROLOGUE = '<?xml version="1.0"?>\n<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">\n'
SHORT = "One suite of a logical host: JP1/Base or JP1/IM - Manager, bansho's or the genuine product's"
LONG = (
    "Starts, stops and monitors one suite of a logical host by the commands that its product has for cluster software."
    " Start and stop are judged by monitoring alone; stop always ends with forced termination and succeeds only with"
    " proof that nothing is left."
)
MONITOR_INTERVAL, DEEP_INTERVAL = 10, 300


def document() -> str:
    """The meta-data as XML."""
    agent = Element("resource-agent", name="suite", version=__version__)
    SubElement(agent, "version").text = "1.1"
    _describe(agent, SHORT, LONG)
    parameters = SubElement(agent, "parameters")
    for each in PARAMETERS:
        _parameter(parameters, each)
    actions = SubElement(agent, "actions")
    for name, limit in timing.usual(timing.USUAL).items():
        action = SubElement(actions, "action", name=name, timeout=f"{limit.seconds}s")
        if name == "monitor":
            action.set("interval", f"{MONITOR_INTERVAL}s")
            action.set("depth", "0")
            SubElement(actions, "action", _deep(timing.deep_monitor(timing.USUAL)))
    ElementTree.indent(agent)
    return PROLOGUE + ElementTree.tostring(agent, encoding="unicode") + "\n"


def _deep(limit: timing.Limit) -> dict[str, str]:
    return {"name": "monitor", "timeout": f"{limit.seconds}s", "interval": f"{DEEP_INTERVAL}s", "depth": "10"}


def _parameter(parameters: Element, each: Parameter) -> None:
    required = "1" if each.default is None else "0"
    parameter = SubElement(parameters, "parameter", name=each.name, unique="0", required=required)
    _describe(parameter, each.short, each.long)
    # The DTD calls a duration `time` and the newer schema `second`: neither knows the other's word.
    content = SubElement(parameter, "content", type="string" if each.type == "time" else each.type)
    if each.default:
        content.set("default", each.default)


def _describe(element: Element, short: str, long: str) -> None:
    SubElement(element, "longdesc", lang="en").text = long
    SubElement(element, "shortdesc", lang="en").text = short
