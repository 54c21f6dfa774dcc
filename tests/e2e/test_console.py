"""The call list and the call page, over a real call with a real recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import call_page
import pytest
from playwright.sync_api import Page, expect
from served import Open, Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

Shoot = Callable[[Page, str], None]
PAINTED = """(canvas) => new Set(
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).size"""


@pytest.fixture(scope="module")
def unused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has never had a call."""
    running = Server(tmp_path_factory.mktemp("unused"), "--engine", "scripted")
    yield running
    running.stop()


def test_an_empty_list_leads_to_the_first_call(unused: Server, open_page: Open, shoot: Shoot) -> None:
    page = open_page(f"{unused.url}/calls")
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()
    shoot(page, "empty-list")
    page.get_by_role("link", name="Make your first call").click()
    expect(page.get_by_role("button", name="Start the call")).to_be_visible()


def test_an_unknown_call_is_said_to_be_unknown(unused: Server, open_page: Open) -> None:
    page = open_page(f"{unused.url}/calls/call_00000000000000000000000000", expect=("status of 404",))
    expect(page.get_by_role("heading", name="There is no call with this id.")).to_be_visible()


def test_a_call_is_listed_and_can_be_heard_again(
    server: Server, open_page: Open, speech: Callable[..., Path], shoot: Shoot
) -> None:
    microphone = speech((6.0, "What are your opening hours?"), (8.0, "How much is a haircut?"), tail=20)
    page = open_page(f"{server.url}/call", microphone)
    call_page.start(page)
    call_page.wait(page, call_page.is_up)
    _see_it_live(server, page)
    expect(page.locator(".line.agent", has_text="35 dollars")).to_be_visible(timeout=45_000)
    page.wait_for_timeout(1500)
    call_id = call_page.figures(page)["callId"]
    page.get_by_role("button", name="Hang up").click()
    page.get_by_role("link", name="Recording and transcript").click()

    _hear_it(page)
    _read_it(page)
    shoot(page, "call")
    _download_it(page)
    page.get_by_role("link", name="Calls", exact=True).click()
    row = page.get_by_role("row").filter(has=page.locator(f'a[href="/calls/{call_id}"]'))
    expect(row).to_contain_text("Browser")
    expect(row).to_contain_text("Caller hung up")
    expect(row).to_contain_text("Kept")
    shoot(page, "list")
    page.get_by_label("Channel").select_option("phone")
    expect(page.get_by_role("heading", name="No phone calls")).to_be_visible()


def _see_it_live(server: Server, page: Page) -> None:
    other = page.context.new_page()
    other.goto(f"{server.url}/calls")
    expect(other.locator("tr.live").first).to_contain_text("Live")
    other.locator("tr.live a").first.click()
    expect(other.locator(".tag.live")).to_be_visible()
    expect(other.locator(".turns")).to_contain_text("Harbour Street", timeout=10_000)
    other.close()


def _hear_it(page: Page) -> None:
    waveform = page.get_by_role("slider", name="Position in the recording")
    expect(waveform).to_be_visible(timeout=15_000)
    assert waveform.evaluate(PAINTED) > 8, "the waveform is blank"
    page.get_by_role("button", name="Play").click()
    _until(page, lambda: _at(page) > 0.5)
    box = waveform.bounding_box()
    assert box is not None
    waveform.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    length = page.evaluate("document.querySelector('audio').duration")
    _until(page, lambda: _at(page) > length / 2 - 0.5)
    waveform.press("Home")
    _until(page, lambda: _at(page) < 3)
    page.get_by_role("button", name="Pause").click()


def _at(page: Page) -> float:
    """Where the recording is playing, in seconds."""
    return float(page.evaluate("document.querySelector('audio').currentTime"))


def _until(page: Page, condition: Callable[[], bool], seconds: float = 10) -> None:
    """Playwright's own `wait_for_function` evaluates what the policy forbids, so this polls."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"the recording is at {_at(page)} s"
        page.wait_for_timeout(50)


def _read_it(page: Page) -> None:
    turns = page.locator(".turns li")
    expect(turns.filter(has_text="opening hours")).to_have_count(1)
    expect(turns.filter(has_text="35 dollars")).to_have_count(1)
    turns.filter(has_text="35 dollars").get_by_role("button").click()
    _until(page, lambda: _at(page) > 8)
    assert not page.evaluate("document.querySelector('audio').paused")
    page.get_by_role("button", name="Pause").click()
    rows = page.locator(".waterfall li")
    expect(rows.first.locator("rect")).to_have_count(4)
    expect(rows.first.locator("line.gap")).to_have_count(1)
    expect(page.locator(".timeline")).to_contain_text("Call ended")


def _download_it(page: Page) -> None:
    for name, magic in (
        ("Ogg/Opus", b"OggS"),
        ("WAV", b"RIFF"),
        ("Text", b""),
        ("WebVTT", b"WEBVTT"),
        ("JSON", b""),
    ):
        link = page.get_by_role("link", name=name, exact=True)
        with page.expect_download() as download:
            link.click()
        kept = Path(download.value.path()).read_bytes()
        assert len(kept) > 50
        assert kept.startswith(magic)
