"""The configuration of a lab's cluster: corosync.conf, and the cluster information base that Pacemaker starts from."""

from collections.abc import Iterable

from bansho.lab import network

TOKEN = 1000
"""Milliseconds until the token counts as lost; Corosync adds 650 for each node above two (corosync.conf(5))."""

CONF = """\
totem {{
    version: 2
    cluster_name: {name}
    transport: knet
    crypto_cipher: none
    crypto_hash: none
    token: {token}
}}
nodelist {{
{nodes}}}
quorum {{
    provider: corosync_votequorum
    two_node: {two_node}
}}
logging {{
    to_stderr: no
    to_syslog: no
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    timestamp: hires
}}
system {{
    move_to_root_cgroup: no
}}
"""

NODE = """\
    node {{
        name: {name}
        nodeid: {id}
        ring0_addr: {address}
    }}
"""

# Without it the first start waits 20 s for a coordinator that cannot be there (dc-deadtime's default).
CIB = """\
<cib crm_feature_set="3.0.0" validate-with="pacemaker-3.0" admin_epoch="0" epoch="1" num_updates="0">
  <configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options">
      <nvpair id="cib-bootstrap-options-dc-deadtime" name="dc-deadtime" value="{dc_deadtime}"/>
    </cluster_property_set></crm_config>
    <nodes/><resources/><constraints/>
  </configuration>
  <status/>
</cib>
"""
DC_DEADTIME = "1s"


def conf(name: str, nodes: Iterable[str]) -> str:
    """corosync.conf for the nodes."""
    names = list(nodes)
    blocks = (NODE.format(name=node, id=node[1:], address=network.address(node)) for node in names)
    return CONF.format(name=name, token=TOKEN, two_node=int(len(names) == 2), nodes="".join(blocks))


def cib() -> str:
    """cib.xml before the first start."""
    return CIB.format(dc_deadtime=DC_DEADTIME)


def fencing(nodes: Iterable[str]) -> str:
    """The line for `crm configure` that makes the lab's fence agent the cluster's."""
    listed = " ".join(nodes)
    return f'primitive fence stonith:fence_bansho_lab params pcmk_host_list="{listed}" pcmk_host_check=static-list'


def hosts(names: Iterable[str]) -> str:
    """/etc/hosts."""
    lines = ["127.0.0.1 localhost", *(f"{network.address(name)} {name}" for name in names)]
    return "\n".join([*lines, ""])
