"""Logging in and out, and what a browser is told: on the real process."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bansho.manager import accounts, sessions
from bansho.manager.sessions import Session


@pytest.fixture(scope="module")
def console(site: Any) -> Iterator[Any]:
    site.clear()
    with site.console():
        yield site


@pytest.fixture
def stranger(console: Any) -> Iterator[httpx.Client]:
    with console.stranger() as stranger:
        yield stranger


def token(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


def log_in(client: httpx.Client, name: str, password: str, target: str = "") -> httpx.Response:
    address = "/login" + (f"?next={target}" if target else "")
    fields = {"name": name, "password": password, "token": token(client.get(address).text)}
    return client.post(address, data=fields)


def test_logging_in_leads_to_where_one_wanted_to_be(console: Any, stranger: httpx.Client) -> None:
    asked = stranger.get("/?severity=Error&text=a%26b")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=%2F%3Fseverity%3DError%26text%3Da%2526b"
    page = stranger.get(asked.headers["location"])
    action = re.search(r'action="([^"]+)"', page.text)
    assert action
    fields = {"name": "viewer", "password": console.PASSWORD, "token": token(page.text)}
    answer = stranger.post(action[1].replace("&amp;", "&"), data=fields)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?severity=Error&text=a%26b"
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/%5Cevil.example", "/%09/evil.example"])
def test_logging_in_never_leads_away(console: Any, stranger: httpx.Client, target: str) -> None:
    assert log_in(stranger, "viewer", console.PASSWORD, target).headers["location"] == "/"


def test_the_sessions_cookie_is_for_this_console_alone(console: Any, stranger: httpx.Client) -> None:
    cookies = log_in(stranger, "viewer", console.PASSWORD).headers.get_list("set-cookie")
    [cookie] = [each for each in cookies if each.startswith("bansho-session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_a_wrong_password_and_an_unknown_name_are_told_alike(stranger: httpx.Client) -> None:
    wrong = log_in(stranger, "viewer", "wrong password")
    unknown = log_in(stranger, "nobody", "wrong password")
    assert wrong.status_code == unknown.status_code == 401
    for answer in (wrong, unknown):
        assert "BSHO5102-E" in answer.text
        assert "bansho-session" not in answer.headers.get("set-cookie", "")
    assert "wrong password" not in wrong.text


def test_a_log_in_without_the_forms_token_is_refused(console: Any, stranger: httpx.Client) -> None:
    fields = {"name": "viewer", "password": console.PASSWORD}
    assert stranger.post("/login", data=fields).status_code == 403
    given = token(stranger.get("/login").text)
    assert stranger.post("/login", data=fields | {"token": given[:-1] + "!"}).status_code == 403
    with console.stranger() as other:  # a token of another browser
        other.get("/login")
        assert other.post("/login", data=fields | {"token": given}).status_code == 403
    assert stranger.post("/login", data=fields | {"token": given}).status_code == 303


def test_logging_out_needs_the_sessions_token_and_ends_it_here(console: Any, stranger: httpx.Client) -> None:
    log_in(stranger, "viewer", console.PASSWORD)
    assert stranger.post("/logout").status_code == 403
    assert stranger.get("/").status_code == 200
    answer = stranger.post("/logout", data={"token": token(stranger.get("/").text)})
    assert answer.headers["location"] == "/login"
    assert "bansho-session" not in stranger.cookies
    assert stranger.get("/").status_code == 303


def old_session(console: Any, began: float, seen: float) -> dict[str, str]:
    generation = accounts.read(console.host.shared)["viewer"].generation
    now = console.sessions.begin("viewer", generation).began
    return {"bansho-session": console.sessions.write(Session("viewer", generation, now - began, now - seen, "n"))}


def test_a_session_is_renewed_when_it_is_used(console: Any, stranger: httpx.Client) -> None:
    stranger.cookies = httpx.Cookies(old_session(console, 7200, sessions.IDLE - 60))
    answer = stranger.get("/")
    assert answer.status_code == 200
    renewed = console.sessions.read(answer.cookies["bansho-session"])
    assert renewed is not None
    assert renewed.seen - renewed.began >= 7200


@pytest.mark.parametrize(("began", "seen"), [(7200, sessions.IDLE + 1), (sessions.ABSOLUTE + 1, 1)])
def test_a_session_that_expired_leads_to_the_log_in(
    console: Any, stranger: httpx.Client, began: float, seen: float
) -> None:
    stranger.cookies = httpx.Cookies(old_session(console, began, seen))
    answer = stranger.get("/host")
    assert answer.headers["location"] == "/login?next=%2Fhost"
    assert stranger.get("/api/v1/host").status_code == 401


def test_logging_out_is_not_undone_by_renewal(console: Any, stranger: httpx.Client) -> None:
    stranger.cookies = httpx.Cookies(old_session(console, 7200, 600))
    given = console.sessions.token("n")
    answer = stranger.post("/logout", data={"token": given})
    assert answer.status_code == 303
    assert all('bansho-session=""' in each for each in answer.headers.get_list("set-cookie"))


def test_a_new_password_ends_the_sessions(console: Any, stranger: httpx.Client) -> None:
    accounts.create(console.host.shared, "temporary", "viewer")
    stranger.cookies = httpx.Cookies(console.cookie("temporary"))
    assert stranger.get("/").status_code == 200
    accounts.change_password(console.host.shared, "temporary")
    assert stranger.get("/").status_code == 303
    stranger.cookies = httpx.Cookies(console.cookie("temporary"))
    accounts.remove(console.host.shared, "temporary")
    assert stranger.get("/").status_code == 303


def test_repeated_failures_are_slowed_down(console: Any, stranger: httpx.Client) -> None:
    accounts.create(console.host.shared, "victim", "viewer", "the right one")
    statuses = [log_in(stranger, "victim", f"guess {number}").status_code for number in range(8)]
    assert statuses[:4] == [401] * 4
    assert statuses[-1] == 429
    answer = log_in(stranger, "victim", "the right one")
    assert answer.status_code == 429
    assert "BSHO5103-E" in answer.text
    assert log_in(stranger, "viewer", console.PASSWORD).status_code == 303  # others are not locked out


def test_a_form_that_is_too_large_is_refused(console: Any, stranger: httpx.Client) -> None:
    assert log_in(stranger, "viewer", "x" * 10_000).status_code == 413
    assert stranger.post("/login", content=b"a&" * 500).status_code == 403
    assert stranger.post("/login", content=b"\xff\xfe").status_code == 403


@pytest.mark.parametrize("path", ["/", "/login", "/host", "/healthz", "/static/console.css", "/nothing", "/events/0"])
def test_every_answer_tells_the_browser_its_limits(console: Any, path: str) -> None:
    with console.client() as client:
        headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/login", "/host", "/events/1", "/nothing"])
def test_no_page_has_anything_inline(console: Any, path: str) -> None:
    console.arrive({"attributes": {"OBJECT_NAME": "<i>x</i>"}})
    with console.client() as client:
        text = client.get(path).text
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:", text)


def test_what_an_event_says_is_shown_and_not_run(console: Any) -> None:
    evil = "</td><script>alert(1)</script>\"' onload=x hx-get=/"
    [serial] = console.arrive({"message": evil, "source_server": "<b>", "attributes": {"OBJECT_NAME": evil}})
    with console.client() as client:
        for path in ("/", f"/events/{serial}"):
            text = client.get(path).text
            assert "&lt;script&gt;alert(1)" in text
            assert "<script>alert" not in text
            assert "<b>" not in text
        filtered = client.get("/", params={"text": evil, "source": '"><b>'}).text
        assert "<script>alert" not in filtered
        assert '"><b>' not in filtered


def test_html_errors_are_pages_with_an_id(console: Any) -> None:
    with console.client() as client:
        for path, status, message in (
            ("/nothing", 404, "BSHO5107-E"),
            ("/events/0", 404, "BSHO5106-E"),
            ("/?severity=x", 400, "BSHO5105-E"),
        ):
            answer = client.get(path)
            assert answer.status_code == status
            assert answer.headers["content-type"].startswith("text/html")
            assert message in answer.text


def test_htmx_is_told_to_load_the_page_again(stranger: httpx.Client) -> None:
    answer = stranger.get("/host", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-refresh"] == "true"
