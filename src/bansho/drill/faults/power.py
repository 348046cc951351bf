"""Faults of a node's power, and a node that hangs."""

from bansho.drill.faults.fault import Expected, Fault, Fenced, Scene


class PowerLoss(Fault):
    """The active node loses power, and what it had not synced to the shared disk."""

    name, what = "power-loss", "power loss of the active node, unsynced data really lost"
    undone = "by fencing, which boots it; or switched on"
    expected: Expected = "moves"

    def strike(self, scene: Scene) -> None:
        """Cuts the power."""
        scene.victim.power("loss")


class PowerOff(Fault):
    """The active node is switched off; what it had written reaches the disk."""

    name, what = "power-off", "the active node switched off"
    undone = "by fencing, which boots it; or switched on"
    expected: Expected = "moves"

    def strike(self, scene: Scene) -> None:
        """Switches it off."""
        scene.victim.power("off")


class Freeze(Fault):
    """Every process of the active node stops: it lives, holds disk and address, and answers nothing."""

    name, what = "node-freeze", "every process of the active node stopped"
    undone = "by fencing"
    expected: Expected = "moves"

    def strike(self, scene: Scene) -> None:
        """Freezes it."""
        scene.victim.power("freeze")


class Reset(Fault):
    """The active node is reset and boots at once."""

    name, what = "power-reset", "the active node reset"
    expected: Expected = "moves"

    def strike(self, scene: Scene) -> None:
        """Resets it."""
        scene.victim.power("reboot")


class StandbyLoss(Fault):
    """A standby loses power: the logical host must not notice."""

    name, what = "standby-power-loss", "power loss of a standby"
    undone = "by fencing, which boots it; or switched on"
    expected: Expected = "stays"
    hold = 10.0
    of_standby = True
    fences: Fenced = "struck"
    harmless = True

    def strike(self, scene: Scene) -> None:
        """Cuts the power of one of them."""
        node = scene.random.choice(scene.standbys)
        self.struck = node.name
        node.power("loss")


FAULTS: list[Fault] = [StandbyLoss(), Reset(), PowerOff(), PowerLoss(), Freeze()]
