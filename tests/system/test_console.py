"""The console in a real browser, from the host, through a takeover: its pages go on without being loaded again."""

import json
import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from bansho.drill.stage import HOST, PROGRAMS, Stage, run, wait
from bansho.lab.node import Node
from bansho.lab.window import Window
from bansho.logicalhost import timeline

BROWSER = os.environ.get("BANSHO_BROWSER") or shutil.which("chromium") or "/usr/bin/chromium"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
TOLD_AT = f"/run/bansho/{HOST}/cluster.sock"

pytestmark = [pytest.mark.nodes, pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def page(settled: Stage) -> Iterator[Page]:
    """The event list, logged in with the account of the set-up, seen through a window from this machine."""
    with (
        Window(f"/proc/{settled.lab.pid}/ns/net", f"{settled.address}:7711") as window,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=BROWSER, args=QUIET)
        page = browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{window.port}/")
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(settled.password)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#pulse[data-state=live]")).to_be_visible(timeout=20_000)
        yield page
        browser.close()


def newest(page: Page) -> int:
    """The serial in the first row; 0 in an empty list."""
    rows: list[str] = page.eval_on_selector_all("#rows tr", "rows => rows.slice(0, 1).map(row => row.dataset.serial)")
    return int(rows[0]) if rows else 0


MARK = "window.mark"


def test_the_pages_go_on_through_maintenance_and_a_takeover_without_a_reload(settled: Stage, page: Page) -> None:
    victim = settled.wait_up()
    others = [node.name for node in settled.lab.nodes if node.name != victim.name]
    host = page.context.new_page()
    host.goto(page.url)
    host.get_by_role("link", name="Host", exact=True).click()
    headline, facts = host.get_by_role("heading", level=1), host.locator("#host > .facts")
    expect(headline).to_have_text("watch: all is well", timeout=30_000)
    expect(facts).to_contain_text(f"Could take over {', '.join(others)}", use_inner_text=True)
    for each in (page, host):
        each.evaluate(f"{MARK} = 'the same page'")
    keep_hands_off(victim, "on")
    try:
        expect(headline).to_have_text("watch: in maintenance", timeout=20_000)
    finally:
        keep_hands_off(victim, "off")
    expect(headline).to_have_text("watch: all is well", timeout=20_000)
    sender = settled.send(20, source="browser")
    try:
        wait("an event in the page", lambda: newest(page) > 0)
        before = newest(page)
        victim.power("loss")
        successor = settled.wait_up(elsewhere_than=victim.name)
        expect(page.locator("#pulse[data-state=live]")).to_be_visible(timeout=60_000)
        wait("an event of the successor in the page", lambda: newest(page) > before + 100)
        the_takeover_is_told_leg_by_leg(host, victim, successor)
    finally:
        sender.stop()
    settled.settle()
    expect(headline).to_have_text("watch: all is well", timeout=60_000)
    expect(facts).to_contain_text(f"Active node {successor.name}", use_inner_text=True)
    assert [each.evaluate(MARK) for each in (page, host)] == ["the same page"] * 2
    rows = page.eval_on_selector_all("#rows tr", "rows => rows.map(row => row.dataset.serial)")
    serials = [int(each) for each in rows]
    assert serials == sorted(set(serials), reverse=True)
    tellers = {node.name for node in settled.lab.nodes if node.run(["test", "-S", TOLD_AT]).returncode == 0}
    assert tellers == {successor.name}


def the_takeover_is_told_leg_by_leg(page: Page, victim: Node, successor: Node) -> None:
    """By the console and by the command alike."""
    expect(page.locator("#takeovers h3")).to_contain_text(f"{victim.name} → {successor.name}", timeout=60_000)
    expect(page.locator(".legs tbody th")).to_have_text(list(timeline.TITLES.values()), timeout=30_000)
    command = [str(PROGRAMS / "bansho"), "cluster", "status", HOST, "--json"]
    [status] = json.loads(run(successor, "status", command))
    assert [leg["title"] for leg in status["last_takeover"]["legs"]] == list(timeline.TITLES.values())


def keep_hands_off(node: Node, switch: str) -> None:
    run(node, "maintenance", [str(PROGRAMS / "bansho"), "cluster", "maintenance", switch, HOST])
