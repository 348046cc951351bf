"""Real cluster nodes made of namespaces on one machine: network, power, shared disk.

from bansho.lab import Lab, missing

if not missing():
    with Lab.up() as lab:
        lab.node("n1").run(["crm_mon", "-1"])
"""

from bansho.lab.lab import Lab
from bansho.lab.node import Node
from bansho.lab.requirements import missing

__all__ = ["Lab", "Node", "missing"]
