"""The console in a real browser: live, through the death of its server, and without a script."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright
from tests.manager.teller import BANNED, FAILED, Teller, node, resource, told
from tests.manager.test_console_host import SERVICES, write_record
from tests.manager.wire import Wire

from bansho.contract import operation
from bansho.logicalhost import history
from bansho.manager import accounts, rendering

BROWSER = os.environ.get("BANSHO_BROWSER") or shutil.which("chromium") or "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
pytestmark = pytest.mark.browser
expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert (rendering.STATIC / "vendor" / "htmx.min.js").exists(), "expected htmx: run scripts/setup"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def context(site: Any, browser: Browser) -> Iterator[BrowserContext]:
    """A browser that is logged in."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        log_in(site, context)
        yield context


def log_in(site: Any, context: BrowserContext, name: str = "viewer") -> None:
    [(cookie, value)] = site.cookie(name).items()
    context.add_cookies([{"name": cookie, "value": value, "url": site.url}])


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test when a script fails, a policy is broken or a dialog opens."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    yield page
    assert wrong == []


def live(site: Any, page: Page, url: str = "") -> None:
    """Opens the list and waits until it is live; a mark on the window shows later that it was not loaded again."""
    page.goto(f"{url or site.url}/")
    expect(page.locator("#pulse[data-state=live]")).to_be_visible()
    page.evaluate("window.mark = 'the same page'")


def serials(page: Page) -> list[int]:
    found: list[str] = page.eval_on_selector_all("#rows tr", "rows => rows.map(row => row.dataset.serial)")
    return [int(each) for each in found]


def is_the_same_page(page: Page) -> bool:
    return bool(page.evaluate("window.mark === 'the same page'"))


def test_a_new_event_appears_without_loading_the_page_again(console: Any, page: Page) -> None:
    live(console, page)
    expect(page.locator(".empty")).to_contain_text("No event has arrived yet")
    console.arrive({"message": "the disk is full", "severity": "Emergency"})
    expect(page.locator("#rows tr")).to_contain_text("the disk is full")
    expect(page.locator("#rows .severity")).to_have_text("Emergency")
    expect(page.locator(".empty")).to_be_hidden()
    console.arrive({}, {})
    expect(page.locator("#rows tr")).to_have_count(3)
    assert serials(page) == [3, 2, 1]
    assert is_the_same_page(page)


def test_it_is_live_however_slowly_its_scripts_come(console: Any, page: Page) -> None:
    held: list[Route] = []
    page.route("**/hx-sse.min.js*", lambda route: held.append(route))
    with page.expect_request("**/hx-sse.min.js*"), page.expect_response("**/htmx.min.js*"):
        page.goto(console.url + "/", wait_until="commit")
    page.evaluate("new Promise(done => setTimeout(done, 300))")  # htmx had time to begin without its extension
    held[0].continue_()
    expect(page.locator("#pulse[data-state=live]")).to_be_visible()


def test_a_severity_is_a_shape_and_a_word(console: Any, page: Page) -> None:
    console.arrive({"severity": "Alert"}, {"severity": "Error"}, {"severity": None})
    live(console, page)
    shapes = page.eval_on_selector_all("#rows .severity use", "uses => uses.map(use => use.getBBox().width > 0)")
    assert shapes == [True, True, True]
    names = page.eval_on_selector_all("#rows .severity use", "uses => uses.map(use => use.getAttribute('href'))")
    assert len(set(names)) == 3


def test_a_filter_works_at_once_and_holds_for_what_arrives(console: Any, page: Page) -> None:
    console.arrive({"severity": "Error", "message": "one"}, {"severity": "Alert"}, {"severity": None, "message": "two"})
    live(console, page)
    page.locator(".choice", has_text="Error").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    page.locator(".choice", has_text="No severity").click()
    expect(page.locator("#rows tr")).to_have_count(2)
    page.locator("#text").fill("two")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#pulse[data-state=live]")).to_be_visible()
    assert re.search(r"\?severity=Error&severity=none&(source=&)?text=two$", page.url)
    console.arrive({"severity": "Error", "message": "three"}, {"severity": "Error", "message": "TWO again"})
    expect(page.locator("#rows tr")).to_have_count(2)
    assert serials(page) == [5, 3]
    assert is_the_same_page(page)
    assert page.locator("#text").evaluate("input => input === document.activeElement")


