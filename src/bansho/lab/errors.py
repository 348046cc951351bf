"""What can go wrong with a lab."""

from bansho.contract.messages import BanshoError


class MachineUnfit(BanshoError):
    """Raised when this machine cannot carry a lab; `missing` names each part that it lacks.

    Action: use a machine that has what is missing, as root; without it, `bansho up` runs one node.
    """

    id = "BSHO7001-E"
    text = "this machine cannot run cluster nodes; missing: {missing}"


class LabExists(BanshoError):
    """Raised when a lab of that name is up, coming up or going down."""

    id = "BSHO7002-E"
    text = "lab {name}: is up already; use it, or end it with: bansho lab down --name {name}"


class NoLab(BanshoError):
    """Raised when there is no lab of that name."""

    id = "BSHO7003-E"
    text = "lab {name}: is not up; start it with: bansho lab up --name {name}"


class BadSetting(BanshoError):
    """Raised when a lab is asked for with a setting outside its range.

    Action: give a value in that range.
    """

    id = "BSHO7004-E"
    text = "lab: {setting} {value!r}: expected {expected}"


class UnknownNode(BanshoError):
    """Raised when a lab has no node of that name.

    Action: name one of the lab's nodes.
    """

    id = "BSHO7005-E"
    text = "lab {name}: node {node!r}: expected one of {nodes}"


class NodeOff(BanshoError):
    """Raised when something should run on a node that has no power."""

    id = "BSHO7006-E"
    text = "lab {name}: node {node} is off; switch it on with: bansho lab power {node} on --name {name}"


class PowerRefused(BanshoError):
    """Raised when the power daemon could not do what it was asked, or no longer answers.

    Action: look whether the lab is up: bansho lab list; where its power daemon is gone, end it and start it again.
    """

    id = "BSHO7007-E"
    text = "power: {action} {node}: {reason}"


class NotBuilt(BanshoError):
    """Raised when a lab did not come up; nothing of it is left.

    Action: remove the reason that it names, and start it again.
    """

    id = "BSHO7008-E"
    text = "lab {name}: could not be built: {reason}"


class NotOnline(BanshoError):
    """Raised when nodes are not members of the cluster within the limit."""

    id = "BSHO7009-E"
    text = (
        "lab {name}: not online in Pacemaker within {limit:g} s: {nodes};"
        " see /var/log/pacemaker/pacemaker.log on the node and {console}"
    )


class NotDown(BanshoError):
    """Raised when a lab's processes did not end within the limit.

    Action: end the process by hand, then remove the folder.
    """

    id = "BSHO7010-E"
    text = "lab {name}: process {pid} did not end within {limit:g} s; its files stay in {folder}"


class WindowRefused(BanshoError):
    """Raised when a window cannot be opened on the host's side."""

    id = "BSHO7011-E"
    text = "window: 127.0.0.1:{port}: {reason}; choose another port"


class NotSeen(BanshoError):
    """Raised when what a watch waited for did not come within the limit.

    Action: look at the cluster with crm_mon on a node; the takeover did not happen or took too long.
    """

    id = "BSHO7012-E"
    text = "watch: {what}: expected one of {among} alone to hold it within {limit:g} s; it is held by {owners}"


class NotDone(BanshoError):
    """Raised when the power log does not say within the limit that something was done.

    Action: look at the cluster with crm_mon on a node; the action did not happen or took too long.
    """

    id = "BSHO7013-E"
    text = "lab {name}: expected {action} of {node} in the power log within {limit:g} s"
