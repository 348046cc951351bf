"""What can be wrong when a logical host is registered with cluster software, or driven by it."""

from typing import ClassVar

from bansho.contract.messages import BanshoError, Message


class NotForACluster(BanshoError):
    """Raised when a definition lacks, or has wrong, what cluster software needs to know.

    Action: correct the key; docs/definition.md shows every key with its values.
    """

    id = "BSHO6001-E"
    text = "logical host {name}: {key}: {problem}"


class AgentError(BanshoError):
    """The base of what the resource agent reports; `code` is its exit code (OCF resource agent API 1.1)."""

    code: ClassVar[int] = 1


class BadParameter(AgentError):
    """Raised when a resource's parameter is missing or malformed."""

    id = "BSHO6011-E"
    text = "parameter {name}: {problem}; correct it in the cluster's configuration"
    code = 6


class CommandMissing(AgentError):
    """Raised when a command of the suite is not on this node, or cannot be executed."""

    id = "BSHO6012-E"
    text = "command {command}: expected an executable in {folders} ({reason}); install it on this node"
    code = 5


class SharedDirectoryOffline(AgentError):
    """Raised when a suite is to be started where its shared directory is not mounted."""

    id = "BSHO6013-E"
    text = (
        "suite {suite} of {host}: shared directory {path} is not available on this node;"
        " the cluster has to mount the disk before it starts the suite"
    )


class DidNotStart(AgentError):
    """Raised when the start command has ended and monitoring says that the suite will not come up.

    Action: read the suite's log for the reason; the cluster fails over. Where the shared disk is full, no node can
    start it: make space, then crm_resource --cleanup --resource NAME.
    """

    id = "BSHO6014-E"
    text = "suite {suite} of {host} did not start: {monitoring}; {started}"


class NotStopped(AgentError):
    """Raised when there is no proof that a suite has stopped: the node has to be fenced.

    Action: none: the cluster fences the node. Afterwards find out what held the suite.
    """

    id = "BSHO6015-E"
    text = "suite {suite} of {host}: no proof that it has stopped: {missing}"


class OutOfTime(AgentError):
    """Raised when an action comes to its own time limit, which lies below the cluster's.

    Action: find out what takes so long; where it may, give the operation more time in the definition.
    """

    id = "BSHO6016-E"
    text = "{action} of suite {suite} of {host}: not done within {limit:g} s: {step} for {since:.1f} s{last}"


class Unhealthy(AgentError):
    """Raised when monitoring finds a failure.

    Action: none: the cluster restarts or fails over. Read the suite's log for the reason.
    """

    id = "BSHO6017-E"
    text = "suite {suite} of {host}: {monitoring}"


class UnknownAction(AgentError):
    """Raised when the agent is asked for an action that it does not have.

    Action: correct the cluster's configuration, or the call.
    """

    id = "BSHO6018-E"
    text = "action {action!r}: expected one of {actions}"
    code = 3


class ToolMissing(BanshoError):
    """Raised when a program of Pacemaker's is not on this machine."""

    id = "BSHO6031-E"
    text = "{program}: no such program; install Pacemaker's command line tools (pacemaker-cli-utils) and crmsh"


class ToolFailed(BanshoError):
    """Raised when a program of Pacemaker's ends with an error.

    Action: remove the reason that the program names, and repeat.
    """

    id = "BSHO6032-E"
    text = "{program} ended with {value}: {said}"


class NoFencing(BanshoError):
    """Raised when a cluster could not fence a node: two owners of one disk would be possible."""

    id = "BSHO6033-E"
    text = (
        "logical host {name}: {problem}; configure fencing first, or pass its configuration in the same call"
        " with --fencing FILE"
    )


class InvalidConfiguration(BanshoError):
    """Raised when Pacemaker finds the resulting configuration wrong; nothing has been changed.

    Action: correct in the definition what Pacemaker names, and repeat.
    """

    id = "BSHO6034-E"
    text = "logical host {name}: the cluster would refuse its configuration, nothing is changed: {said}"


class StillRunning(BanshoError):
    """Raised when a logical host is to be removed and does not stop."""

    id = "BSHO6035-E"
    text = "logical host {name}: {resource} is still running, nothing is removed; see crm_mon for why it does not stop"


class CannotInstall(BanshoError):
    """Raised when the resource agent cannot be written to its place."""

    id = "BSHO6036-E"
    text = "{path}: cannot be written ({reason}); run this as root, or choose a folder with --root"


class UnreadableFencing(BanshoError):
    """Raised when the file with the fencing configuration cannot be read.

    Action: correct the file's name or rights; it holds crm configuration with a stonith resource.
    """

    id = "BSHO6037-E"
    text = "{path}: cannot be read ({reason}); expected crm configuration text with a stonith resource"


