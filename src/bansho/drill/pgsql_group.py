"""The classic way: a group of disk, address and `ocf:heartbeat:pgsql`, as its agents' metadata recommends.

Time limits are the agents' recommended ones, all parameters but places are their defaults. The monitor interval is that
of the logical host beside it: the recommended ones (server 30 s, disk 20 s, address 10 s) would only make it later.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

from bansho.database.programs import distributions
from bansho.drill import pgsql_writer
from bansho.drill.contender import Contender, postmaster_faults
from bansho.drill.faults.fault import Fault
from bansho.drill.stage import MOUNT_POINT, Sender, Stage, run, wait
from bansho.lab.lab import Lab
from bansho.lab.node import Node

NAME = "pgsql"
DATA = f"{MOUNT_POINT}/{NAME}"
MONITOR = 2
"""Seconds: the stage's `monitor-interval`."""

CRM = """\
primitive pgsql-disk ocf:heartbeat:Filesystem \\
    params device="{disk}" directory="{mount_point}" fstype=ext4 \\
    op start timeout=60s interval=0 op stop timeout=60s interval=0 op monitor interval={monitor}s timeout=40s
primitive pgsql-address ocf:heartbeat:IPaddr2 \\
    params ip="{address}" cidr_netmask="{prefix}" nic=eth0 \\
    op start timeout=20s interval=0 op stop timeout=20s interval=0 op monitor interval={monitor}s timeout=20s
primitive pgsql-server ocf:heartbeat:pgsql \\
    params pgctl="{programs}/pg_ctl" psql="{programs}/psql" pgdata="{data}" logfile="{data}.log" \\
    op start timeout=120s interval=0 op stop timeout=120s interval=0 op monitor interval={monitor}s timeout=30s
group pgsql pgsql-disk pgsql-address pgsql-server meta resource-stickiness=100
"""
PREPARE = """\
set -e
mount {disk} {mount_point}
trap 'umount {mount_point}' EXIT
install -d -m 0700 -o postgres -g postgres {data}
install -m 0600 -o postgres -g postgres /dev/null {data}.log
runuser -u postgres -- {programs}/initdb --auth=peer --encoding=UTF8 --pgdata={data}
echo "listen_addresses = '*'" >>{data}/postgresql.conf
echo "host postgres postgres {network} trust" >>{data}/pg_hba.conf
"""
"""The lab's network is the nodes' alone: a password would protect nothing."""


class PgsqlGroup(Contender):
    """A plain PostgreSQL server: a row is acknowledged once its transaction is committed."""

    name, title, resource = NAME, "the plain group: Filesystem, IPaddr2, ocf:heartbeat:pgsql", NAME

    @property
    def own_faults(self) -> Iterable[Fault]:
        """Its server for the writer is the postmaster: killed as such, and beside a database behind a service."""
        yield from postmaster_faults(DATA, "kill-server", "freeze-server")
        yield from postmaster_faults(DATA)

    def keep_logs(self, folder: Path) -> None:
        """With the server's own log, where the disk is mounted."""
        super().keep_logs(folder)
        if node := self.stage.active():
            (folder / "pgsql.log").write_text(node.run(["cat", f"{DATA}.log"]).stdout)

    def running_on(self) -> Node | None:
        """Where the disk is; a write tells whether the server answers."""
        return self.stage.active()

    def send(self, rate: float, source: str) -> Sender:
        """Rows."""
        return self.stage.start_sender("bansho.drill.pgsql_writer", [self.stage.address], rate, source)

    def stored(self, sender: Sender, source: str) -> list[int]:  # noqa: ARG002 - a row is there when it is acknowledged
        """From the table, asked on the active node."""
        node = self.stage.active() or self.stage.lab.nodes[0]
        answer = run(node, "ask the database", _psql(f"select number from written where source = '{source}'"))  # noqa: S608 - ours
        return [int(line) for line in answer.split()]


def prepare(stage: Stage, beside: Contender) -> PgsqlGroup:
    """Makes it on the stage of another one, which is stopped for it and keeps the nodes: registered and running."""
    found, node = PgsqlGroup(stage), stage.lab.nodes[0]
    beside.registered = run(node, "read the configuration", ["cibadmin", "--query", "--scope", "configuration"])
    beside.leave()
    run(node, "make a database", ["sh", "-c", PREPARE.format(**_places(stage.lab))])
    found.registered = without_resources(beside.registered)
    run(node, "remove the other", ["cibadmin", "--replace", "--scope", "configuration", "--xml-pipe"], found.registered)
    run(node, "register", ["crm", "configure", "load", "update", "-"], CRM.format(**_places(stage.lab)))
    found.registered = run(node, "read the configuration", ["cibadmin", "--query", "--scope", "configuration"])
    wait("the table to be made", lambda: _make_table(stage.active()), state=stage.lab.power_log)
    return found


def without_resources(configuration: str) -> str:
    """A cluster's configuration (cib.xml) with fencing as its only resource, and without constraints. Pure."""
    root = ElementTree.fromstring(configuration)  # noqa: S314 - the lab's own
    resources = root.find("resources")
    for each in list(resources) if resources is not None else ():
        if resources is not None and each.get("class") != "stonith":
            resources.remove(each)
    constraints = root.find("constraints")
    if constraints is not None:
        constraints.clear()
    return ElementTree.tostring(root, encoding="unicode")


def _make_table(node: Node | None) -> bool:
    return node is not None and node.run(_psql(pgsql_writer.TABLE)).returncode == 0


def _psql(text: str) -> list[str]:
    psql = str(next(iter(distributions())) / "psql")
    return ["runuser", "-u", "postgres", "--", psql, "--no-psqlrc", "-At", "-c", text]


def _places(lab: Lab) -> Mapping[str, object]:
    address, _, prefix = lab.logical_address.partition("/")
    return {
        "disk": lab.disk,
        "mount_point": MOUNT_POINT,
        "data": DATA,
        "address": address,
        "prefix": prefix,
        "network": f"{address.rpartition('.')[0]}.0/{prefix}",
        "programs": next(iter(distributions())),
        "monitor": MONITOR,
    }
