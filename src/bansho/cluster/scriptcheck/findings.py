"""What can be wrong with a control script: each finding says why, and how it is done right."""

from bansho.contract.messages import BanshoError, Message


class UnreadableScript(BanshoError):
    """Raised when a script cannot be read."""

    id = "BSHO6201-E"
    text = "{path}: cannot be read ({reason}); expected a shell script of at most 1 MiB"


START = Message(
    "BSHO6211-E",
    "{path}:{line}: {command} is judged by its value: the script can end with 0 though no monitoring has decided it; 0"
    " also means that the start is still under way: ask {product}_spmd_status -h HOST until it says 0, within a time"
    " limit",
)
"""A start is judged by the start command's value (CONTRACT 3.1)."""
STOP = Message(
    "BSHO6212-E",
    "{path}:{line}: nothing proves that {command} worked: the script can end with 0 though no monitoring has"
    " decided it; after forced termination ask {product}_spmd_status -h HOST: only 8 is a proof",
)
"""A stop is taken for done without a proof (CONTRACT 3.5)."""
NO_TERMINATION = Message(
    "BSHO6213-E",
    "{path}:{line}: {command} is not followed by forced termination; a stop that timed out returns 0 too: always run"
    " {product}_killall.cluster HOST after it",
)
"""Forced termination is missing after a stop (CONTRACT 3.5)."""
TERMINATION_TIED = Message(
    "BSHO6214-E",
    "{path}:{line}: {command} runs only for some values of {guard}; a stop that timed out returns 0 too, so it is left"
    " out just then: run it after every stop, without a condition",
)
"""Forced termination depends on a return value (CONTRACT 3.5)."""
VALUE_LOST = Message(
    "BSHO6215-E",
    "{path}:{line}: $? here is the value of {of}, not of the command before it; keep it first: cmd; rc=$?; then test"
    ' "$rc" and {how} "$rc"',
)
"""`$?` is read too late: a failure is reported as success."""
GOTO = Message(
    "BSHO6216-E",
    "{path}:{line}: a shell has no goto: it says 'command not found' and goes on with the next line; use a function or"
    " if ... fi",
)
"""The script jumps by a command that does not exist."""
OTHER_PRODUCT = Message(
    "BSHO6217-E",
    "{path}:{line}: {command} stands where {expected} is to be expected, the command of the product that is meant"
    " here; name the commands of one product together, from one place",
)
"""Another product's command stands where this one's belongs."""
TWO_HOSTS = Message(
    "BSHO6218-E",
    "{path}:{line}: {command} is told host {host!r}, others {others!r}; set the name once and pass it as a variable",
)
"""Commands of one script are told different logical hosts."""
NO_HOST = Message(
    "BSHO6219-E",
    "{path}:{line}: {command} is not told its logical host, so it acts on the physical one and can turn a dead host"
    " green; always pass {form}",
)
"""The logical host's name is missing (CONTRACT 3)."""
NO_LIMIT = Message(
    "BSHO6220-E",
    "{path}:{line}: {command} has no -t, so it may take 60 s, longer than a cluster's monitor may; pass -t SECONDS that"
    " fit into the monitor's limit with every retry",
)
"""A status command has no time limit of its own."""
NO_RETRY = Message(
    "BSHO6221-E",
    "{path}:{line}: {command} is asked once; {values} asks for a retry and is not a failure: repeat it in a loop, with"
    " a pause, as often as specified",
)
"""A value that asks for a retry is taken for a failure (CONTRACT 3.2, 3.3)."""
RAW = Message(
    "BSHO6222-E",
    "{path}:{line}: the value of {command} is handed to the cluster software as it is; translate it by one table into"
    " the values that the product knows, also for values that no table lists",
)
"""A status value is returned without a translation."""
REDIRECTING_TEST = Message(
    "BSHO6223-E",
    "{path}:{line}: < and > inside [ ] are redirections or compare text; compare numbers by -lt and -gt",
)
"""A comparison is none: the loop that it controls does not do what it should."""
ASSIGNMENT = Message(
    "BSHO6224-E",
    "{path}:{line}: this calls a command {name!r} with the argument '='; write {name}=VALUE without spaces",
)
"""An assignment has spaces around its sign."""
TEXT = Message(
    "BSHO6225-E",
    "{path}:{line}: the text of {command} is searched; it changes with the language and the version: use the return"
    " value, by its table",
)
"""A status is read from a text that is meant for people."""
SEQUENCE = Message(
    "BSHO6226-E",
    "{path}:{line}: {command} comes before {other}; the sequence is given: start Base, then Manager; stop Manager, then"
    " Base",
)
"""Base and Manager are started or stopped in the wrong order (CONTRACT 2)."""
NOT_KNOWN = Message(
    "BSHO6232-W",
    "{path}:{line}: what {command} is told by {word} is not known here; see for yourself that {form} is there",
)
"""An argument is known only when the script runs."""
NOT_FOLLOWED = Message(
    "BSHO6233-W",
    "{path}:{line}: this is nested too deeply, or branches too often, to be followed further; read on from here"
    " yourself",
)
"""The script is not followed to its end, so what comes later may hide more."""
NOT_UNDERSTOOD = Message(
    "BSHO6231-W", "{path}:{line}: this is not understood as shell and may hide more; read on from here yourself"
)
"""The shell's grammar does not cover this place."""
