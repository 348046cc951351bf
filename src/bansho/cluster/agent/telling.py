"""What the agent leaves running beside it: the other nodes and the console are told how the cluster sees things here.

Neither holds an action up, and neither can make one fail.
"""

import subprocess
import sys
from fcntl import LOCK_NB, LOCK_SH, flock

from bansho.logicalhost.places import NodePlaces


def tell_the_others(host: str) -> None:
    """Tells the other nodes how this one is furnished, for `bansho cluster diff`."""
    _leave("bansho.cluster.pacemaker.attribute", host)


def tell_the_console(host: str) -> None:
    """Has the console told how the cluster sees `host`, unless somebody does so already."""
    try:
        with NodePlaces.of(host).cluster_lock.open() as lock:
            flock(lock, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return
    except OSError:
        pass  # nobody ever did: there is no file yet
    _leave("bansho.cluster.pacemaker.telling", host)


def _leave(module: str, host: str) -> None:
    subprocess.Popen(
        [sys.executable, "-I", "-m", module, host],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
