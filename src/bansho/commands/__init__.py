"""The contract's commands (CONTRACT 3): for each one sh file in `sh/` and one module here.

How a command is made:

- `sh/NAME` is installed as it is into `bin/`, beside `python3`. It finds that interpreter through symbolic links too,
  and hands over; what it fixes (the suite) stands before the user's arguments:

      #!/bin/sh
      # One line: what the command does, and the section of CONTRACT.md.
      bin=${0%/*}
      if [ -L "$0" ] || [ "$bin" = "$0" ]; then bin=$(readlink -f -- "$0") && bin=${bin%/*}; fi
      exec "$bin/python3" -I -c 'from bansho.commands import run; run("start")' base "$@"

- `main()` reads `sys.argv[1:]`, and ends the process with the contract's value through `report.Report`, whose
  lines may get lost (a stream that is closed or full) and whose value never does.
- Arguments are read by `arguments.parse`: a mistake is one line on stderr and the command's own value for an argument
  error; `--help` teaches and ends with 0.
- Messages go to stderr with their id, what a person reads to stdout; `--json` gives the same as one JSON object.
- Imports are late and few: a status must not pay for asyncio.

`jco_spmd_status`, `jbs_spmd_status` and `jimdbstatus` have a front in sh that answers alone while a record is fresh.
After a change in `sh/`, `scripts/setup run` installs it.
"""

import sys

UNUSED = "typing_extensions"
"""msgspec imports it where there is one, and need not have it: a fifth of its time."""


def run(name: str) -> None:
    """Runs the command of the module `name`, and ends the process with its value.

    At once: the interpreter's own end, which frees what is about to be freed anyway, takes 9 ms.
    """
    sys.modules[UNUSED] = None  # type: ignore[assignment] # "there is no such module"
    module = f"{__name__}.{name}"
    __import__(module)
    try:
        sys.modules[module].main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        _end(end.code)


def _end(value: int) -> None:
    import os  # here: a bare interpreter, which answers a status, has not loaded it

    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:
                stream.flush()
        except OSError:  # a stream that cannot be written changes no value
            continue
    os._exit(value)
