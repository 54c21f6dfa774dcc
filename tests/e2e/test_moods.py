"""How a caller feels, seen at the console: on the floor while the call lasts, by turn afterwards."""

from __future__ import annotations

import re

import call_page
import pytest
from playwright.sync_api import Page, expect
from served import Open, Server
from stage import AXE, violations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]
ANGRY = (
    "This is terrible, I have been waiting for an hour.",
    "I am really angry with you, this is unacceptable.",
    "You are useless, I want to file a complaint.",
)


def say(page: Page, text: str) -> None:
    page.get_by_label("Type to the agent").fill(text)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(text)).to_be_visible(timeout=20_000)


def test_an_angry_caller_is_seen_and_alerts(server: Server, open_page: Open) -> None:
    caller = open_page(f"{server.url}/call")
    call_page.start(caller)
    call_page.wait(caller, call_page.is_up)
    call_id = call_page.figures(caller)["callId"]
    floor = open_page(f"{server.url}/")
    card = floor.locator(f"#call-{call_id}")
    expect(card).to_be_visible()
    toggle = floor.get_by_role("button", name="Sound and notify on alerts")
    toggle.click()
    expect(floor.get_by_role("button", name="Alerts sound and notify")).to_have_attribute(
        "aria-pressed", "true"
    )

    say(caller, ANGRY[0])
    expect(card.locator(".mood")).to_have_attribute(
        "aria-label", re.compile("Unhappy, sentiment −"), timeout=20_000
    )
    for text in ANGRY[1:]:
        say(caller, text)
    alerts = floor.get_by_role("region", name="Alerts").get_by_role("listitem")
    expect(alerts.filter(has_text="Unhappy caller")).to_have_count(1, timeout=20_000)
    expect(card).to_contain_text("unhappy")
    floor.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(floor) == []
    assert "sentiment" not in caller.content()

    page = open_page(f"{server.url}/calls/{call_id}")
    expect(page.get_by_role("heading", name="Caller's sentiment")).to_be_visible()
    expect(page.locator(".turns .caller .felt").first).to_contain_text("Unhappy")
    expect(page.locator(".timeline .alert")).to_contain_text("Unhappy caller")
