"""A logical host's suites, each ready for one action within the time limit that the model gives it."""

from collections.abc import Iterator
from typing import NamedTuple

from bansho.cluster import model as models
from bansho.cluster import timing
from bansho.cluster.adapter.errors import UnknownSuite
from bansho.cluster.agent.deadline import Deadline
from bansho.cluster.agent.parameters import read
from bansho.cluster.agent.suite import Suite
from bansho.cluster.install import OUR_COMMANDS
from bansho.cluster.model import Kind, Model, Resource
from bansho.cluster.products import PRODUCTS
from bansho.logicalhost import definition

LIMITED_AS = {"kill": "stop", "validate": "monitor"}
"""Actions that the model has no limit for -> the one whose limit they have."""


class Host(NamedTuple):
    """One logical host, or one suite of it, as a product's script drives it."""

    model: Model
    only: str | None = None
    """The one suite to drive; all of them where it is None."""

    @property
    def resources(self) -> list[Resource]:
        """The suites that are driven, in start order."""
        suites = [each for each in self.model.resources if each.kind is Kind.SUITE]
        return [each for each in suites if self.only in (None, each.parameters["suite"])]

    def suites(self, action: str, *, backwards: bool = False) -> Iterator[Suite]:
        """The suites in start order, or backwards. Each one's deadline for `action` begins when it is taken.

        Raises BadParameter.
        """
        for resource in reversed(self.resources) if backwards else self.resources:
            yield _suite(resource, action)


def _suite(resource: Resource, action: str) -> Suite:
    parameters = read({f"OCF_RESKEY_{name}": value for name, value in resource.parameters.items()})
    limit = timing.own_limit(resource.limits[LIMITED_AS.get(action, action)].seconds)
    deadline = Deadline(limit, action=action, suite=parameters.suite, host=parameters.host)
    return Suite(parameters, str(OUR_COMMANDS), deadline)


def load(product: str, name: str, only: str | None = None) -> Host:
    """The logical host `name` as `product` sees it. Raises what reading its definition raises, or UnknownSuite."""
    host = Host(models.model(models.polled(definition.load(name)), PRODUCTS[product].optional), only)
    if not host.resources:
        known = ", ".join(each.parameters["suite"] for each in Host(host.model).resources)
        raise UnknownSuite(name=name, suite=only, suites=known)
    return host
