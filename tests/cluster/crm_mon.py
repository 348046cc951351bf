"""What `crm_mon --output-as=xml --inactive` says of the logical host `watch`, as Pacemaker 2.1.5 writes it."""

NODE = (
    '<node name="{0}" id="1" online="{1}" standby="{2}" standby_onfail="false" maintenance="false" pending="false"'
    ' unclean="{3}" health="green" shutdown="false" expected_up="true" is_dc="false" type="member"/>'
)
RESOURCE = (
    '<resource id="{0}" resource_agent="{1}" role="{2}" active="{3}" orphaned="false" blocked="false" managed="{4}"'
    ' failed="false" failure_ignored="false" nodes_running_on="1"><node name="n3" id="3" cached="true"/></resource>'
)
HISTORY = (
    '<resource_history id="watch-{0}" orphan="false" migration-threshold="3"{2}>'
    '<operation_history call="22" task="start" rc="0" rc_text="ok" last-rc-change="Sun Nov 22 11:55:43 2026"'
    ' exec-time="{1}ms" queue-time="0ms"/>'
    '<operation_history call="23" task="monitor" rc="0" interval="2000ms" exec-time="9ms"/></resource_history>'
)
FENCED = (
    '<fence_event action="reboot" target="n2" client="pacemaker-controld.77" origin="n3" status="success"'
    ' delegate="n1" completed="2026-11-22 11:55:43Z"/>'
)
AGENTS = {
    "disk": "ocf:heartbeat:Filesystem",
    "address": "ocf:heartbeat:IPaddr2",
    "base": "ocf:bansho:suite",
    "manager": "ocf:bansho:suite",
}


def document(
    *, fencing: str = "true", device: str = "Started", quorum: str = "true", managed: str = "true", failures: str = ""
) -> str:
    """The XML. `device` is the fencing device's role, empty for none; `failures` are attributes of Base's history."""
    nodes = [NODE.format("n1", "true", "true", "false"), NODE.format("n2", "false", "false", "false")]
    active = str(device == "Started").lower()
    fence = [RESOURCE.format("fence", "stonith:fence_ipmilan", device, active, "true")] if device else []
    members = [RESOURCE.format(f"watch-{name}", agent, "Started", "true", managed) for name, agent in AGENTS.items()]
    history = [HISTORY.format("disk", 158, ""), HISTORY.format("address", 109, ""), HISTORY.format("base", 9, failures)]
    return f"""<pacemaker-result api-version="2.25" request="crm_mon">
<summary><current_dc present="true" name="n3" with_quorum="{quorum}"/>
<cluster_options stonith-enabled="{fencing}" maintenance-mode="false"/></summary>
<nodes>{"".join(nodes)}{NODE.format("n3", "true", "false", "false")}</nodes>
<resources>{"".join(fence)}<group id="watch" managed="{managed}" disabled="false">{"".join(members)}</group></resources>
<node_history><node name="n3">{"".join(history)}</node></node_history>
<fence_history>{FENCED}</fence_history>
</pacemaker-result>
"""