def test_the_list_stays_short_and_the_older_ones_follow_without_a_gap(console: Any, page: Page) -> None:
    console.arrive(*({} for _ in range(120)))
    live(console, page)
    console.arrive(*({} for _ in range(30)))
    expect(page.locator("#e150")).to_be_visible()
    assert serials(page) == list(range(150, 50, -1))
    page.locator("#older").click()
    expect(page.locator("#e50")).to_be_visible()
    assert serials(page) == list(range(50, 0, -1))
    console.arrive({})
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("#e151")).to_be_visible()


def test_the_older_ones_are_offered_once_there_are_some(console: Any, page: Page) -> None:
    console.arrive({})
    live(console, page)
    expect(page.locator("#older")).to_be_hidden()
    console.arrive(*({} for _ in range(100)))
    expect(page.locator("#older")).to_be_visible()
    page.locator("#older").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    assert serials(page) == [1]


def test_a_paused_list_stands_still(console: Any, page: Page) -> None:
    console.arrive({})
    live(console, page)
    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_text("paused")).to_be_visible()
    console.arrive({})
    page.get_by_role("link", name="Go on").click()
    expect(page.locator("#rows tr")).to_have_count(2)


def test_it_goes_on_after_the_console_was_killed(site: Any, page: Page) -> None:
    site.clear()
    with site.console() as first:
        site.arrive({}, {})
        live(site, page)
        site.arrive({"message": "before"})
        expect(page.locator("#rows tr")).to_have_count(3)
        first.stop(signal.SIGKILL)
        expect(page.locator("#notice")).to_contain_text("Reconnecting")
        site.arrive({"message": "while nobody served"}, {})
    with site.console():
        expect(page.locator("#rows tr")).to_have_count(5)
        expect(page.locator("#notice")).to_be_hidden()
        expect(page.locator("#pulse")).to_contain_text("live")
        site.arrive({"message": "after"})
        expect(page.locator("#rows tr")).to_have_count(6)
        assert serials(page) == [6, 5, 4, 3, 2, 1]
        assert is_the_same_page(page)


def test_it_notices_a_server_that_died_without_a_word(console: Any, page: Page) -> None:
    with Wire(console.host.ports.console) as wire:
        live(console, page, url=wire.url)
        console.arrive({})
        expect(page.locator("#e1")).to_be_visible()
        wire.cut()  # the browser's connections stay open, and nothing comes any more
        console.arrive({})
        page.locator("#rows").evaluate("rows => rows.dataset.silence = 1500")
        expect(page.locator("#e2")).to_be_visible()
        assert serials(page) == [2, 1]
        assert is_the_same_page(page)


def test_it_says_when_the_database_is_away_and_goes_on(console: Any, page: Page) -> None:
    live(console, page)
    console.stop_database()
    try:
        expect(page.locator("#notice")).to_contain_text("database is away")
        other = page.context.new_page()
        other.goto(console.url + "/")
        expect(other.get_by_role("alert")).to_contain_text("BSHO5108-E")
    finally:
        console.start_database()
    console.arrive({"message": "after"})
    expect(page.locator("#rows tr")).to_contain_text("after")
    expect(page.locator("#notice")).to_be_hidden()
    expect(other.locator("#rows tr")).to_contain_text("after")  # by itself


