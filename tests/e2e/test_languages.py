"""Callers in English, in Arabic, and one who switches: language, voice and transcript of each turn."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import urllib.request
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import call_page
import pytest
from playwright.sync_api import Page, expect
from served import Open, Server
from two_languages import ANSWERS, ARABIC, ENGLISH, SWITCHES

from offhook.audio.frame import AudioFormat, Encoding

pytest.importorskip("espeakng_loader")
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

Shoot = Callable[[Page, str], None]
FORMAT = AudioFormat(Encoding.PCM16, 16_000)
SETTINGS = """
[speech]
tts = ["hibari"]
[speech.languages.ar]
tts = ["espeak"]
[agents.default]
languages = ["en", "ar"]
greeting = "Hello, Harbour Salon."
voices = { en = "heart", ar = "ar" }
patience = { no_input_ms = 60000 }
[agents.default.phrases.ar]
greeting = "مرحبا، صالون الميناء."
goodbye = "مع السلامة."
still_there = "هل ما زلت معي؟"
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("two-languages")
    (home / "offhook.toml").write_text(SETTINGS, encoding="utf-8")
    program = (sys.executable, str(Path(__file__).parent / "two_languages.py"))
    running = Server(home, program=program)
    yield running
    running.stop()
    assert not [line for line in running.lines if "Traceback" in line], "\n".join(running.lines[-60:])


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A WAV of lines, each after some seconds of silence, by the voice of its language. An answer in Arabic
    takes eleven seconds; a busy machine begins to play the WAV late."""
    folder = tmp_path_factory.mktemp("microphones")

    def make(name: str, *lines: str, after: float = 6.0, between: float = 16.0) -> Path:
        sound = b""
        for number, line in enumerate(lines):
            pause = between if number else after
            sound += FORMAT.silence(FORMAT.samples(pause * 1000)) + _spoken(line)
        path = folder / f"{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(FORMAT.width)
            file.setframerate(FORMAT.rate)
            file.writeframes(sound + FORMAT.silence(FORMAT.samples(30_000)))
        return path

    return make


def _spoken(line: str) -> bytes:
    from concurrent.futures import ThreadPoolExecutor

    async def say() -> bytes:
        from offhook.speech.tts.espeak import EspeakTts

        voice = EspeakTts()
        language = "en" if line.isascii() else "ar"
        try:
            return b"".join([piece async for piece in voice.speak(line, "", language, FORMAT)])
        finally:
            await voice.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, say()).result(60)


_EDGES = """(e) => {
  const range = document.createRange();
  range.selectNodeContents(e);
  return [e.getBoundingClientRect().right, [...range.getClientRects()].map((line) => line.right)];
}"""
"""The right edge of an element, and of each line of its words."""


def _call(house: Server, open_page: Open, path: Path, answers: int) -> tuple[Page, str]:
    """A call until the agent has answered so many times; the call's page of the console."""
    page = open_page(f"{house.url}/call", path)
    call_page.start(page)
    call_page.wait(page, call_page.is_up)
    lines = page.locator(".line.agent:not(.partial)")
    expect(lines).to_have_count(answers + 1, timeout=30_000 + 20_000 * answers)
    call_page.wait(page, lambda seen: seen["state"] == "listening", 20)  # the last answer was heard
    call_id = call_page.figures(page)["callId"]
    page.get_by_role("button", name="Hang up").click()
    return page, call_id


def _turns(house: Server, call_id: str) -> list[tuple[str, str, str]]:
    with urllib.request.urlopen(f"{house.url}/api/calls/{call_id}", timeout=10) as response:
        turns = json.load(response)["turns"]
    return [(turn["leg"], turn["language"], turn["text"]) for turn in turns]


def _voice_of(house: Server, text: str) -> str:
    """Which provider, voice and language said a line: the words before its first figure."""
    words = " " + re.split(r"\d", text)[0]
    return next(line.split(" ", 4)[1:4] for line in house.lines if words in line)  # type: ignore


def test_each_caller_is_answered_in_their_language_by_its_voice(
    house: Server, open_page: Open, microphone: Callable[..., Path], shoot: Shoot
) -> None:
    _, english = _call(house, open_page, microphone("english", *ENGLISH, between=10.0), 2)
    assert [language for _, language, _ in _turns(house, english)] == ["en"] * 5
    page, arabic = _call(house, open_page, microphone("arabic", *ARABIC), 2)
    assert _turns(house, arabic)[1:] == [
        ("caller", "ar", ARABIC[0]),
        ("agent", "ar", ANSWERS["ar"][0]),
        ("caller", "ar", ARABIC[1]),
        ("agent", "ar", ANSWERS["ar"][1]),
    ]
    page, switched = _call(house, open_page, microphone("switches", *SWITCHES), 4)
    shoot(page, "two-languages-live")
    live = page.locator(".line .words").filter(has_text="الجمعة").first
    assert live.evaluate("(e) => getComputedStyle(e).direction") == "rtl"
    bubble, lines = live.evaluate(_EDGES)
    assert lines[-1] == pytest.approx(bubble, abs=2), "every line begins at the right"
    said = [(leg, language) for leg, language, _ in _turns(house, switched)]
    expected = [("agent", "en")]
    for language in ("en", "ar", "ar", "en"):
        expected += [("caller", language), ("agent", language)]
    assert said == expected
    assert _voice_of(house, ANSWERS["en"][0]) == ["hibari", "heart", "en"]
    assert _voice_of(house, ANSWERS["ar"][0]) == ["espeak", "ar", "ar"]
    page.get_by_role("link", name="Recording and transcript").click()
    words = page.locator(".turns .words")
    expect(words).to_have_count(9)
    right = page.locator('.turns .words[lang="ar"]')
    expect(right).to_have_count(4)
    assert right.first.evaluate("(e) => getComputedStyle(e).direction") == "rtl"
    assert words.first.evaluate("(e) => getComputedStyle(e).direction") == "ltr"
    expect(right.first).to_contain_text("Arabic")
    shoot(page, "two-languages")
