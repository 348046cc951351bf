"""The cluster products that a logical host can be rendered for, each a folder: conventions as data, and templates.

Whatever a template fills in has to be plain (letters, digits, `_./:=,@+-`): none of the products quotes or expands any
of these, and a definition cannot bring anything but a value into a product's file.
"""

import ipaddress
import math
import re
import tomllib
import zlib
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jinja2
import msgspec

from bansho.cluster.adapter.errors import CannotWrite, NotPlain
from bansho.cluster.conventions import CONVENTIONS
from bansho.cluster.errors import NotForACluster
from bansho.cluster.install import OUR_COMMANDS
from bansho.cluster.model import Kind, Model, model, polled
from bansho.logicalhost.definition import LogicalHost

HERE = Path(__file__).parent
PLACE = Path("/etc/bansho/cluster")
"""Below it, in HOST/PRODUCT, the files lie on every node where nobody says otherwise."""
ROUTER_IDS = 255
"""VRRP knows its instances in a network by a number from 1 to this."""
PLAIN = re.compile(r"[\w./:=,@+-]*", re.ASCII)


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file to write."""

    template: str
    """Its path below this folder."""
    name: str
    """The written file's; `{host}` is the logical host's name."""
    executable: bool = False


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product's `product.toml`."""

    title: str
    runs_here: bool
    """Whether the product itself takes part in our tests; its README says more."""
    file: tuple[Template, ...]
    optional: tuple[str, ...] = ()
    """Keys of the definition that the product has no use for, or does without."""
    needs_interface: bool = False
    """Whether its files name the network interface, `cluster.interface`."""
    needs_prefix: bool = False
    """Whether they say how long the address's network prefix is."""
    counts_since: Literal["last failure", "first failure"] | None = None
    """From when on the product counts failures within the failure window; None: it does not go by the window."""


class File(NamedTuple):
    """A rendered file."""

    path: Path
    text: str
    mode: int

    def write(self) -> None:
        """Writes it, renamed into place: a call under way reads a whole file. Raises CannotWrite."""
        new = self.path.with_name(f".{self.path.name}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(self.text, encoding="utf-8")
            new.chmod(self.mode)
            new.replace(self.path)
        except OSError as error:
            raise CannotWrite(path=self.path, reason=error.strerror) from None


def _product(name: str) -> Product:
    return msgspec.convert(tomllib.loads((HERE / name / "product.toml").read_text(encoding="utf-8")), Product)


PRODUCTS = {name: _product(name) for name in CONVENTIONS}
"""Every product that has return values of its own."""


def render(host: LogicalHost, name: str, folder: Path | None = None) -> list[File]:
    """The files of the logical host for product `name`; they refer to each other as lying in `folder`.

    Raises NotForACluster or NotPlain.
    """
    product = PRODUCTS[name]
    found = model(polled(host), product.optional)
    folder = folder or PLACE / host.name / name
    facts = _facts(found, name, folder)
    for key, wrong, problem in _rules(product, facts["address"]):
        if wrong:
            raise NotForACluster(name=host.name, key=key, problem=f"{problem}; {product.title} needs it")
    return [_file(each, name, folder, facts) for each in product.file]


def _rules(product: Product, address: dict[str, str]) -> list[tuple[str, bool, str]]:
    """(key, is it wrong, what was expected): what this product needs beside what every one does."""
    return [
        ("cluster.interface", product.needs_interface and "nic" not in address, "is missing"),
        (
            "address",
            product.needs_prefix and "cidr_netmask" not in address,
            "expected its prefix length too, as in 192.0.2.10/24",
        ),
    ]


def _facts(found: Model, name: str, folder: Path) -> dict[str, Any]:
    """What the templates may use."""
    suites = [each for each in found.resources if each.kind is Kind.SUITE]
    return {
        "model": found,
        "host": found.name,
        "product": name,
        "suites": suites,
        "disk": _parameters(found, Kind.DISK),
        "address": _parameters(found, Kind.ADDRESS),
        "limits": {key: sum(each.limits[key].seconds for each in suites) for key in ("start", "stop", "monitor")},
        "netmask": _netmask(_parameters(found, Kind.ADDRESS)),
        "router_id": zlib.crc32(found.name.encode()) % ROUTER_IDS + 1,
        "name_of": re.sub(r"\W", "_", found.name, flags=re.ASCII),
        "interval": math.ceil(found.monitor_interval),
        "window": math.ceil(found.failure_window),
        "values": {finding.name: value for finding, value in CONVENTIONS[name].items()},
        "python": str(OUR_COMMANDS / "python3"),
        "folder": str(folder),
        "control": str(folder / "control"),
    }


def _parameters(found: Model, kind: Kind) -> dict[str, str]:
    return next((dict(each.parameters) for each in found.resources if each.kind is kind), {})


def _netmask(address: dict[str, str]) -> str:
    """`255.255.255.0` for a prefix length of 24."""
    whole = "/".join(filter(None, (address.get("ip", "0.0.0.0"), address.get("cidr_netmask"))))  # noqa: S104
    return str(ipaddress.ip_interface(whole).netmask)


def _file(template: Template, product: str, folder: Path, facts: dict[str, Any]) -> File:
    def plain(value: object) -> object:
        if not PLAIN.fullmatch(str(value)):
            raise NotPlain(value=str(value), product=PRODUCTS[product].title)
        return value

    environment = jinja2.Environment(  # noqa: S701 - nothing that needs an escape can be filled in
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    text = environment.get_template(template.template).render(facts)
    return File(folder / template.name.format(host=facts["host"]), text, 0o755 if template.executable else 0o644)
