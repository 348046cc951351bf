"""The genuine product's shape: stand-ins that keep its contract, driven by what each product calls, in its own words.

The commands are read out of the rendered files, so what is run is what the product would run.
"""

import os
import re
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.cluster.products.test_scripts import TOLD
from tests.commands.suites import eventually

from bansho.cluster.install import OUR_COMMANDS, install
from bansho.cluster.model import Kind, model
from bansho.cluster.products import PRODUCTS
from bansho.contract.suites import COMMANDS
from bansho.logicalhost import definition

if TYPE_CHECKING:
    from tests.cluster.products.conftest import Rendering, Site

# Returns by its time limit with the start under way (3.1): 12 until the suite runs, and nothing says which it was.
SLOW_START = """\
values=$state/{suite}.values
echo 12 >"$values"
(
  sleep 0.3
  setsid sleep 1000000 9>"$(cat "$state/directory")/log/held-by-{suite}" &
  echo $! >"$state/{suite}.pid"
  rm "$values"
) >/dev/null 2>&1 </dev/null &
exit 0
"""
# Returns 0 too with the stopping under way; only forced termination ends it.
TIMED_OUT_STOP = 'echo 12 >"$state/{suite}.values"\nexit 0\n'
FORCED = 'rm -f "$state/{suite}.values"\n'
LYING_START = "exit 0\n"
# 4 of the IM database asks for a retry, as 12 does of a suite; 12 of the IM database would be a failure.
DATABASE_TWICE_UNDER_WAY = 'echo x >>"$state/database"\n[ "$(wc -l <"$state/database")" -gt 2 ] && exit 0\nexit 4\n'


class Driver(ABC):
    """A product: how it calls what was rendered for it, and how it reads the answer."""

    def __init__(self, site: "Rendering", product: str) -> None:
        self.site, self.product = site, product

    @abstractmethod
    def start(self) -> bool:
        """Starts the logical host; whether the product believes that it runs."""

    @abstractmethod
    def stop(self) -> bool:
        """Stops it; whether the product believes that nothing of it is left."""

    @abstractmethod
    def healthy(self) -> bool:
        """Monitors it."""

    def end(self) -> None:  # noqa: B027 - most keep nothing
        """Ends what the product itself keeps running."""


class Calls(NamedTuple):
    """Where in a product's file its commands stand; a pattern matches once, or once for each suite registered."""

    file: str
    start: str
    stop: str
    monitor: str


FILES = {
    "posix": Calls("control", r"\A", r"\A", r"\A"),  # it has no file of settings: README
    "keepalived": Calls("keepalived.conf", r'notify_master "(.+)"', r'notify_stop "(.+)"', r'script "(.+)"'),
    "vcs": Calls("main.cf", r'StartProgram = "(.+)"', r'StopProgram = "(.+)"', r'MonitorProgram = "(.+)"'),
    "hamonitor": Calls("servers", r"actcommand +(\S+)", r"termcommand +(\S+)", r"ptrlcmd_ex +(\S+)"),
    "serviceguard": Calls("package.conf", r"external_script +(\S+)", r"external_script +(\S+)", r'service_cmd +"(.+)"'),
    "powerha": Calls("smit.txt", r"Start Script +(\S+)", r"Stop Script +(\S+)", r"Monitor Method +(\S+)"),
    "solaris": Calls("register.sh", r'Start_command="(.+)"', r'Stop_command="(.+)"', r'Probe_command="(.+)"'),
    "systemd": Calls("bansho-watch.service", r"ExecStart=(.+)", r"ExecStopPost=(.+)", r"ExecStart=(.+)"),
}
CLEANS = {"vcs": r'CleanProgram = "(.+)"', "powerha": r"Cleanup Method +(\S+)"}
"""What a product calls after a failure, in the same file, where that is not its stop."""
ADDED = {"posix": ("start", "stop", "monitor"), "serviceguard": ("start", "stop", "")}
"""What the product itself adds to a command: by our README, and by the external script's interface."""


