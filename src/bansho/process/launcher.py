"""The step between the process manager and a service's program; runs as a script, standard library only.

    python -I -S launcher.py CGROUP LOG USER NICE PROGRAM [ARGUMENT...]

It joins the service's control group (or "": none), opens the log on the shared disk (if that hangs, only this service
hangs, and its start limit passes), becomes USER (or "": stays as it is), and turns into the program. Its environment is
the service's already. What it cannot do it reports as STATUS, and ends with 126.
"""

import _signal  # type: ignore[import-not-found] # `signal` wraps it into enums: as long to import as the interpreter
import os
import pwd
import sys

CANNOT_LAUNCH = 126


def launch(group: str, log: str, user: str, nice: str, *command: str) -> None:
    """Becomes the service's program. Raises OSError or KeyError."""
    if group:
        with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:  # noqa: PTH123 - this is no place for imports
            file.write("0")
    os.setsid()
    _open_log(log)
    os.setpriority(os.PRIO_PROCESS, 0, int(nice))
    if user:
        _become(user)
    os.umask(0o027)
    os.chdir("/")
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # the interpreter ignores them, and that would be inherited
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    os.execvp(command[0], command)  # noqa: S606 - the command is a list


def _open_log(path: str) -> None:
    """Standard output and error; never through a link that the service's user may have put there."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o640)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def report(problem: str) -> None:
    """Tells the process manager why the program was not launched."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(f"STATUS=cannot be launched: {problem}".encode(), os.environ["NOTIFY_SOCKET"])


def main(arguments: list[str]) -> None:
    """Launches, or reports why not and ends."""
    try:
        launch(*arguments)
    except KeyError:
        report(f"unknown user {arguments[2]}")
    except OSError as error:
        report(f"{error.strerror}: {error.filename or arguments[4]}")
    sys.exit(CANNOT_LAUNCH)


if __name__ == "__main__":
    main(sys.argv[1:])
