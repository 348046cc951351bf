"""What can be wrong with the IM database."""

from bansho.contract.messages import BanshoError


class ProgramsAbsent(BanshoError):
    """Raised when PostgreSQL's server programs are nowhere."""

    id = "BSHO3001-E"
    text = (
        "logical host {name}: PostgreSQL's server programs were not found (looked in {places}); install PostgreSQL,"
        " name its folder in the definition as database.bindir, or install bansho[embedded-db]"
    )


class NotSetUp(BanshoError):
    """Raised when there is no database in the shared directory."""

    id = "BSHO3002-E"
    text = "logical host {name}: {path} holds no database; set it up once with: bansho setup {name}"


class VersionMismatch(BanshoError):
    """Raised when the database was made by another major version of PostgreSQL."""

    id = "BSHO3003-E"
    text = (
        "logical host {name}: database {path} is of PostgreSQL version {data}, the programs in {bindir} are version"
        " {programs}; name the folder of version {data} in the definition as database.bindir, or upgrade the database"
    )


class DirectoryInUse(BanshoError):
    """Raised when processes of an earlier postmaster still work on the data directory."""

    id = "BSHO3004-E"
    text = (
        "logical host {name}: database {path} is in use by process {pids} of an earlier start;"
        " end it with: jco_killall.cluster {name}"
    )


class WrongOwner(BanshoError):
    """Raised when the data directory belongs to another user than the one that is to run PostgreSQL."""

    id = "BSHO3005-E"
    text = (
        "logical host {name}: database {path} belongs to user id {owner}, PostgreSQL is to run as {user} ({uid});"
        " give `user` in the definition the same user id on every node"
    )


class UnknownUser(BanshoError):
    """Raised when the user that is to run PostgreSQL does not exist on this node, or is root."""

    id = "BSHO3006-E"
    text = (
        "logical host {name}: PostgreSQL cannot run as user {user!r}: expected a user of this node other than root;"
        " create one and name it in the definition as `user`"
    )


class PostmasterEnded(BanshoError):
    """Raised when the postmaster ended without being asked to.

    Action: read the lines above it in the database's log; then start the suite again, or fail over.
    """

    id = "BSHO3007-E"
    text = "logical host {name}: the postmaster ended ({how}) while {phase}; the lines above say why"


class ProgramFailed(BanshoError):
    """Raised when one of PostgreSQL's programs fails.

    Action: remove the reason that it names, then repeat what was asked for.
    """

    id = "BSHO3008-E"
    text = "logical host {name}: {program} failed: {reason}"


class MigrationChanged(BanshoError):
    """Raised when a migration that was applied is no longer what it was."""

    id = "BSHO3009-E"
    text = (
        "migration {number} ({migration}): it was applied with other content; install the bansho that applied it,"
        " and make a change to the schema a new migration"
    )


class SchemaNewer(BanshoError):
    """Raised when the database has migrations that these programs do not know."""

    id = "BSHO3010-E"
    text = (
        "the database's schema is at migration {database}, this bansho knows up to {known};"
        " install the newer bansho on this node too"
    )


class ControllerRuns(BanshoError):
    """Raised when another controller of the same database lives on this node."""

    id = "BSHO3011-E"
    text = "logical host {name}: process {pid} controls this database already; stop the suite first"


class DirectoryOccupied(BanshoError):
    """Raised when there is something else where the database is to be made."""

    id = "BSHO3012-E"
    text = "logical host {name}: {path} is not empty and holds no database; move away what is there ({found})"


class NotObservable(BanshoError):
    """Raised when the database's state cannot be found out.

    Action: look at the file's rights and at the disk; the cluster asks again by itself.
    """

    id = "BSHO3013-E"
    text = "{what}: cannot be read ({reason})"


class SocketFolderAbsent(BanshoError):
    """Raised when the folder for PostgreSQL's socket cannot be made, or is another user's."""

    id = "BSHO3014-E"
    text = (
        "logical host {name}: folder {path} for PostgreSQL's socket cannot be used ({reason});"
        " make it, owned by {user} with mode 0700"
    )
