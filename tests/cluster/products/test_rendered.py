"""The rendered files: right by the products' own tools where those are here; nothing but values is filled in."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bansho.cli.products import render
from bansho.cluster import products
from bansho.cluster.adapter.errors import NotPlain
from bansho.cluster.errors import DoesNotFit, NotForACluster
from bansho.cluster.model import model, polled
from bansho.cluster.products import PRODUCTS
from bansho.logicalhost.definition import Disk, parse

if TYPE_CHECKING:
    from tests.cluster.products.conftest import Site

SHELL = ("/bin/dash", "/bin/bash")


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


@pytest.mark.parametrize("product", PRODUCTS)
def test_scripts_are_shell_and_every_path_is_there(site: "Site", product: str) -> None:
    folder = site.render(product)
    for path in folder.iterdir():
        text = path.read_text()
        assert bool(path.stat().st_mode & 0o100) == text.startswith("#!/bin/sh\n")
        for shell in SHELL if text.startswith("#!") else ():
            subprocess.run([shell, "-n", path], check=True)
        for word in text.replace('"', " ").split():
            assert not word.startswith(f"{folder}/") or Path(word).exists(), word


@pytest.mark.parametrize("product", PRODUCTS)
def test_no_product_has_a_suite_of_its_own_to_restart(definition: str, product: str) -> None:
    """A product restarts what it registers by itself: Base would be restarted under a running Manager."""
    text = "\n".join(each.text for each in products.render(parse(definition, Path("watch.toml")), product))
    assert "control " in text
    for suite in ("base", "manager"):
        assert not re.search(rf"control \w+ {suite}", text)


def test_vcs_links_each_resource_to_the_one_before(definition: str) -> None:
    _, main = products.render(parse(definition, Path("watch.toml")), "vcs")
    links = [line.split() for line in main.text.splitlines() if " requires " in line]
    assert [[above, below] for above, _, below in links] == [
        ["watch-address", "watch-disk"],
        ["watch-suites", "watch-address"],
    ]
    assert 'NetMask = "255.255.255.0"' in main.text
    assert f"OfflineTimeout = {154 + 212}\n" in main.text


def test_vcs_restarts_only_what_nothing_requires(definition: str) -> None:
    main = products.render(parse(definition, Path("watch.toml")), "vcs")[1].text
    limits = re.findall(
        r"^    \w+ (watch-\w+) \(\n(?:        .*\n)*?        RestartLimit = (\d+)\n", main, re.MULTILINE
    )
    assert limits == [("watch-disk", "0"), ("watch-address", "0"), ("watch-suites", "2")]


def test_ha_monitors_file_says_what_it_does_not_carry_over(definition: str) -> None:
    host = parse(f"{definition}restarts = 9\nfailure-window = 7700\n", Path("watch.toml"))
    servers = products.render(host, "hamonitor")[-1].text
    assert "restarts = 9, and counts anew after 7700 s" in servers
    assert "switchtype" in servers[: servers.index("server  name")]


def test_the_control_script_says_what_it_has_to_be_allowed(definition: str) -> None:
    host = parse(definition, Path("watch.toml"))
    control = products.render(host, "posix")[0].text
    base, manager = (each.limits for each in model(polled(host)).resources[-2:])
    for name, limits in (("base", [base]), ("manager", [manager]), ("all", [base, manager])):
        of = {key: sum(each[key].seconds for each in limits) for key in ("start", "stop", "monitor")}
        assert f"#   {name}: start {of['start']}, stop {of['stop']}, monitor {of['monitor']}\n" in control


@pytest.mark.parametrize("retries", [0, 7])
def test_ha_monitors_retries_do_not_multiply_with_the_monitors_own(definition: str, retries: int) -> None:
    host = parse(f"{definition}retries = {retries}\n", Path("watch.toml"))
    servers = products.render(host, "hamonitor")[-1].text
    code, comments = servers[servers.index("server  name") :].split(), servers[: servers.index("server  name")]
    assert code[code.index(",ptrlcmd_ex_retry") + 1] == "2"
    assert f"{retries} times, the definition's `retries`" in comments
    limits = [each.limits["monitor"].seconds for each in model(polled(host)).resources[-2:]]
    assert code[code.index(",ptrlcmd_ex_tmout") + 1] == str(sum(limits))
    assert all(line.startswith("/*") and line.endswith("*/") for line in comments.splitlines())


def test_a_product_that_names_the_interface_needs_it(definition: str) -> None:
    host = parse(definition.replace('interface = "eth0"', ""), Path("watch.toml"))
    with pytest.raises(NotForACluster, match=r"cluster\.interface: is missing; keepalived needs it"):
        products.render(host, "keepalived")
    products.render(host, "hamonitor")


@pytest.mark.parametrize("address", ["192.0.2.10", "2001:db8::10"])
def test_a_product_that_says_how_long_the_prefix_is_needs_it(definition: str, address: str) -> None:
    host = parse(definition.replace("192.0.2.10/24", address), Path("watch.toml"))
    with pytest.raises(
        NotForACluster, match=r"address: expected its prefix length too.*; Veritas Cluster Server needs"
    ):
        products.render(host, "vcs")
    for product in set(PRODUCTS) - {"vcs"}:
        products.render(host, product)


def test_without_a_disk_only_those_that_do_without_one(definition: str) -> None:
    text = definition.replace('[disk]\ndevice = "/dev/disk/by-label/watch"\nmount-point = "/srv/watch"', "")
    for product in PRODUCTS:
        if "disk" in PRODUCTS[product].optional:
            assert "/srv/watch" not in products.render(parse(text, Path("watch.toml")), product)[-1].text
        else:
            with pytest.raises(NotForACluster, match="disk: is missing"):
                products.render(parse(text, Path("watch.toml")), product)


def test_an_address_of_the_sixth_version(definition: str) -> None:
    host = parse(definition.replace("192.0.2.10/24", "2001:db8::10/64"), Path("watch.toml"))
    assert "PrefixLen = 64" in products.render(host, "vcs")[1].text
    assert "2001:db8::10/64 dev eth0" in products.render(host, "keepalived")[1].text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(device=st.text(min_size=1), product=st.sampled_from(sorted(PRODUCTS)))
def test_a_value_that_could_be_more_than_a_value_is_refused(definition: str, device: str, product: str) -> None:
    host = parse(definition, Path("watch.toml"))
    odd = type(host)(
        **{field: getattr(host, field) for field in host.__struct_fields__}
        | {"disk": Disk(device=device, mount_point="/srv/watch")}
    )
    try:
        text = "".join(each.text for each in products.render(odd, product))
    except NotPlain:
        assert not (device.isascii() and device.isalnum())
        return
    usual = "".join(each.text for each in products.render(host, product))
    assert text == usual.replace("/dev/disk/by-label/watch", device)


def test_what_a_product_would_expand_is_refused(definition: str) -> None:
    """`%h` in a unit is somebody's home."""
    host = parse(definition.replace("/srv/watch", "/srv/w%h"), Path("watch.toml"))
    with pytest.raises(NotPlain, match="'/srv/w%h' cannot stand in systemd"):
        products.render(host, "systemd")


