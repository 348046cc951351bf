"""Faults of the network."""

from bansho.drill.faults.fault import Expected, Fault, Fenced, Scene
from bansho.drill.stage import run


class AddressRemoved(Fault):
    """Somebody removes the logical address from the active node's card."""

    name, what = "address-removed", "logical address removed by hand"
    expected: Expected = "stays"
    touches = frozenset({"address"})
    may_fence = False
    shows = True

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
    of_standby = True
    fences: Fenced = "struck"
    harmless = True
    least_nodes = 3

    def strike(self, scene: Scene) -> None:
        """Cuts one of them off."""
        node = scene.random.choice(scene.standbys)
        self.struck = node.name
        node.cable("cut")


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
    fences: Fenced = "any"
    heals = False
    hold = 3.5

    def strike(self, scene: Scene) -> None:
        """Cuts it."""
        scene.victim.cable("cut")


class CutDuringTakeover(Fault):
    """Power loss of the active node; its successor is cut off in the moment in which it has mounted the disk."""

    name, what = "cut-during-takeover", "power loss, and the successor's cable cut as soon as it has the disk"
    undone = "plugged again"
    fences: Fenced = "any"
    least_nodes = 3

    def strike(self, scene: Scene) -> None:
        """Cuts the power, waits for the successor, cuts its cable."""
        others = [node.name for node in scene.standbys]
        scene.victim.power("loss")
        scene.stage.lab.node(scene.watch.wait_for("disk", among=others)).cable("cut")


class OneWayCut(Fault):
    """The active node's cable works in one direction alone: Corosync's links need both, so the others fence it."""

    undone = "plugged again"
    expected: Expected = "moves"
    least_nodes = 3

    def __init__(self, name: str, action: str, what: str) -> None:
        self.name, self.action, self.what = name, action, what

    def strike(self, scene: Scene) -> None:
        """Cuts the one direction."""
        scene.victim.cable(self.action)


class BadCable(Fault):
    """Packets to the active node are lost or late; whether that is too much is the cluster's to say."""

    undone = "plugged again"
    fences: Fenced = "any"
    heals = False
    hold = 15.0

    def __init__(self, name: str, action: str, what: str) -> None:
        self.name, self.action, self.what = name, action, what

    def strike(self, scene: Scene) -> None:
        """Spoils the cable."""
        scene.victim.cable(self.action)

    def undo(self, scene: Scene) -> None:
        """Gives a good one."""
        scene.victim.cable("plug")


class FencingCut(Fault):
    """The active node cannot be fenced and cannot fence: nothing else is wrong, so nothing may come of it."""

    name, what = "fencing-cut", "the active node cut off the management network, by which nodes are fenced"
    undone = "plugged again"
    expected: Expected = "stays"
    may_fence = False
    harmless = True
    heals = False
    hold = 10.0
    unfenceable = True

    def strike(self, scene: Scene) -> None:
        """Cuts the way to its management board."""
        scene.victim.management("cut")

    def undo(self, scene: Scene) -> None:
        """Plugs it again."""
        scene.victim.management("plug")


class CutFromAll(Fault):
    """Network and fencing path are cut at once: nobody knows whether the active node still owns the disk."""

    name, what = "cable-and-fencing-cut", "network cable and fencing path of the active node cut at once"
    undone = "plugged again"
    fences: Fenced = "any"
    heals = False
    hold = 25.0
    unfenceable = True

    def strike(self, scene: Scene) -> None:
        """The fencing path first: what follows of the cable must not find it open."""
        scene.victim.management("cut")
        scene.victim.cable("cut")

    def undo(self, scene: Scene) -> None:
        """Plugs both again."""
        scene.victim.management("plug")
        scene.victim.cable("plug")


class AddressTaken(Fault):
    """A foreign host takes the logical address: senders may reach it instead, and nothing is wrong on the node."""

    name, what = "address-taken", "the logical address taken by a host outside the cluster"
    undone = "given back"
    expected: Expected = "stays"
    may_fence = False
    harmless = True
    heals = False
    hold = 10.0

    def strike(self, scene: Scene) -> None:
        """Gives it to the host outside, which tells the others."""
        run(scene.stage.lab.outside, "take the address", ["ip", "address", "add", *self._where(scene)])
        address = scene.stage.address
        scene.stage.lab.outside.run(["ping", "-c", "1", "-W", "1", "-I", address, scene.stage.lab.address("n1")])

    def undo(self, scene: Scene) -> None:
        """Gives it back."""
        run(scene.stage.lab.outside, "give the address back", ["ip", "address", "delete", *self._where(scene)])

    @staticmethod
    def _where(scene: Scene) -> list[str]:
        return [scene.stage.lab.logical_address, "dev", "eth0"]


FAULTS: list[Fault] = [
    AddressRemoved(),
    AddressTaken(),
    FencingCut(),
    BadCable("cable-lossy", "lose", "every second packet to the active node lost, by lot"),
    BadCable("cable-narrow", "narrow", "200 kbit/s to the active node, packets up to 0.4 s late"),
    StandbyCut(),
    CutOfTwo(),
    CutFromAll(),
    OneWayCut("cable-deaf", "deafen", "the active node hears nobody, and is heard"),
    OneWayCut("cable-mute", "mute", "the active node is heard by nobody, and hears"),
    Cut(),
    CutDuringTakeover(),
]