class Commands(Driver):
    """A product that runs commands and reads their values."""

    def __init__(self, site: "Rendering", product: str) -> None:
        super().__init__(site, product)
        folder, calls = site.render(product), FILES[product]
        text = (folder / calls.file).read_text()
        found = [re.findall(pattern, text) or [""] for pattern in calls[1:]]
        if product == "posix":
            found = [[str(folder / "control")]] * 3
        added = ADDED.get(product, ("",) * 3)
        self.starts, self.stops, self.monitors = (
            [f"{each} {word}".split() for each in commands] for commands, word in zip(found, added, strict=True)
        )
        cleans = re.findall(CLEANS[product], text) if product in CLEANS else []
        self.cleans = [each.split() for each in cleans] or self.stops

    def start(self) -> bool:
        return all(value(each) == TOLD[self.product][0] for each in self.starts)

    def stop(self) -> bool:
        return {value(each) for each in self.stops[::-1]} == {TOLD[self.product][0]}

    def healthy(self) -> bool:
        return all(value(each) == TOLD[self.product][2] for each in self.monitors)

    def restart(self) -> None:
        """Each thing that is registered and has failed is restarted by itself, as the products do."""
        for start, clean, monitor in zip(self.starts, self.cleans, self.monitors, strict=True):
            if value(monitor) != TOLD[self.product][2]:
                value(clean)
                value(start)


class Keepalived(Commands):
    """A product that moves the address first and then runs its script, whatever the change."""

    def start(self) -> bool:
        self.site.address(is_here=True)
        return value(self.starts[0], self.site.environment) == 0

    def stop(self) -> bool:
        self.site.address(is_here=False)
        return value(self.stops[0], self.site.environment) == 0


class Watch(Commands):
    """A product that takes the end of a process for the failure."""

    watch: subprocess.Popen[bytes] | None = None

    def __init__(self, site: "Site", product: str) -> None:
        super().__init__(site, product)
        self.calls = site.calls

    def healthy(self) -> bool:
        self.watch = self.watch or subprocess.Popen(self.monitors[0], stderr=subprocess.DEVNULL)
        asked = len(self.calls())
        eventually(lambda: self.watch is None or self.watch.poll() is not None or len(self.calls()) > asked + 10)
        return self.watch.poll() is None

    def stop(self) -> bool:
        self.end()
        return super().stop()

    def end(self) -> None:
        if self.watch:
            self.watch.terminate()
            self.watch.wait()


class Systemd(Watch):
    """Its process starts, says that all runs, and is the watch from then on."""

    def start(self) -> bool:
        path = self.site.house.root / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            path.unlink(missing_ok=True)
            told.bind(str(path))
            told.settimeout(0.05)
            environment = {**os.environ, "NOTIFY_SOCKET": str(path)}
            self.watch = subprocess.Popen(self.starts[0], env=environment, stderr=subprocess.DEVNULL)
            while self.watch.poll() is None:
                try:
                    return told.recv(100) == b"READY=1"
                except TimeoutError:
                    continue
        return False


class Pacemaker(Driver):
    """The resource agent, called for each suite with the parameters that the model gives it."""

    def __init__(self, site: "Rendering", product: str) -> None:
        super().__init__(site, product)
        self.agent = install(site.house.root, OUR_COMMANDS)
        resources = model(definition.load("watch")).resources
        self.suites = [each.parameters for each in resources if each.kind is Kind.SUITE]

    def _call(self, action: str, parameters: dict[str, str]) -> bool:
        environment = {f"OCF_RESKEY_{name}": text for name, text in parameters.items()}
        environment |= {"OCF_RESKEY_CRM_meta_timeout": "60000", "OCF_RESKEY_CRM_meta_interval": "1000"}
        return value([str(self.agent), action], environment) == 0

    def start(self) -> bool:
        return all(self._call("start", dict(each)) for each in self.suites)

    def stop(self) -> bool:
        return {self._call("stop", dict(each)) for each in self.suites[::-1]} == {True}

    def healthy(self) -> bool:
        return all(self._call("monitor", dict(each)) for each in self.suites)