@needs("systemd-analyze")
def test_systemd_takes_its_unit(site: "Site") -> None:
    unit = site.render("systemd") / "bansho-watch.service"
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert "bansho-watch" not in done.stderr, done.stderr


def test_render_writes_or_shows(site: "Site", tmp_path: Path) -> None:
    folder = tmp_path / "new" / "vcs"
    call = ["watch", "--product", "vcs"]
    done = CliRunner().invoke(render, [*call, "--output", str(folder)])
    assert done.exit_code == 0, done.output
    assert sorted(each.name for each in folder.iterdir()) == ["control", "main.cf"]
    assert f"BSHO6112-I wrote {folder}/control" in done.output
    assert f'StartProgram = "{folder}/control start"' in (folder / "main.cf").read_text()
    shown = CliRunner().invoke(render, call).output
    assert "# /etc/bansho/cluster/watch/vcs/main.cf" in shown
    assert 'StartProgram = "/etc/bansho/cluster/watch/vcs/control start"' in shown
    (tmp_path / "file").write_text("")
    refused = CliRunner().invoke(render, [*call, "--output", str(tmp_path / "file" / "below")])
    assert "BSHO6107-E" in str(refused.exception)


def test_render_refuses_numbers_that_do_not_fit(site: "Site", tmp_path: Path) -> None:
    """Also where disk and nodes are left out, for products that do without them."""
    for product, disk in (("vcs", '[disk]\ndevice = "/dev/nothing"\nmount-point = "/"'), ("posix", "")):
        site.define(disk=disk, nodes='["n1", "n2"]' if disk else "[]", limits="{ start = 5, stop = 5, monitor = 5 }")
        refused = CliRunner().invoke(render, ["watch", "--product", product, "--output", str(tmp_path / "new")])
        assert isinstance(refused.exception, DoesNotFit)
        assert "raise cluster.limits.monitor to " in str(refused.exception)
        assert not (tmp_path / "new").exists()


def test_the_failure_window_has_to_hold_all_restarts_where_a_product_counts_within_it(site: "Site") -> None:
    """Elsewhere it begins anew with each failure, or the product does not go by it."""
    site.define(restarts="9", failure_window="600")
    refusals = {}
    for product in PRODUCTS:
        done = CliRunner().invoke(render, ["watch", "--product", product])
        refusals[product] = str(done.exception) if isinstance(done.exception, DoesNotFit) else done.exception
    within = {"solaris", "powerha", "systemd"}
    assert {product for product, refusal in refusals.items() if refusal} == within
    assert all("watch failure window needs" in str(refusals[product]) for product in within)
    site.define(restarts="9", failure_window="1")
    assert isinstance(CliRunner().invoke(render, ["watch", "--product", "vcs"]).exception, DoesNotFit)
    assert CliRunner().invoke(render, ["watch", "--product", "keepalived"]).exit_code == 0
