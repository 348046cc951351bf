"""The console in a real browser, from the host, through a takeover: the page goes on without being loaded again."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from bansho.drill.stage import Stage, wait
from bansho.lab.window import Window

BROWSER = os.environ.get("BANSHO_BROWSER") or shutil.which("chromium") or "/usr/bin/chromium"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")

pytestmark = [pytest.mark.nodes, pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def page(settled: Stage) -> Iterator[Page]:
    """The event list, logged in with the account of the set-up, seen through a window from this machine."""
    with (
        Window(f"/proc/{settled.lab.pid}/ns/net", f"{settled.address}:7711") as window,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=BROWSER, args=QUIET)
        page = browser.new_page()
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


def test_the_page_shows_new_events_before_and_after_a_takeover_without_a_reload(settled: Stage, page: Page) -> None:
    page.evaluate("window.mark = 'the same page'")
    sender = settled.send(20, source="browser")
    try:
        wait("an event in the page", lambda: newest(page) > 0)
        victim = settled.wait_up()
        before = newest(page)
        victim.power("loss")
        settled.wait_up(elsewhere_than=victim.name)
        expect(page.locator("#pulse[data-state=live]")).to_be_visible(timeout=60_000)
        wait("an event of the successor in the page", lambda: newest(page) > before + 100)
    finally:
        sender.stop()
    assert page.evaluate("window.mark") == "the same page"
    serials = [
        int(each) for each in page.eval_on_selector_all("#rows tr", "rows => rows.map(row => row.dataset.serial)")
    ]
    assert serials == sorted(set(serials), reverse=True)
    page.goto(page.url.replace("/?", "/host?") if "?" in page.url else page.url + "host")
    expect(page.locator("body")).to_contain_text("watch")