class DoesNotFit(BanshoError):
    """Raised when the numbers of a definition contradict each other.

    Action: change the numbers that it names in the definition.
    """

    id = "BSHO6051-E"
    text = "logical host {name}: time limits do not fit: {problems}"


class CannotReport(BanshoError):
    """Raised when a report cannot be written."""

    id = "BSHO6052-E"
    text = "{path}: cannot be written ({reason}); choose another file with --report"


class NotSettled(BanshoError):
    """Raised when events cannot be simulated, since the logical host does not run as a whole."""

    id = "BSHO6053-E"
    text = (
        "logical host {name}: does not run as a whole on one node ({where}); start it, or verify the definition alone,"
        " without --live"
    )


class NotProved(BanshoError):
    """Raised when the cluster's scheduler would not do what the contract demands.

    Action: compare the cluster's configuration with: bansho cluster status; apply the definition again.
    """

    id = "BSHO6058-E"
    text = "logical host {name}: the cluster would not do the right thing after: {events}"


class Differs(BanshoError):
    """Raised when the plan and the live cluster, or two nodes, differ."""

    id = "BSHO6059-E"
    text = (
        "logical host {name}: {changes} settings differ from the cluster's, {nodes} facts between nodes;"
        " make the nodes alike, then: bansho cluster apply {name}"
    )


class NotConfirmed(BanshoError):
    """Raised when something would stop a running service, and nobody is there to be asked."""

    id = "BSHO6054-E"
    text = "{what}: would {effects}; nothing is changed; if that is wanted, say --yes"


class UnknownNode(BanshoError):
    """Raised when a node is named that the cluster, or the logical host, does not have.

    Action: correct the node's name, or add the node to the definition and the cluster.
    """

    id = "BSHO6055-E"
    text = "node {node}: expected one of {nodes}"


class NotRegistered(BanshoError):
    """Raised when the cluster has no logical host of that name."""

    id = "BSHO6056-E"
    text = "logical host {name}: the cluster does not know it; register it with: bansho cluster apply {name}"


class NotOurs(BanshoError):
    """Raised when a group of the cluster has a logical host's name and no suite in it.

    Action: give the logical host another name, or treat the group with the tool that made it.
    """

    id = "BSHO6060-E"
    text = "logical host {name}: the cluster's group of that name has no ocf:bansho:suite in it, so it is left alone"


class DidNotMove(BanshoError):
    """Raised when a logical host does not run where it was moved to.

    Action: look at its failures there, and whether a location constraint prefers another node (crm configure show).
    """

    id = "BSHO6057-E"
    text = "logical host {name}: expected on {expected}, and it runs {found}; see: bansho cluster status {name}"


STRANGERS = Message("BSHO6021-W", "left to the unmount, since a person's terminal runs them: {holders}")
"""A stop leaves processes alone that a person's terminal runs and that hold the shared disk.

Action: end them; the unmount of the disk may fail or kill them.
"""
NOT_PROVEN_YET = Message("BSHO6022-W", "suite {suite} of {host}: not stopped yet: {missing}")
"""A stop is under way and the proof that it is over is missing yet.

Action: none while it goes on; when it fails, the cluster fences the node.
"""
NOT_CHECKED = Message("BSHO6023-W", "suite {suite} of {host}: deep check not made: {reason}")
"""An event could not be sent through a suite, for a reason that is not the suite's or that no restart would mend.

Action: remove the reason that it names; till then only the suite's status is monitored.
"""
APPLIED = Message("BSHO6041-I", "logical host {name}: registered with the cluster")
"""The logical host was put into the cluster's configuration."""
UNCHANGED = Message("BSHO6042-I", "logical host {name}: the cluster has this configuration already")
"""The cluster's configuration is already as the definition wants it."""
REMOVED = Message("BSHO6043-I", "logical host {name}: stopped, and removed from the cluster")
"""The logical host was stopped and taken out of the cluster's configuration."""
ABSENT = Message("BSHO6044-I", "logical host {name}: the cluster does not know it")
"""A logical host to be removed is not in the cluster's configuration."""
RESTS = Message("BSHO6047-I", "node {node}: on standby; what ran there has moved")
"""A node was put on standby; what ran there has moved."""
RESTS_NOT = Message("BSHO6048-I", "node {node}: may run resources again")
"""A node may run resources again."""
INSTALLED = Message("BSHO6045-I", "wrote {path}, which runs the commands in {folder}")
"""The resource agent was installed on this node."""
NO_AGENT = Message(
    "BSHO6046-W", "the resource agent is not on this node ({path}); on every node run: bansho cluster agent install"
)
"""The resource agent is missing on a node that may have to run the logical host."""
