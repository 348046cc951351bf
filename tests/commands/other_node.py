"""Holds a logical host's lease as another node would, until its standard input ends: `other_node.py HOST`."""

import sys

from bansho.logicalhost import definition, lease
from bansho.logicalhost.node import Identity

vars(lease)["identity"] = lambda: Identity("elsewhere", "another boot")
host = definition.load(sys.argv[1])
keeper = lease.Keeper(host, lease.acquire(host), lambda state: None)
keeper.start()
print("held", flush=True)
sys.stdin.read()
keeper.stop()
lease.release(host, "base")
