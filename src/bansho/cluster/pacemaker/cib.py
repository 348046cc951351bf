"""The cluster information base: a live cluster's, or a copy of it in a file, through Pacemaker's own programs."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from bansho.cluster.errors import NotOurs, ToolFailed, ToolMissing

PATIENCE = 60.0
"""Seconds allowed for one of Pacemaker's programs."""
SAID_BYTES = 2000
TRACEBACK = "Traceback (most recent call last)"
"""Where crmsh begins to speak of itself."""
FALSE = frozenset({"false", "0", "no", "off", "n"})


class Cib(NamedTuple):
    """Where Pacemaker's programs read and write: the live cluster, or the file of a copy."""

    file: Path | None = None

    def run(
        self, program: str, *arguments: str, accepted: Sequence[int] = (0,), patience: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """Runs one of Pacemaker's programs on it. Raises ToolMissing or ToolFailed."""
        named = {"CIB_file": str(self.file)} if self.file else {}
        try:
            done = subprocess.run(
                [program, *arguments],
                env={**os.environ, **named},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=patience,
            )
        except FileNotFoundError:
            raise ToolMissing(program=program) from None
        except subprocess.TimeoutExpired:
            raise ToolFailed(program=program, value="no answer", said=f"not within {patience:g} s") from None
        if done.returncode not in accepted:
            said = (done.stderr or done.stdout).partition(TRACEBACK)[0].strip()[-SAID_BYTES:]
            raise ToolFailed(program=program, value=done.returncode, said=said)
        return done

    def query(self) -> str:
        """The whole of it, as XML. Raises as `run` does."""
        return self.run("cibadmin", "--query").stdout


def load(copy: Cib, text: str, file: Path) -> None:
    """Loads crm configuration text into a copy; `file` is where the text may be written. Raises ToolFailed."""
    file.write_text(text, encoding="utf-8")
    copy.run("crm", "--force", "configure", "load", "update", str(file))


def parse(text: str) -> Element:
    """The XML that Pacemaker itself has written."""
    return ElementTree.fromstring(text)  # noqa: S314


def fencing_problem(cib: Element) -> str:
    """Why this cluster could not fence a node; empty when it could."""
    enabled = cib.find(".//crm_config//nvpair[@name='stonith-enabled']")
    if enabled is not None and enabled.get("value", "").lower() in FALSE:
        return "fencing is switched off in this cluster (stonith-enabled=false)"
    if cib.find(".//resources//primitive[@class='stonith']") is None:
        return "this cluster has no fencing device (no stonith resource)"
    return ""


def fencing_devices(cib: Element) -> list[str]:
    """The ids of the fencing devices."""
    return [each.get("id", "") for each in cib.findall(".//resources//primitive[@class='stonith']")]


SUITE = "ocf:bansho:suite"
"""The agent by which a logical host is known: whatever else is a group in a cluster is somebody else's."""


def members(cib: Element, name: str) -> list[str]:
    """The ids of a logical host's resources, in their order; none where the cluster has nothing of that name.

    Raises NotOurs where a group of that name is no logical host.
    """
    found = cib.findall(f".//group[@id='{name}']/primitive")
    if found and SUITE not in {":".join(each.get(key, "") for key in ("class", "provider", "type")) for each in found}:
        raise NotOurs(name=name)
    return [each.get("id", "") for each in found]


REFERENCES = ("rsc", "with-rsc", "first", "then")
"""The attributes by which a constraint names resources."""


def constraints_on(cib: Element, resources: Sequence[str]) -> list[str]:
    """The ids of the constraints that name one of these resources; those by sets, which only people write, aside."""
    return [
        each.get("id", "")
        for each in cib.findall(".//constraints/*")
        if any(each.get(reference) in resources for reference in REFERENCES)
    ]


class Setting(NamedTuple):
    """A meta attribute of one resource."""

    resource: str
    name: str
    value: str


OPERATORS = ("target-role", "is-managed", "maintenance")
"""The meta attributes by which an operator stops a resource or takes it out of the cluster's hands."""


def operators_settings(cib: Element, resources: Sequence[str]) -> list[Setting]:
    """What operators have set on these resources."""
    return [
        Setting(resource, name, pair.get("value", ""))
        for resource in resources
        for name in OPERATORS
        for pair in cib.findall(f".//*[@id='{resource}']/meta_attributes/nvpair[@name='{name}']")
    ]
