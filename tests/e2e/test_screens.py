"""Every screen of the desk over recorded answers: what it shows, its keys, light and dark, clean by axe."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import recorded
import recorded_center
from playwright.sync_api import Page, expect
from stage import DESK, TABLET, sit, strip, violations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def check() -> Callable[[Page, str], None]:
    """Both schemes, both sizes: clean by axe, nothing wider than the screen; pictures where wanted."""
    folder = os.environ.get("OFFHOOK_SHOTS")

    def look(page: Page, name: str) -> None:
        for size, viewport in (("desk", DESK), ("tablet", TABLET)):
            page.set_viewport_size(viewport)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.wait_for_timeout(120)
                if folder:
                    page.screenshot(
                        path=Path(folder) / f"{name}-{size}-{scheme}.png", full_page=size == "tablet"
                    )
                assert violations(page) == [], f"{name}, {size}, {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{name} {size}"
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme="light")

    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return look


def test_the_floor_puts_who_needs_somebody_first(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    page.goto(f"{stage.url}/")
    cards = page.locator(".floor-card")
    expect(cards).to_have_count(5)
    expect(cards.first).to_contain_text("Act now 86")
    expect(cards.first).to_contain_text("High risk of fraud")
    expect(page.locator(".freshness")).to_contain_text("Live")
    expect(page.get_by_role("group", name="Agitated, sentiment −0.6, falling")).to_be_visible()
    expect(page.get_by_role("region", name="Alerts").get_by_role("listitem")).to_have_count(2)
    check(page, "floor")
    page.keyboard.press("ArrowDown")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("h")
    page.keyboard.press("s")
    page.get_by_label("What to say").fill("We will call you back.")
    check(page, "floor-say")
    page.keyboard.press("Enter")
    page.keyboard.press("e")
    page.get_by_role("button", name="Cancel").click()
    page.keyboard.press("e")
    page.get_by_role("button", name="End the call").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert stage.posted == [
        ("POST", "/api/live/call_02/hold", {"on": True}),
        ("POST", "/api/live/call_02/say", {"text": "We will call you back."}),
        ("POST", "/api/calls/call_02/hang-up", {}),
    ]


def test_the_floor_says_how_old_its_news_is(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    page.goto(f"{stage.url}/")
    expect(page.locator(".freshness.live")).to_be_visible()
    stage.silent |= {"/ws/floor"}
    stage.floors[0].close()
    expect(page.locator(".freshness.polling")).to_contain_text("asking every two seconds")
    stage.silent |= {"/api/live"}
    expect(page.locator(".freshness.stale")).to_contain_text("may be wrong")
    check(page, "floor-stale")
    stage.silent.clear()
    expect(page.locator(".freshness.live")).to_be_visible(timeout=10_000)


def test_a_seat_taken_on_the_floor_outlives_the_way_to_the_cockpit(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    page.goto(f"{stage.url}/")
    expect(page.locator(".floor-card")).to_have_count(5)
    page.keyboard.press("l")
    strip(page, "Nobody hears you", "private")
    check(page, "floor-seat")
    page.get_by_role("link", name="Open the cockpit").click()
    expect(page.locator(".cockpit")).to_be_visible()
    expect(page).to_have_url(f"{stage.url}/desk/{recorded.CALL}")
    assert len(stage.desks) == 1, "the seat was left and taken again"
    page.get_by_role("link", name="Live floor", exact=True).last.click()
    expect(page.locator(".dock")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".dock")).to_have_count(0)
    assert stage.sent[-1] == {"type": "leave"}


def test_the_strip_says_who_hears_in_every_mode(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    sit(stage, page)
    strip(page, "Nobody hears you", "private")
    for mode, stance, words, tone in (
        ("join", "join", "The caller and the AI hear you", "both"),
        ("takeover", "take_over", "The caller hears you; the AI is silent", "caller"),
        ("say", "take_over", "The AI speaks for you; the caller does not hear you", "hold"),
        ("hold", "take_over", "On hold: nobody hears you", "hold"),
    ):
        stage.say({"type": "mode", **recorded.seating(mode, stance)})
        strip(page, words, tone)
        check(page, f"cockpit-{mode}")
    stage.say({"type": "mode", **recorded.seating("takeover", "take_over")})
    page.keyboard.press("m")
    strip(page, "You are muted: nobody hears you", "muted")
    expect(page.locator(".hears-detail")).to_contain_text("Unmuted, the caller and Omar would hear you.")
    check(page, "cockpit-muted")
    page.keyboard.press("m")
    strip(page, "The caller hears you; the AI is silent", "caller")
    stage.silent |= {"/ws/live"}
    stage.desks[-1].close(code=1012)
    strip(page, "Connection lost: nobody hears you", "lost")
    check(page, "cockpit-lost")
    stage.silent.clear()
    strip(page, "Nobody hears you", "private")
    expect(page.get_by_role("alert")).to_contain_text("You are back, as a listener")


def test_the_microphone_is_shut_until_the_server_says_that_one_talks(stage_page) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    sit(stage, page, "t")
    page.wait_for_timeout(400)
    assert stage.sound == 0, "the microphone was open before the server had given the call over"
    stage.say({"type": "mode", **recorded.seating("takeover", "take_over")})
    for _ in range(100):
        page.wait_for_timeout(100)
        if stage.sound > 10:
            break
    assert stage.sound > 10
    stage.say({"type": "mode", **recorded.seating("agent", "listen")})
    strip(page, "Nobody hears you", "private")
    for _ in range(10):  # what a busy browser had on its way still comes
        before = stage.sound
        page.wait_for_timeout(400)
        if stage.sound == before:
            break
    assert stage.sound == before


def test_every_command_of_the_cockpit_has_a_key(stage_page) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    sit(stage, page)
    stage.say(*recorded.CARDS, {"type": "mode", **recorded.seating("takeover", "take_over")})
    strip(page, "The caller hears you; the AI is silent", "caller")
    expect(page.locator(".coach-card")).to_be_visible()
    for key in "lcjtbhanprd":
        page.keyboard.press(key)
    page.keyboard.press("i")
    page.keyboard.type("Offer Friday")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.type("One moment please")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.get_by_role("button", name="End the call").click()
    said = [one for one in stage.sent if one["type"] != "ping"]
    recommended = recorded.CARDS[2]["recommended_response"]
    assert said == [
        *({"type": "stance", "stance": name} for name in ("listen", "coach", "join", "take_over")),
        {"type": "hand_back"},
        {"type": "hold", "on": True},
        {"type": "ai_speaks", "on": True},
        {"type": "coach_now"},
        {"type": "card", "id": "k2", "action": "stop"},
        {"type": "card", "id": "k2", "action": "say", "value": recommended},
        {"type": "card", "id": "k2", "action": "dismissed"},
        {"type": "instruct", "text": "Offer Friday"},
        {"type": "say", "text": "One moment please"},
        {"type": "end"},
    ]


def test_a_caller_is_put_through_where_the_channel_can(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    sit(stage, page)
    button = page.locator(".commands").get_by_role("button", name="Transfer", exact=True)
    expect(button).to_be_disabled()
    reason = "only a telephone call can be put through to a number"
    expect(button).to_have_attribute("title", f"No transfer: {reason}")
    page.keyboard.press("x")
    expect(page.get_by_role("alert")).to_contain_text(reason)
    stage.say({**recorded.JOINED, "transfer": {"able": True, "reason": ""}})
    expect(button).to_be_enabled()
    page.keyboard.press("x")
    page.get_by_label("Phone number or sip: address").fill("+1 555 0142")
    check(page, "cockpit-transfer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [one for one in stage.sent if one["type"] != "ping"] == [{"type": "transfer", "to": "+1 555 0142"}]


def test_the_coach_the_talk_and_the_evidence(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    sit(stage, page)
    stage.say(*recorded.CARDS, recorded.OWN, recorded.PARTIAL)
    card = page.locator(".coach-card")
    expect(card).to_contain_text("Bank impersonation")
    expect(card).to_contain_text("High risk")
    expect(card).to_contain_text("93 %")
    expect(page.locator(".line.partial")).to_have_text(re.compile("Just read me the"))
    expect(page.locator(".line.operator.mine")).to_contain_text("This is Sara")
    assert page.locator('.words[lang="ar"]').first.evaluate("(e) => getComputedStyle(e).direction") == "rtl"
    check(page, "cockpit")
    page.get_by_label("Say this").fill("Which branch?")
    page.get_by_role("button", name="Say to the caller", exact=False).first.click()
    page.get_by_role("button", name="Helpful").click()
    page.get_by_role("button", name="Daniel Reed, name, pin as evidence").click()
    page.get_by_role("button", name="Play opening-hours").click()
    page.get_by_label("Loudness").fill("0.5")
    page.get_by_label("Speaks to me").uncheck()
    said = [one for one in stage.sent if one["type"] != "ping"]
    assert said == [
        {"type": "card", "id": "k2", "action": "say", "value": "Which branch?"},
        {"type": "card", "id": "k2", "action": "feedback", "value": "helpful"},
        {"type": "pin", "id": "e2", "pinned": True},
        {"type": "inject", "clip": "opening-hours"},
        {"type": "coach", "volume": 0.5},
        {"type": "coach", "mute": True},
    ]
    stage.say({"type": "card", "id": "k2", "status": "dismissed", "seat": "s1"})
    expect(card).to_contain_text("Asks language")
    stage.say({"type": "ended", "reason": "caller_hung_up"})
    strip(page, "The call has ended: nobody hears you", "over")
    check(page, "wrap-up")
    page.get_by_label("Outcome").select_option("fraud")
    page.get_by_label("Note").fill("Bank scam")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Saved")).to_be_visible()
    note = {"disposition": "fraud", "note": "Bank scam"}
    assert stage.posted == [("POST", f"/api/calls/{recorded.CALL}/wrap-up", note)]


@pytest.mark.parametrize(
    ("path", "heading", "name"),
    [
        (f"/desk/{recorded.CALL}", "+44 20 7946 0018", "doorway"),
        ("/live?call_id=test123&role=operator", "Live call", "live-operator"),
        ("/live?call_id=test123&role=caller", "Join the call", "live-caller"),
        ("/playground", "Voices", "voices"),
        ("/users", "Users", "users"),
        ("/audit", "Audit", "audit"),
        ("/calls", "Calls", "calls"),
        ("/calls/call_00", "+44 20 7946 0018", "call"),
        ("/login", "Log in", "login"),
    ],
)
def test_the_other_screens(stage_page, check, path: str, heading: str, name: str) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    page.goto(f"{stage.url}{path}")
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    check(page, name)


def test_colours_by_choice_outlast_a_reload(stage_page) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    page.goto(f"{stage.url}/calls")
    page.get_by_label("Colours").select_option("dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label("Colours").select_option("system")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_a_warm_transfer_rings_and_is_told(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    stage.known |= recorded_center.API
    page.goto(f"{stage.url}/")
    expect(page.get_by_label("Presence")).to_have_value("available")
    stage.ring(recorded_center.RING, recorded_center.CALL_RING)
    expect(page.get_by_text("Omar asks you to take a call")).to_be_visible()
    check(page, "warm-ring")
    page.get_by_role("button", name="Hear about it").click()
    expect(page.locator(".commands").get_by_role("button", name="End call")).to_be_enabled()
    assert ("POST", f"/api/live/{recorded.CALL}/warm/accept", None) in stage.posted
    stage.say(*recorded_center.TOLD)
    strip(page, "The briefing voice hears you; the caller does not", "private")
    check(page, "warm-told")
    page.keyboard.press("l")  # nothing but a decision
    page.keyboard.press("k")
    assert [said for said in stage.sent if said["type"] != "ping"] == [
        {"type": "warm_act", "step": "connect"}
    ]


def test_a_colleague_is_asked(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    stage.known |= recorded_center.API
    sit(stage, page, "t")
    page.keyboard.press("w")
    expect(page.get_by_label("Whom to ask")).to_contain_text("Lina")
    check(page, "warm-ask")


def test_queues_and_routing(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    stage.known |= recorded_center.API
    page.goto(f"{stage.url}/queues")
    expect(page.get_by_label("Queue billing")).to_contain_text("2 waiting")
    check(page, "queues")
    stage.posts["/api/routing/try"] = recorded_center.OUTCOME
    page.goto(f"{stage.url}/routing")
    page.get_by_role("button", name="What would happen?").click()
    expect(page.get_by_role("status")).to_contain_text("queue billing")
    check(page, "routing")


def test_queues_and_routing_of_a_house_without(stage_page, check) -> None:  # type: ignore[no-untyped-def]
    stage, page = stage_page
    stage.known |= {
        "/api/queues": recorded_center.NO_QUEUES,
        "/api/call-backs": {"call_backs": []},
        "/api/routing": {"rules": [], "default": "agent"},
    }
    page.goto(f"{stage.url}/queues")
    expect(page.get_by_text("There are no queues")).to_be_visible()
    check(page, "queues-none")
    page.goto(f"{stage.url}/routing")
    expect(page.get_by_role("button", name="What would happen?")).to_be_visible()
    check(page, "routing-none")
