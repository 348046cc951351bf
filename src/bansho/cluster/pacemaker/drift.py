"""What differs between two configurations, in words that name resources and parameters. Pure."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from bansho.cluster.pacemaker.cib import parse

NAMED = {"instance_attributes": "parameter", "meta_attributes": "option", "utilization": "utilization"}
"""Tag of a set of name-value pairs -> what one of them is called."""
SHELLS = frozenset({"crm_config", "nodes", "resources", "constraints", "operations", "cluster_property_set", *NAMED})
"""Tags that only hold others together."""
TOLD_BY_PLACE = frozenset({"id", "name"})


class Change(NamedTuple):
    """One setting that differs; None where it is absent."""

    setting: str
    """`watch-base: parameter retries`."""
    old: str | None
    new: str | None

    def words(self) -> str:
        """For a person."""
        if self.old is None:
            return f"+ {self.setting} = {self.new}"
        if self.new is None:
            return f"- {self.setting} = {self.old}"
        return f"~ {self.setting}: {self.old} -> {self.new}"


def between(old: Path, new: Path) -> list[Change]:
    """What differs between the information bases in two files."""
    return changes(*(parse(each.read_text(encoding="utf-8")) for each in (old, new)))


def changes(old: Element, new: Element) -> list[Change]:
    """What has to change in `old` to make it `new`; both are whole information bases."""
    before, after = settings(old), settings(new)
    return [
        Change(each, before.get(each), after.get(each))
        for each in {**before, **after}
        if before.get(each) != after.get(each)
    ]


def settings(cib: Element) -> Mapping[str, str]:
    """Every setting of a configuration by what it is called."""
    configuration = cib.find("configuration")
    return {} if configuration is None else dict(_settings(configuration, ""))


def _settings(element: Element, owner: str) -> Iterator[tuple[str, str]]:
    """The settings below `element`, whose own name, as far as it is worth telling, is `owner`."""
    for child in element:
        if child.tag == "nvpair":
            yield f"{owner}{NAMED.get(element.tag, 'property')} {child.get('name')}", child.get("value", "")
            continue
        place = _place(child) if child.tag == "primitive" else owner + _place(child)
        yield from ((place + name, value) for name, value in child.items() if name not in TOLD_BY_PLACE)
        if child.tag == "group":
            yield place + "members", ", ".join(each.get("id", "") for each in child.findall("primitive"))
        yield from _settings(child, place)


def _place(element: Element) -> str:
    if element.tag in SHELLS:
        return ""
    if element.tag == "op":
        deep = "deep " * (element.find("instance_attributes/nvpair[@name='OCF_CHECK_LEVEL']") is not None)
        return f"operation {deep}{element.get('name')}, "
    return f"{'' if element.tag == 'primitive' else element.tag + ' '}{element.get('id', '')}: "