def test_a_session_that_ended_leads_to_the_log_in(console: Any, browser: Browser) -> None:
    accounts.create(console.host.shared, "leaver", "viewer")
    with browser.new_context() as context:
        log_in(console, context, "leaver")
        page = context.new_page()
        live(console, page)
        accounts.remove(console.host.shared, "leaver")
        console.arrive({})
        expect(page.get_by_label("Password")).to_be_visible()
        assert page.url == console.url + "/login"


def test_the_host_is_kept_up_to_date(console: Any, page: Page) -> None:
    open_host(console, page)
    expect(page.locator("#database")).to_contain_text(re.compile(r"Last serial\s*0"))
    console.arrive({}, {})
    expect(page.locator("#database")).to_contain_text(re.compile(r"Last serial\s*2"))
    assert is_the_same_page(page)


@pytest.fixture
def watched(console: Any) -> Iterator[Teller]:
    """The cluster of the console's logical host, whose suites run, and which n0 has lost in epoch 7."""
    furnish(console)
    with Teller(console.host.node.cluster_socket, told()) as teller:
        yield teller


def furnish(site: Any) -> None:
    for name in ("base", "manager"):
        write_record(site.host.node.suite(name) / "record", operation.ALL_RUNNING, SERVICES[:1])
    history.path(site.host.shared).unlink(missing_ok=True)
    for epoch, at in ((6, 1_790_000_000.0), (7, 1_790_009_000.0)):
        take_over(site, epoch, at)


def take_over(site: Any, epoch: int, at: float) -> None:
    facts = {"epoch": epoch, "previous": "n0", "silent_since": at - 4}
    history.mark(site.host.shared, "lease", at=at, **facts)
    for leg, after in (("node fenced", -1.0), ("base started", 0.5), ("first event", 0.4), ("manager started", 2.0)):
        history.mark(site.host.shared, leg, at=at + after)


def open_host(site: Any, page: Page, url: str = "") -> None:
    page.goto(f"{url or site.url}/host")
    expect(page.locator("#pulse[data-state=live]")).to_be_visible()
    page.evaluate("window.mark = 'the same page'")


def test_the_cluster_is_shown_as_it_changes(console: Any, watched: Teller, page: Page) -> None:
    open_host(console, page)
    headline = page.get_by_role("heading", level=1)
    expect(headline).to_have_text("watch: all is well")
    expect(page.locator(".finding")).to_have_count(0)
    watched.tells(told(maintenance=True))
    expect(headline).to_have_text("watch: in maintenance")
    expect(page.locator(".finding")).to_contain_text("bansho cluster maintenance off watch")
    watched.tells(told(fencing="no device", failures=[FAILED]))
    expect(headline).to_have_text("watch: needs help now")
    expect(page.locator(".finding")).to_have_count(2)
    expect(page.get_by_role("row", name="watch-base")).to_contain_text("2 on n1")
    watched.end()
    expect(page.locator("#cluster .old")).to_contain_text("As it was at")
    expect(headline).to_have_text("watch: needs help now")
    assert is_the_same_page(page)


@pytest.mark.usefixtures("watched")
def test_a_takeover_appears_leg_by_leg(console: Any, page: Page) -> None:
    open_host(console, page)
    expect(page.locator("#takeovers h3")).to_contain_text("epoch 7")
    take_over(console, 8, 1_790_010_000.0)
    expect(page.locator("#takeovers h3")).to_contain_text("epoch 8")
    legs = page.locator(".legs tbody tr")
    expect(legs).to_have_count(5)
    expect(legs.first).to_have_text(re.compile(r"failure detected, node fenced\s*3.00 s\s*3.00 s"))
    bars = page.eval_on_selector_all(
        ".legs tbody rect", "bars => bars.map(bar => [bar.getBoundingClientRect().left, bar.getBBox().width])"
    )
    assert all(width > 0 for _, width in bars)
    assert bars[0][0] < bars[1][0] < bars[-1][0]
    assert is_the_same_page(page)


