"""The first admin shuts the console; login, roles and logout in a real browser. S5's two parties on /live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from served import Open, Server
from stage import AXE, violations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
PASSWORD = "a long enough pass phrase"  # check_files: a made-up secret


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("people"))
    yield running
    running.stop()
    assert not [line for line in running.lines if "Traceback" in line], "\n".join(running.lines[-60:])


def test_two_parties_meet_on_one_call(house: Server, open_page: Open, speech: Callable[..., Path]) -> None:
    """The form that S5's users know: whoever comes first waits; then the operator answers."""
    address = f"{house.url}/live?call_id=test123"
    desk = open_page(f"{address}&role=operator", speech((1.0, "Good morning, this is Sara."), tail=3.0))
    desk.get_by_role("button", name="Take over").click()
    words = desk.locator(".hears strong")
    expect(words).to_have_text("Nobody hears you yet")
    caller = open_page(f"{address}&role=caller", speech((2.0, "I would like a haircut."), tail=8.0))
    caller.get_by_role("button", name="Start the call").click()
    expect(words).to_have_text("The caller hears you; the AI is silent")
    expect(caller.locator(".state-word")).to_have_text("In the call")
    expect(desk.locator(".line.caller:not(.partial)").first).to_contain_text("haircut", timeout=25_000)
    heard = max(_rms(caller) for _ in range(100))
    assert heard > 0.01, "the caller did not hear the operator"
    caller.get_by_role("button", name="Hang up").click()
    expect(words).to_have_text("The call has ended: nobody hears you")
    expect(caller.locator(".state-word")).to_have_text("Call ended")


def _rms(page: Page) -> float:
    page.wait_for_timeout(60)
    return float(page.evaluate("window.offhookDesk.rms"))


def test_the_first_admin_shuts_the_console(house: Server, open_page: Open) -> None:
    refused = ("status of 401", "status of 403", "WebSocket connection to")
    page = open_page(f"{house.url}/users", expect=refused)
    _add(page, "sara", "admin")
    expect(page).to_have_url(f"{house.url}/login?next=%2Fusers")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(page) == []
    _log_in(page, "sara", "not the one")
    expect(page.get_by_role("alert")).to_be_visible()
    _log_in(page, "sara", PASSWORD)
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    expect(page.locator(".person")).to_contain_text("sara")
    _add(page, "omar", "operator")
    expect(page.get_by_role("row", name="omar")).to_be_visible()
    page.goto(f"{house.url}/audit")
    expect(page.locator("tbody tr").first).to_be_visible()
    page.get_by_role("button", name="Check the log").click()
    expect(page.get_by_role("status")).to_contain_text("Whole")
    page.get_by_role("button", name="Log out").click()
    _log_in(page, "omar", PASSWORD)
    expect(page.get_by_role("heading", name="Live floor")).to_be_visible()
    expect(page.locator(".freshness")).to_contain_text("Live")
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    page.goto(f"{house.url}/users")
    expect(page.get_by_role("alert")).to_be_visible()


def _add(page: Page, name: str, role: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator(".new-user select").select_option(role)
    page.get_by_role("button", name="Add", exact=True).click()


def _log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
