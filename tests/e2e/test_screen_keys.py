"""The desk's keys over recorded answers: what they must never do. What each does is test_screens.py's."""

from __future__ import annotations

import json

import pytest
import recorded
from playwright.sync_api import expect
from stage import sit, strip

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]


def test_a_command_goes_to_the_call_that_was_chosen(stage_page) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    page.goto(f"{stage.url}/")
    cards = page.locator(".floor-card")
    expect(cards.first).to_have_id(f"call-{recorded.CALL}")
    page.keyboard.press("e")
    more = {"calls": [recorded.card("call_new", attention=99)], "gone": [], "counters": {}}
    stage.floors[0].send(json.dumps({"type": "floor", **more}))
    expect(cards.first).to_have_id("call-call_new")
    page.get_by_role("heading", name="End this call?").click()  # the focus leaves the dialog's buttons
    page.keyboard.press("t")
    page.get_by_role("button", name="End the call").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".floor-card.focused")).to_have_id(f"call-{recorded.CALL}")
    assert stage.posted == [("POST", f"/api/calls/{recorded.CALL}/hang-up", {})]
    assert stage.desks == [], "a key took a seat behind the dialog"


def test_a_call_that_is_held_is_not_left_by_a_key_for_another(stage_page) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    page.goto(f"{stage.url}/")
    expect(page.locator(".floor-card")).to_have_count(5)
    page.keyboard.press("t")
    strip(page, "Nobody hears you", "private")
    stage.say({"type": "mode", **recorded.seating("takeover", "take_over")})
    strip(page, "The caller hears you; the AI is silent", "caller")
    page.keyboard.press("ArrowDown")
    for key in ("l", "Escape"):
        page.keyboard.press(key)
        expect(page.get_by_role("alert")).to_contain_text("You hold another call: hand it back first.")
        page.get_by_role("button", name="Dismiss").click()
    strip(page, "The caller hears you; the AI is silent", "caller")
    assert len(stage.desks) == 1


def test_what_is_typed_is_never_a_command(stage_page) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    sit(stage, page)
    stage.say(*recorded.CARDS)
    expect(page.locator(".coach-card")).to_contain_text("Bank impersonation")
    box = page.get_by_label("Say this")
    box.fill("Which ")
    stage.say(recorded.coaching("k9", intent="asks_price", priority=9))
    expect(page.get_by_role("button", name="Hear this advice now: asks_price")).to_be_visible()
    page.keyboard.type("bank?")
    expect(box).to_have_value("Which bank?")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.keyboard.press("s")
    page.keyboard.type("One ")
    stage.silent |= {"/ws/live"}
    stage.desks[-1].close(code=1012)
    strip(page, "Connection lost: nobody hears you", "lost")
    page.keyboard.type("that ")
    stage.silent.clear()
    strip(page, "Nobody hears you", "private")
    page.keyboard.type("jets")
    expect(page.get_by_label("Say now")).to_have_value("One that jets")
    assert [one for one in stage.sent if one["type"] != "ping"] == [
        {"type": "card", "id": "k2", "action": "say", "value": "Which bank?"}
    ]
