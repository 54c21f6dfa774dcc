"""A caller and an operator in two browsers on one server: listen, take over, hand back, say now, wrap up."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import call_page
import pytest
from playwright.sync_api import Page, expect
from served import Open, Server
from stage import AXE, violations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
Shoot = Callable[[Page, str], None]
PROMISE = "This is Sara speaking. I can offer you Friday at noon."


def strip(page: Page, words: str) -> None:
    expect(page.locator(".hears strong")).to_have_text(words)


def figures(page: Page) -> dict[str, Any]:
    """The page's own counters of its seat."""
    return page.evaluate("({...window.offhookDesk})")  # type: ignore[no-any-return]


def loudest(page: Page, seconds: float) -> float:
    """The greatest root mean square (0 to 1) in the operator's ear."""
    top, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        top = max(top, figures(page)["rms"])
        page.wait_for_timeout(30)
    return top


def clean(page: Page) -> None:
    """Clean by axe with real data. The source is evaluated, as scripts from outside are forbidden."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(page) == []


def test_an_operator_takes_a_call_over_and_hands_it_back(
    server: Server, open_page: Open, speech: Callable[..., Path], shoot: Shoot
) -> None:
    caller = open_page(f"{server.url}/call", speech((6.0, "What are your opening hours?"), tail=12.0))
    call_page.start(caller)
    call_page.wait(caller, call_page.is_up)
    call_id = call_page.figures(caller)["callId"]

    desk = open_page(f"{server.url}/", speech((1.0, PROMISE), tail=3.0))
    card = desk.locator(f"#call-{call_id}")
    expect(card).to_contain_text("Browser")
    card.click()
    desk.keyboard.press("l")
    strip(desk, "Nobody hears you")
    shoot(desk, "desk-floor")
    clean(desk)
    desk.get_by_role("link", name="Open the cockpit").click()
    _listen(caller, desk)
    shoot(desk, "desk-listen")
    _take_over(caller, desk)
    shoot(desk, "desk-takeover")
    clean(desk)
    _hand_back(caller, desk)
    _speak_through_the_agent(caller, desk)
    _end(desk, call_id)
    shoot(desk, "desk-wrap-up")
    _read_it_later(server, desk, call_id)
    shoot(desk, "desk-call-page")
    clean(desk)


def _listen(caller: Page, desk: Page) -> None:
    """The operator hears both and is heard by nobody: no sound leaves the page."""
    expect(desk.locator(".line.agent").first).to_be_visible(timeout=10_000)
    expect(desk.locator(".line.caller:not(.partial)")).to_contain_text("opening hours", timeout=25_000)
    expect(desk.locator(".line.agent:not(.partial)").nth(1)).to_contain_text("Tuesday")
    seen = figures(desk)
    assert seen["framesPlayed"] > 100
    assert seen["framesSent"] == 0
    assert seen["stance"] == "listen"


def _take_over(caller: Page, desk: Page) -> None:
    desk.keyboard.press("t")
    strip(desk, "The caller hears you; the AI is silent")
    expect(desk.locator(".line.operator.mine:not(.partial)").first).to_contain_text("Friday", timeout=60_000)
    assert call_page.loudest(caller, 6) > 0.01, "the caller did not hear the operator"
    assert figures(desk)["framesSent"] > 100
    expect(desk.locator(".coach-card")).to_be_visible(timeout=60_000)
    desk.keyboard.press("m")
    strip(desk, "You are muted: nobody hears you")
    desk.keyboard.press("m")
    strip(desk, "The caller hears you; the AI is silent")
    desk.keyboard.press("h")
    strip(desk, "On hold: nobody hears you")
    desk.keyboard.press("h")
    strip(desk, "The caller hears you; the AI is silent")


def _hand_back(caller: Page, desk: Page) -> None:
    desk.keyboard.press("b")
    strip(desk, "Nobody hears you")
    expect(desk.locator(".mode-word")).to_have_text("AI answers")
    before = figures(desk)["framesSent"]
    desk.wait_for_timeout(500)
    assert figures(desk)["framesSent"] <= before + 2


def _speak_through_the_agent(caller: Page, desk: Page) -> None:
    desk.keyboard.press("s")
    desk.keyboard.type("We will see you on Friday at noon.")
    desk.keyboard.press("Enter")
    desk.keyboard.press("Escape")
    said = desk.locator(".line.agent", has_text="We will see you on Friday at noon")
    expect(said.first).to_be_visible(timeout=10_000)
    expect(caller.locator(".line.agent", has_text="see you on Friday").first).to_be_visible(timeout=10_000)


def _end(desk: Page, call_id: str) -> None:
    desk.keyboard.press("e")
    desk.get_by_role("button", name="End the call").click()
    strip(desk, "The call has ended: nobody hears you")
    desk.get_by_label("Outcome").select_option("resolved")
    desk.get_by_label("Note").fill("Friday at noon was promised")
    save = desk.locator(".wrap-up button[type=submit]")
    save.click()
    expect(save).to_have_text("Saved ✓")


def _read_it_later(server: Server, desk: Page, call_id: str) -> None:
    desk.goto(f"{server.url}/calls/{call_id}")
    expect(desk.locator(".outcome")).to_contain_text("Friday at noon was promised")
    expect(desk.locator(".turns .operator").first).to_contain_text("Friday")
    expect(desk.locator(".timeline")).to_contain_text("Take over")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Export evidence").click()
    assert Path(download.value.path()).read_bytes().startswith(b"PK")
    desk.goto(f"{server.url}/audit")
    row = desk.get_by_role("row").filter(has=desk.locator(f'a[href="/calls/{call_id}"]'))
    expect(row.filter(has_text="Joined").first).to_be_visible()


def test_an_operator_whose_connection_is_lost_is_told_in_red(
    server: Server, open_page: Open, speech: Callable[..., Path]
) -> None:
    """The page says so at once, comes back by itself, and then only listens."""
    caller = open_page(f"{server.url}/call", speech((30.0, "Yes."), tail=1.0))
    call_page.start(caller)
    call_page.wait(caller, call_page.is_up)
    call_id = call_page.figures(caller)["callId"]
    refused = ("ERR_CONNECTION", "ERR_INTERNET_DISCONNECTED", "WebSocket connection to")
    desk = open_page(f"{server.url}/desk/{call_id}", speech((1.0, PROMISE), tail=3.0), expect=refused)
    desk.get_by_role("button", name="Take over").click()
    strip(desk, "The caller hears you; the AI is silent")
    desk.evaluate("window.offhookDesk.cut()")
    expect(desk.locator(".hears")).to_have_attribute("data-tone", "lost")
    strip(desk, "Nobody hears you")
    expect(desk.get_by_role("alert")).to_contain_text("You are back, as a listener")
    caller.keyboard.press("Escape")
    strip(desk, "The call has ended: nobody hears you")


def test_the_playground_speaks_as_browser_and_as_phone(server: Server, open_page: Open, shoot: Shoot) -> None:
    page = open_page(f"{server.url}/playground")
    page.get_by_label("Text", exact=True).fill("Good morning.")
    for way, rate in (("In the browser", "kHz"), ("On the telephone", "8 kHz")):
        box = page.get_by_role("region", name=way)
        box.get_by_role("button", name="Hear it").click()
        expect(box.locator(".heard-wave")).to_be_visible(timeout=20_000)
        expect(box.locator(".heard-facts")).to_contain_text(rate)
        expect(box.locator(".heard-facts")).to_contain_text("ms")
        with page.expect_download() as download:
            box.get_by_role("link", name="Download").click()
        assert Path(download.value.path()).read_bytes().startswith(b"RIFF")
    shoot(page, "playground")
    clean(page)
