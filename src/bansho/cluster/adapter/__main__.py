"""`python -m bansho.cluster.adapter PRODUCT NAME ACTION [SUITE]`: what a rendered script hands over to."""

import sys
from collections.abc import Callable, Mapping

from bansho.cluster.adapter import orders, role
from bansho.cluster.adapter.errors import WrongCall
from bansho.cluster.adapter.host import Host, load
from bansho.cluster.conventions import CONVENTIONS, Finding
from bansho.contract.messages import BanshoError

ACTIONS: Mapping[str, Callable[[Host], Finding]] = {
    "start": orders.start,
    "stop": orders.stop,
    "monitor": orders.monitor,
    "kill": orders.kill,
    "validate": orders.validate,
    "watch": orders.watch,
    "run": orders.run,
    "role": role.settle,
    "track": role.track,
}
ASKING = frozenset({"monitor", "watch", "track"})
"""The actions that find something out; the others bring something about."""


def main(arguments: list[str]) -> int:
    """Does the action and returns the product's value for what it has come to."""
    product, name, *call = arguments
    return CONVENTIONS[product][finding(product, name, call)]


def finding(product: str, name: str, call: list[str]) -> Finding:
    """What the call has come to; why it could not be done goes to stderr."""
    try:
        if not 1 <= len(call) <= 2 or call[0] not in ACTIONS:
            raise WrongCall(call=" ".join(call), actions=", ".join(ACTIONS))
        return ACTIONS[call[0]](load(product, name, *call[1:]))
    except BanshoError as error:
        orders.report(error)
        return Finding.CANNOT_TELL if call[:1] and call[0] in ASKING else Finding.NOT_DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
