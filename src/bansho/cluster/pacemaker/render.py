"""The model of a logical host as crmsh configuration text. Pure.

One group holds the resources in start order: Pacemaker then keeps them on one node, starts them in that order and
stops them in the reverse one. Limits on failures stand on the group and hold for each of its members.
"""

from collections.abc import Mapping

from bansho.cluster.model import DEEP, Kind, Model, Resource

AGENTS = {Kind.DISK: "ocf:heartbeat:Filesystem", Kind.ADDRESS: "ocf:heartbeat:IPaddr2", Kind.SUITE: "ocf:bansho:suite"}
STICKINESS = 100
"""Enough that nothing moves back by itself: where it runs, it stays."""
ON_FAILURE = {"stop": "fence"}
"""A suite that may still live must not be started elsewhere."""
CALLED = {DEEP: "monitor"}
OPTIONS = {DEEP: {"OCF_CHECK_LEVEL": "10"}}
CONTINUED = " \\\n    "


def crm(model: Model) -> str:
    """The text for `crm configure load update`: resources, their group, where it may run, and that fencing is on."""
    parts = [*(_primitive(each) for each in model.resources), _group(model), _location(model)]
    return "\n".join([*parts, "property stonith-enabled=true", ""])


def group_id(model: Model) -> str:
    """The group's id."""
    return model.name


def location_id(model: Model) -> str:
    """The id of the constraint that keeps the group to its nodes."""
    return f"{model.name}-nodes"


def _primitive(resource: Resource) -> str:
    return CONTINUED.join(
        [
            f"primitive {resource.id} {AGENTS[resource.kind]}",
            f"params {_pairs(resource.parameters)}",
            *(_operation(name, resource) for name in resource.limits),
        ]
    )


def _operation(name: str, resource: Resource) -> str:
    options = {"interval": interval(resource.intervals.get(name, 0)), "timeout": f"{resource.limits[name].seconds}s"}
    if name in ON_FAILURE:
        options["on-fail"] = ON_FAILURE[name]
    return f"op {CALLED.get(name, name)} {_pairs({**options, **OPTIONS.get(name, {})})}"


def interval(seconds: float) -> str:
    """Pacemaker reads whole numbers only, and cuts the rest off."""
    return f"{seconds:.0f}s" if seconds == int(seconds) else f"{seconds * 1000:.0f}ms"


def _group(model: Model) -> str:
    options = {
        "migration-threshold": str(model.restarts + 1),
        "failure-timeout": interval(model.failure_window),
        "resource-stickiness": str(STICKINESS),
    }
    return CONTINUED.join([f"group {group_id(model)} {' '.join(model.start_order)}", f"meta {_pairs(options)}"])


def _location(model: Model) -> str:
    elsewhere = " and ".join(f"#uname ne {node}" for node in model.nodes)
    return f"location {location_id(model)} {group_id(model)} rule -inf: {elsewhere}"


def _pairs(options: Mapping[str, str]) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in options.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
