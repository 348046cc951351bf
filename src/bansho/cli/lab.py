"""`bansho lab`: real cluster nodes made of namespaces on one machine."""

import json
import time

import click

from bansho.lab import Lab, ending, power, spec
from bansho.lab.places import Places

NAME = click.option("--name", default="lab", show_default=True, help="Which lab.")
JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group()
def command() -> None:
    """Real cluster nodes on this machine: Pacemaker and Corosync in namespaces, a shared disk, power to cut.

    Needs root. Leaves nothing on the machine after `down`. Install no packages on it while a lab is up.
    """


@command.command()
@NAME
@click.option("--nodes", default=3, show_default=True, help="Cluster nodes, 1 to 9.")
@click.option("--disk-size", default="512M", show_default=True, help="Of the shared disk; it lives in memory.")
def up(name: str, nodes: int, disk_size: str) -> None:
    """Build a lab and wait until its nodes are online."""
    began = time.monotonic()
    lab = Lab.up(name, nodes, disk_size)
    click.echo(f"lab {name}: {', '.join(lab.spec.nodes)} online after {time.monotonic() - began:.1f} s")
    click.echo(f"shared disk {lab.disk}, free address {lab.logical_address}")
    click.echo(f"look around with: bansho lab exec --name {name} n1 -- crm_mon -1")


@command.command()
@NAME
def down(name: str) -> None:
    """End a lab. Nothing of it is left."""
    there = ending.end(Places.of(spec.lab_name(name)))
    click.echo(f"lab {name}: {'is down' if there else 'was not up'}")


@command.command()
@NAME
@JSON
def status(name: str, as_json: bool) -> None:
    """Show each host's power, cables and address, the shared disk and the free address."""
    lab = Lab.open(name)
    hosts = {host: lab.node(host).state() for host in lab.spec.hosts}
    if as_json:
        click.echo(json.dumps({"name": name, "hosts": hosts, "disk": lab.disk, "logical_address": lab.logical_address}))
        return
    for host, state in hosts.items():
        cables = f"cable {state['cable']:8} management {state['management']}"
        click.echo(f"{host:8} {state['address']:12} power {state['power']:7} {cables}")
    click.echo(f"shared disk {lab.disk}, free address {lab.logical_address}")


@command.command(name="exec", context_settings={"ignore_unknown_options": True})
@NAME
@click.argument("node")
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(name: str, node: str, program: tuple[str, ...]) -> None:
    """Run a program on NODE (`outside`: the host that is no cluster member); its exit code is passed on."""
    Lab.open(name).node(node).replace_self(program)


@command.command(name="power")
@NAME
@click.argument("node")
@click.argument("action", type=click.Choice(power.POWER))
def switch(name: str, node: str, action: str) -> None:
    """Switch NODE on or off, reboot it; `loss`: what it had not synced is lost; freeze and thaw all its processes."""
    Lab.open(name).node(node).power(action)


@command.command()
@NAME
@click.argument("node")
@click.argument("action", type=click.Choice(power.CABLE))
def cable(name: str, node: str, action: str) -> None:
    """Cut or plug NODE's network cable; or make it deaf, mute, lossy or narrow."""
    Lab.open(name).node(node).cable(action)


@command.command()
@NAME
@JSON
def log(name: str, as_json: bool) -> None:
    """Show the power log: who asked for what (`...`), and when it was done."""
    for entry in Lab.open(name).power_log():
        click.echo(json.dumps(entry.to_dict()) if as_json else entry)


@command.command()
@NAME
@click.argument("port", type=click.IntRange(1, 65535))
@click.argument("target")
def window(name: str, port: int, target: str) -> None:
    """Let this machine's 127.0.0.1:PORT lead to TARGET (ADDRESS:PORT) in the lab, until Ctrl-C."""
    with Lab.open(name).window(target, port) as opened:
        click.echo(f"http://127.0.0.1:{opened.port}/ leads to {target}")
        opened.wait()