DRIVERS: dict[str, type[Driver]] = {
    **dict.fromkeys(FILES, Commands),
    "keepalived": Keepalived,
    "serviceguard": Watch,
    "systemd": Systemd,
    "pacemaker": Pacemaker,
}


def value(command: list[str], environment: dict[str, str] | None = None) -> int:
    """What a product is told by a command."""
    done = subprocess.run(
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode


@pytest.fixture(params=DRIVERS)
def driver(site: "Site", request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Each product in turn."""
    if request.param == "keepalived":
        site.define(disk="")  # it would mount the disk itself
    driver = DRIVERS[request.param](site, request.param)
    yield driver
    driver.end()


def test_every_product_is_here() -> None:
    assert set(DRIVERS) == {*PRODUCTS, "pacemaker"}


def test_slow_timed_out_and_retriable_commands(site: "Site", driver: Driver) -> None:
    for suite, names in COMMANDS.items():
        site.do(names.start, SLOW_START.format(suite=suite))
        site.do(names.stop, TIMED_OUT_STOP.format(suite=suite))
        site.do(names.killall, FORCED.format(suite=suite))
    assert driver.start(), "it was under way, and then it ran"
    starts = [each.start for each in COMMANDS.values()]
    assert site.orders() == starts
    assert runs(site) == list(COMMANDS)

    for suite in COMMANDS:
        site.answer(12, 12, 0, suite=suite)
    site.do("jimdbstatus", DATABASE_TWICE_UNDER_WAY)
    assert driver.healthy(), "each asked to be asked again, no oftener than is specified"
    assert site.orders() == starts, "nothing was done about it"

    assert driver.stop(), "it was under way for ever, and forced termination ended it"
    ends = [name for each in reversed(COMMANDS.values()) for name in (each.stop, each.killall)]
    assert site.orders() == starts + ends
    assert runs(site) == []


def test_a_start_that_lies(site: "Site", driver: Driver) -> None:
    site.do("jbs_start.cluster", LYING_START)
    assert not driver.start()
    assert [each for each in site.orders() if "start" in each] == ["jbs_start.cluster"], "Manager needs Base"
    assert driver.stop(), "what was never there is gone"


@pytest.mark.parametrize("end", ["echo pid 4711 survived >&2; exit 1", "kill -9 $$"])
def test_a_stop_without_the_disk_is_no_stop_while_forced_termination_fails(
    site: "Site", driver: Driver, end: str
) -> None:
    assert driver.start()
    site.shared.rename(site.shared.with_name("elsewhere"))
    site.do("jbs_killall.cluster", end)
    assert not driver.stop(), "it lives on, and monitoring could not tell"
    assert runs(site) == ["base"]
    (site.state / "jbs_killall.cluster.do").unlink()
    assert driver.stop()
    assert runs(site) == []


@pytest.mark.parametrize("product", ["vcs", "solaris", "powerha", "hamonitor"])
def test_base_is_not_restarted_under_a_running_manager(site: "Site", product: str) -> None:
    """In the products that restart what they have registered, before they fail over."""
    driver = Commands(site, product)
    assert driver.start()
    site.kill("base")
    before = len(site.orders())
    driver.restart()
    after = site.orders()[before:]
    assert after.index("jco_killall.cluster") < after.index("jbs_start.cluster") < after.index("jco_start.cluster")
    assert driver.healthy()


def runs(site: "Site") -> list[str]:
    """The suites whose process lives."""
    pids = {suite: site.state / f"{suite}.pid" for suite in COMMANDS}
    return [suite for suite, path in pids.items() if path.exists() and Path("/proc", path.read_text().strip()).exists()]
