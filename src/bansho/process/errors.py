"""What can be wrong in process management."""

from bansho.contract.messages import BanshoError


class SuiteFileMissing(BanshoError):
    """Raised when a suite's process definition is not in the shared directory."""

    id = "BSHO2001-E"
    text = "logical host {name}: expected the definition of suite {suite} at {path}; write it with: bansho setup {name}"


class MalformedSuite(BanshoError):
    """Raised when a suite's process definition is not TOML, or asks for something that cannot be.

    Action: correct the key; docs/house.md, "A suite", shows every key with its values.
    """

    id = "BSHO2002-E"
    text = "{path}: {key}: {problem}"


class RestartForbidden(BanshoError):
    """Raised when a definition asks for a restart on a logical host: there the cluster alone restarts."""

    id = "BSHO2003-E"
    text = (
        "{path}, line {line}: service {service}: restart is not allowed on a logical host;"
        " remove it: the cluster software restarts, or fails over"
    )


class RecordDamaged(BanshoError):
    """Raised when a status record cannot be read as one."""

    id = "BSHO2004-E"
    text = "{path}: the process manager's record is damaged ({reason}); end the suite with: {killall} {name}"


class LeftoversLive(BanshoError):
    """Raised when a start finds processes of the suite whose process manager is dead."""

    id = "BSHO2005-E"
    text = (
        "logical host {name}: processes of suite {suite} live without their process manager: {processes};"
        " end them first with: {killall} {name}"
    )


class AlreadyManaged(BanshoError):
    """Raised when another process manager of the same suite holds the lock.

    Action: none where the suite runs. Where it hangs, end it with the killall command and start it again.
    """

    id = "BSHO2006-E"
    text = "logical host {name}: suite {suite} has a process manager already; it holds {path}"


class UnknownServiceUser(BanshoError):
    """Raised when a service's user does not exist on this node, or cannot be taken on."""

    id = "BSHO2007-E"
    text = "service {service}: user {user!r} {problem}; create the user on every node, or change the definition"


class DiskSilent(BanshoError):
    """Raised when the shared directory does not answer within a limit."""

    id = "BSHO2008-E"
    text = "logical host {name}: shared directory {path} did not answer within {limit:.0f} s; look at the disk"


class ManagerSilent(BanshoError):
    """Raised when the process manager ended before it could take an order.

    Action: read the log that it names, remove the reason, and start again.
    """

    id = "BSHO2009-E"
    text = "logical host {name}: the process manager of suite {suite} did not come up; its log is {log}"


class PlaceTooLong(BanshoError):
    """Raised when the path of a socket is longer than the kernel takes."""

    id = "BSHO2010-E"
    text = "{path}: a socket's path has at most 107 bytes, this one has {length}; shorten the names"


class NotRunning(BanshoError):
    """Raised when an order needs a process manager and there is none."""

    id = "BSHO2011-E"
    text = "logical host {name}: suite {suite} has no process manager; start it first with: {start} {name}"


class ManagerEnded(BanshoError):
    """Raised when the process manager ended in the middle of an order: it was killed, or it broke.

    Action: ask the status command what is left, read the log, run the killall command, and start again.
    """

    id = "BSHO2012-E"
    text = "logical host {name}: the process manager of suite {suite} ended before it had answered; its log is {log}"


class TurnedRound(BanshoError):
    """Raised when a suite is stopped while somebody waits for its start, and the other way round.

    Action: none where that was wanted; else give the order again once the other one is over.
    """

    id = "BSHO2014-E"
    text = "logical host {name}: the {order} of suite {suite} was turned round: {reason}"


class ManagerMute(BanshoError):
    """Raised when the process manager lives and nothing is to be expected of it: it is stopped, or hangs.

    Whoever ordered something need not wait for it. Should the process manager ever go on, it does what it was asked.

    Action: end the suite with the killall command, which a cluster's stop does by itself, and start it again.
    """

    id = "BSHO2013-E"
    text = (
        "logical host {name}: the process manager of suite {suite} (pid {pid}) {how} and has not answered; nobody does"
        " what it was asked; end the suite with: {killall} {name}"
    )


class NoAnswer(BanshoError):
    """Raised when the process manager lives, and an order has no answer within a limit.

    Action: ask the status command, and give the order again.
    """

    id = "BSHO2018-E"
    text = "logical host {name}: the process manager of suite {suite} has not answered for {limit:.0f} s"


class StartFailed(BanshoError):
    """Raised when a start fails in a way that has no error of its own, such as a disk that answers with EIO.

    Action: remove the reason that it names, and start again.
    """

    id = "BSHO2015-E"
    text = "logical host {name}: suite {suite} cannot be started: {reason}"


class MalformedLine(BanshoError):
    """Raised when a line of one of the original's definition files is not what it should be.

    Action: correct the line.
    """

    id = "BSHO2016-E"
    text = "{path}, line {line}: {what}; expected {expected}"


class UnsafeSuiteFile(BanshoError):
    """Raised when root is to run a suite whose definition somebody else could have written."""

    id = "BSHO2017-E"
    text = (
        "{path}: {of} belongs to user id {uid} with mode {mode}, and root would run what stands there;"
        " make it root's, writable by root alone"
    )


class SuiteNotHere(BanshoError):
    """Raised when a process manager is started for a suite that its logical host does not run.

    Action: name the suite in the logical host's definition, or start another one.
    """

    id = "BSHO2020-E"
    text = "logical host {name}: it runs no suite {suite!r}"