@pytest.mark.usefixtures("watched")
def test_an_older_takeover_is_reached_by_keyboard_and_stays_chosen(console: Any, page: Page) -> None:
    open_host(console, page)
    page.get_by_role("link", name="show the legs of epoch 6").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#takeovers h3")).to_contain_text("epoch 6")
    expect(page.locator("#pulse[data-state=live]")).to_be_visible()
    link = page.get_by_role("link", name="show the legs of epoch 6")
    link.focus()
    take_over(console, 8, 1_790_010_000.0)
    expect(page.get_by_role("link", name="show the legs of epoch 8")).to_be_visible()
    expect(page.locator("#takeovers h3")).to_contain_text("epoch 6")
    expect(link).to_be_focused()


def test_the_host_page_notices_a_server_that_died_without_a_word(console: Any, watched: Teller, page: Page) -> None:
    with Wire(console.host.ports.console) as wire:
        open_host(console, page, url=wire.url)
        wire.cut()
        watched.tells(told(maintenance=True))
        page.locator("#host").evaluate("place => place.dataset.silence = 1500")
        expect(page.get_by_role("heading", level=1)).to_have_text("watch: in maintenance")
        assert is_the_same_page(page)


def test_what_an_event_says_does_not_run(console: Any, page: Page) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)><a hx-get=/host hx-trigger=load>x</a>"
    live(console, page)
    console.arrive({"message": evil, "source_server": evil[:200], "attributes": {"OBJECT_NAME": evil}})
    expect(page.locator("#rows tr")).to_have_count(1)
    assert page.locator("#rows td.c-message").inner_text() == evil
    page.locator("#rows td.c-message a").click()
    expect(page.get_by_role("heading", name=evil)).to_be_visible()
    assert page.locator("article img, article script, article [hx-get]").count() == 0


def test_it_works_without_a_script(console: Any, browser: Browser) -> None:
    console.arrive(*({"severity": "Error" if number % 2 else "Alert"} for number in range(210)))
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(console.url + "/?severity=Error")
        page.get_by_label("Name").fill("viewer")
        page.get_by_label("Password").fill(console.PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#rows tr")).to_have_count(100)
        page.get_by_role("link", name="Older events").click()
        expect(page.locator("#rows tr")).to_have_count(5)
        page.get_by_role("link", name="Clear").click()
        page.get_by_label("Message contains").fill("event 21")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("#rows tr")).to_have_count(2)
        page.get_by_role("link", name="event 210").click()
        expect(page.get_by_role("row", name="Source server alpha")).to_be_visible()
        page.get_by_role("link", name="Host").click()
        expect(page.locator("#database")).to_contain_text("connected")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_and_everything_is_legible(
    console: Any, browser: Browser, width: int, scheme: Any, tmp_path: Path
) -> None:
    severities = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Information", "Debug", None]
    console.arrive(*({"severity": each, "source_server": "x" * 200, "message": "y" * 900} for each in severities))
    furnish(console)
    nodes = [node("n1"), node("n" * 60, "standby"), node("n2", "unclean")]
    resources = [resource("base", failed=True, reason="x" * 120), resource("m" * 60)]
    state = told(nodes=nodes, resources=resources, failures=[FAILED, BANNED], fencing="none", home="")
    with (
        Teller(console.host.node.cluster_socket, state),
        browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme) as context,
    ):
        log_in(console, context)
        page = context.new_page()
        for path in ("/", "/host", "/events/1", "/nothing"):
            page.goto(console.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.evaluate(CONTRAST) == [], path


CONTRAST = """() => {
  // Texts whose contrast with what is behind them is below 4.5 to 1 (WCAG 2, level AA).
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    const colour = rgba(getComputedStyle(element).backgroundColor);
    return colour[3] === 255 ? colour : behind(element.parentElement);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const poor = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const [low, high] = [light(rgba(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => a - b);
    if ((high + 0.05) / (low + 0.05) < 4.5) poor.add(element.className + ": " + element.textContent.slice(0, 40));
  }
  return [...poor];
}"""
