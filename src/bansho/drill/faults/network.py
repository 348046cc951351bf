"""Faults of the network."""

from bansho.drill.faults.fault import Expected, Fault, Scene
from bansho.drill.stage import run


class AddressRemoved(Fault):
    """Somebody removes the logical address from the active node's card."""

    name, what = "address-removed", "logical address removed by hand"
    expected: Expected = "stays"
    touches = frozenset({"address"})
    may_fence = False

    def strike(self, scene: Scene) -> None:
        """Deletes it."""
        remove = ["ip", "address", "delete", scene.stage.lab.logical_address, "dev", "eth0"]
        run(scene.victim, "remove the address", remove)


class StandbyCut(Fault):
    """A standby's cable is cut: the others fence it and go on."""

    name, what = "standby-cable-cut", "network cable of a standby cut"
    undone = "plugged again"
    expected: Expected = "stays"
    hold = 10.0
    least_nodes = 3

    def strike(self, scene: Scene) -> None:
        """Cuts one of them off."""
        scene.random.choice(scene.standbys).cable("cut")


class Cut(Fault):
    """The active node's cable is cut. Of two nodes either may fence the other; of three the one cut off loses."""

    name, what = "cable-cut", "network cable of the active node cut"
    undone = "plugged again"
    expected: Expected = "moves"
    least_nodes = 3

    def strike(self, scene: Scene) -> None:
        """Cuts it."""
        scene.victim.cable("cut")


class CutOfTwo(Fault):
    """A cable cut where either node may win: the fencing race decides, and nobody else may be active."""

    name, what = "cable-cut-race", "network cable of the active node cut, plugged before the race is over"
    undone = "plugged again"
    heals = False
    hold = 3.5

    def strike(self, scene: Scene) -> None:
        """Cuts it."""
        scene.victim.cable("cut")


class CutDuringTakeover(Fault):
    """Power loss of the active node; its successor is cut off in the moment in which it has mounted the disk."""

    name, what = "cut-during-takeover", "power loss, and the successor's cable cut as soon as it has the disk"
    undone = "plugged again"
    least_nodes = 3

    def strike(self, scene: Scene) -> None:
        """Cuts the power, waits for the successor, cuts its cable."""
        others = [node.name for node in scene.standbys]
        scene.victim.power("loss")
        scene.stage.lab.node(scene.watch.wait_for("disk", among=others)).cable("cut")


FAULTS: list[Fault] = [AddressRemoved(), StandbyCut(), CutOfTwo(), Cut(), CutDuringTakeover()]
