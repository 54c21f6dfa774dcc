"""Callers on the call page by WebRTC: heard, answered, chatting, on another way, or by the socket instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import call_page
import pytest
from playwright.sync_api import Page, expect
from served import Open, Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

QUESTION = "What are your opening hours?"
NO_WAY = """
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  setRemoteDescription(answer) {
    const sdp = answer.sdp.replace(/a=ice-pwd:.*/g, "a=ice-pwd:" + "0".repeat(32));
    return super.setRemoteDescription({ type: answer.type, sdp });
  }
};
"""
"""No check of this page is answered."""
NO_SOCKET = "window.WebSocket = class extends WebSocket { constructor() { super('ws://127.0.0.1:9/'); } };"
LOSE = """() => {
  Object.defineProperty(connection, "connectionState", { value: "disconnected", configurable: true });
  connection.onconnectionstatechange();
  delete connection.connectionState;
}"""
"""The page is told once that its way is lost."""
OUR_NAME = "connection.currentRemoteDescription.sdp.match(/ice-ufrag:(.*)/)[1]"
KEEPS = """
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...given) { super(...given); window.connection = this; }
};
"""


@pytest.fixture
def asking(speech: Callable[..., Path]) -> Path:
    """A caller who lets the greeting end, asks, and listens."""
    return speech((6.0, QUESTION), tail=14.0)


def _call(page: Page, url: str, script: str = "") -> None:
    if script:
        page.add_init_script(script)
        page.goto(url)
    call_page.start(page)


def test_a_spoken_question_is_answered_and_so_is_chat(server: Server, open_page: Open, asking: Path) -> None:
    page = open_page(f"{server.url}/call?transport=webrtc", asking)
    call_page.start(page)
    seen = call_page.wait(page, call_page.is_up)
    assert seen["transport"] == "webrtc"
    assert call_page.loudest(page, 3) > 0.01, "the greeting was not audible"
    expect(page.locator(".line.caller:not(.partial)")).to_contain_text("opening hours", timeout=25_000)
    expect(page.locator(".line.agent").nth(1)).to_contain_text("Tuesday", timeout=10_000)
    assert call_page.loudest(page, 2) > 0.01, "the answer was not audible"
    page.get_by_label("Type to the agent").fill("How much is a haircut?")
    page.keyboard.press("Enter")
    expect(page.locator(".line.caller", has_text="haircut")).to_be_visible()
    expect(page.locator(".line.agent").nth(2)).to_be_visible(timeout=10_000)
    seen = call_page.wait(page, lambda seen: seen["framesSent"] > 300)
    assert seen["framesPlayed"] > 100
    page.get_by_role("button", name="Hang up").click()
    assert "Call ended" in call_page.sentence(page)
    page.goto(f"{server.url}/calls/{seen['callId']}")
    expect(page.locator(".facts")).to_contain_text("WebRTC")
    expect(page.locator(".facts")).to_contain_text("hung up", timeout=20_000)


def test_the_transport_is_a_choice_on_the_page(server: Server, open_page: Open, asking: Path) -> None:
    page = open_page(f"{server.url}/call", asking)
    page.get_by_label("Connection").select_option("auto")
    call_page.start(page)
    assert call_page.wait(page, call_page.is_up)["transport"] == "webrtc"
    page.keyboard.press("m")
    assert "cannot hear you" in call_page.sentence(page)


def test_where_no_check_is_answered_the_call_goes_by_websocket(
    server: Server, open_page: Open, asking: Path
) -> None:
    page = open_page("about:blank", asking)
    _call(page, f"{server.url}/call?transport=webrtc", NO_WAY)
    seen = call_page.wait(page, call_page.is_up, seconds=25)
    assert seen["transport"] == "websocket"
    expect(page.get_by_role("alert")).to_contain_text("WebRTC did not connect; this call goes by WebSocket")
    assert call_page.loudest(page, 3) > 0.01, "the greeting was not audible"
    call_page.wait(page, lambda seen: seen["framesSent"] > 20)


def test_where_no_socket_opens_the_call_goes_by_webrtc(server: Server, open_page: Open, asking: Path) -> None:
    page = open_page(
        "about:blank", asking, expect=("WebSocket connection to", "Refused to connect", "violates")
    )
    _call(page, f"{server.url}/call?transport=websocket", NO_SOCKET)
    seen = call_page.wait(page, call_page.is_up, seconds=25)
    assert seen["transport"] == "webrtc"
    expect(page.get_by_role("alert")).to_contain_text("this call goes by WebRTC")
    page.evaluate("window.cspReports = []")  # the socket that was to fail


def test_another_way_is_found_for_the_same_call(server: Server, open_page: Open, asking: Path) -> None:
    page = open_page("about:blank", asking)
    _call(page, f"{server.url}/call?transport=webrtc", KEEPS)
    before = call_page.wait(page, lambda seen: seen["framesSent"] > 50)
    was = page.evaluate(OUR_NAME)
    page.evaluate(LOSE)
    call_page.wait(page, lambda seen: page.evaluate(OUR_NAME) != was)
    call_page.wait(page, call_page.is_up)
    after = call_page.wait(page, lambda seen: seen["framesSent"] > before["framesSent"] + 100)
    assert after["callId"] == before["callId"]
    expect(page.locator(".line.caller:not(.partial)")).to_contain_text("opening hours", timeout=40_000)


def test_a_text_call_without_a_microphone(server: Server, open_page: Open) -> None:
    page = open_page(f"{server.url}/call?transport=webrtc")
    call_page.start(page)
    expect(page.get_by_role("alert")).to_contain_text("was not allowed")
    seen = call_page.wait(page, call_page.is_up)
    assert seen["transport"] == "webrtc"
    page.get_by_label("Type to the agent").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".line.agent", has_text="Tuesday")).to_be_visible(timeout=10_000)
