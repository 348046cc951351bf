"""What can be wrong with a logical host."""

from bansho.contract.messages import BanshoError


class BadName(BanshoError):
    """Raised when a logical host's name is empty, too long, or not made of letters, digits, `.`, `_` and `-`.

    Action: use a name of that form, and the same one in the file's name and in `name`.
    """

    id = "BSHO1001-E"
    text = (
        "logical host name {name!r}: expected 1 to 63 bytes of letters, digits, '.', '_' and '-',"
        " beginning with a letter or digit"
    )


class UnknownLogicalHost(BanshoError):
    """Raised when there is no definition for a name."""

    id = "BSHO1002-E"
    text = "logical host {name!r}: expected its definition at {path}; write it there or check the spelling"


class MalformedDefinition(BanshoError):
    """Raised when a definition is not TOML, has an unknown key, or a value of a wrong type or outside its range.

    Action: correct the key; docs/definition.md shows every key with its values.
    """

    id = "BSHO1003-E"
    text = "{path}: {key}: {problem}"


class UnreadableDefinition(BanshoError):
    """Raised when a definition exists and cannot be read."""

    id = "BSHO1004-E"
    text = "{path}: cannot be read ({reason}); give this user the right to read it"


class SharedDirectoryAbsent(BanshoError):
    """Raised when the shared directory is not there: not mounted here, or not set up yet."""

    id = "BSHO1005-E"
    text = (
        "logical host {name}: shared directory {path} is not available on this node ({reason});"
        " mount it, and set it up once with: bansho setup {name}"
    )


class LeaseHeld(BanshoError):
    """Raised when another node holds the shared directory and shows that it lives."""

    id = "BSHO1006-E"
    text = (
        "logical host {name}: shared directory {path} is held by node {owner} (epoch {epoch});"
        " stop the logical host there first"
    )


class LeaseLost(BanshoError):
    """Raised when this node no longer owns the shared directory: another one took it over.

    Action: none on this node: the logical host runs on the other one. Find out why this node was not fenced.
    """

    id = "BSHO1007-E"
    text = "shared directory {path}: epoch {mine} was ours, epoch {now} of node {owner} took over; nothing is written"


class LeaseDamaged(BanshoError):
    """Raised when the lease's block cannot be read as a lease."""

    id = "BSHO1008-E"
    text = "{path}: damaged ({reason}); when no node runs this logical host, remove the file and start again"


class DefinitionExists(BanshoError):
    """Raised when a definition would be written over an existing one."""

    id = "BSHO1009-E"
    text = "{path}: exists already; edit it, or remove it first"
