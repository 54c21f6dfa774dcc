"""Callers on the call page: heard, answered, muted, interrupted, cut off, without a microphone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import call_page
import pytest
from cable import Cable
from playwright.sync_api import Page, expect
from served import Open, Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

QUESTION = "What are your opening hours?"
REFUSED = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_SOCKET", "WebSocket connection to")


@pytest.fixture
def asking(speech: Callable[..., Path]) -> Path:
    """A caller who lets the greeting end, asks, and listens."""
    return speech((6.0, QUESTION), tail=14.0)


@pytest.mark.parametrize(
    ("query", "codec", "rate"),
    [("", "pcm16", 16_000), ("?codec=opus", "opus", 16_000), ("?codec=pcm16&rate=native", "pcm16", None)],
)
def test_a_spoken_question_is_transcribed_and_answered_aloud(
    server: Server,
    open_page: Open,
    asking: Path,
    shoot: Callable[[Page, str], None],
    query: str,
    codec: str,
    rate: int,
) -> None:
    page = open_page(f"{server.url}/call{query}", asking)
    if not query:
        shoot(page, "front")
    call_page.start(page)
    call_page.wait(page, call_page.is_up)
    assert call_page.loudest(page, 3) > 0.01, "the greeting was not audible"
    expect(page.locator(".line.caller:not(.partial)")).to_contain_text("opening hours", timeout=25_000)
    answer = page.locator(".line.agent").nth(1)
    expect(answer).to_contain_text("Tuesday", timeout=10_000)
    assert call_page.loudest(page, 2) > 0.01, "the answer was not audible"
    seen = call_page.figures(page)
    assert seen["codec"] == codec
    assert rate is None or seen["rate"] == rate
    assert seen["framesSent"] > 300
    assert seen["framesPlayed"] > 100
    if not query:
        shoot(page, "in-call")
    page.keyboard.press("Escape")
    assert "Call ended" in call_page.sentence(page)


def test_a_muted_microphone_sends_nothing(server: Server, open_page: Open, asking: Path) -> None:
    page = open_page(f"{server.url}/call", asking)
    call_page.start(page)
    call_page.wait(page, lambda seen: seen["framesSent"] > 20)
    page.keyboard.press("m")
    page.wait_for_timeout(200)
    assert "cannot hear you" in call_page.sentence(page)
    before = call_page.figures(page)["framesSent"]
    page.wait_for_timeout(800)
    assert call_page.figures(page)["framesSent"] == before
    page.get_by_role("button", name="Unmute").click()
    call_page.wait(page, lambda seen: seen["framesSent"] > before + 20)


def test_an_interruption_strikes_out_what_was_not_heard(
    server: Server, open_page: Open, speech: Callable[..., Path]
) -> None:
    eager = speech((5.5, QUESTION), (2.2, "Sorry, wait a moment, how much is a haircut with you?"), tail=20)
    page = open_page(f"{server.url}/call", eager)
    call_page.start(page)
    expect(page.locator(".line.agent .tag")).to_have_text("interrupted", timeout=30_000)
    expect(page.locator(".line.agent .unheard")).not_to_be_empty()


def test_a_text_call_where_the_microphone_is_refused(
    server: Server, open_page: Open, shoot: Callable[[Page, str], None]
) -> None:
    page = open_page(f"{server.url}/call")
    call_page.start(page)
    expect(page.get_by_role("alert")).to_contain_text("was not allowed, so this call goes on as text")
    _converse_in_writing(page)
    assert call_page.figures(page)["framesSent"] == 0
    shoot(page, "text-call")


def test_a_text_call_on_an_insecure_origin(server: Server, open_page: Open) -> None:
    page = open_page(
        f"http://198.51.100.7:{server.port}/call",
        None,
        "--host-resolver-rules=MAP 198.51.100.7 127.0.0.1",
        expect=("status of 403", "Cross-Origin-Opener-Policy header has been ignored"),
    )
    expect(page.locator(".banner")).to_contain_text("only on https:// or localhost")
    call_page.start(page)
    _converse_in_writing(page)


def _converse_in_writing(page: Page) -> None:
    call_page.wait(page, call_page.is_up)
    page.get_by_label("Type to the agent").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".line.caller")).to_contain_text(QUESTION)
    expect(page.locator(".line.agent", has_text="Tuesday")).to_be_visible(timeout=10_000)


@pytest.fixture
def cable(server: Server) -> Iterator[Cable]:
    between = Cable(server.port)
    yield between
    between.close()


def test_a_lost_connection_comes_back_to_the_same_call(
    open_page: Open, asking: Path, cable: Cable, shoot: Callable[[Page, str], None]
) -> None:
    page = open_page(f"http://127.0.0.1:{cable.port}/call", asking, expect=REFUSED)
    call_page.start(page)
    before = call_page.wait(page, lambda seen: seen["framesSent"] > 50)
    cable.pull()
    call_page.wait(page, lambda seen: seen["state"] == "lost")
    expect(page.locator(".state")).to_contain_text("trying for another")
    if os.environ.get("OFFHOOK_SHOTS"):
        shoot(page, "reconnecting")
    else:
        page.wait_for_timeout(1500)
    cable.put_back()
    after = call_page.wait(page, call_page.is_up)
    assert after["callId"] == before["callId"]
    call_page.wait(page, lambda seen: seen["framesSent"] > after["framesSent"] + 50)
    expect(page.locator(".line.caller:not(.partial)")).to_contain_text("opening hours", timeout=40_000)


def test_a_connection_that_stays_away_ends_the_call(open_page: Open, asking: Path, cable: Cable) -> None:
    page = open_page(f"http://127.0.0.1:{cable.port}/call", asking, expect=REFUSED)
    call_page.start(page)
    call_page.wait(page, lambda seen: seen["framesSent"] > 20)
    cable.pull()
    call_page.wait(page, lambda seen: seen["state"] == "over", seconds=14)
    assert "did not come back in time" in call_page.sentence(page)
    expect(page.get_by_role("button", name="Call again")).to_be_visible()


def test_keys_reach_the_call(server: Server, open_page: Open, asking: Path) -> None:
    page = open_page(f"{server.url}/call", asking)
    call_page.start(page)
    seen = call_page.wait(page, call_page.is_up)
    page.get_by_role("button", name="Keypad").click()
    page.get_by_role("button", name="5", exact=True).click()
    page.get_by_role("button", name="Hang up").click()
    page.goto(f"{server.url}/calls/{seen['callId']}")
    expect(page.locator(".timeline .dtmf")).to_contain_text("5", timeout=10_000)
