"""Sentiment on the timeline of a live call: words and sound in, events out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.audio.g711 import encode_ulaw
from offhook.bus.wire import pack, unpack
from offhook.call.timeline import Timeline
from offhook.center.sentiment.reader import TextReader
from offhook.center.sentiment.recent import Recent
from offhook.center.sentiment.watch import SentimentDesk
from offhook.foundation.clock import ManualClock
from offhook.foundation.desk_events import Emotion, SentimentFound
from offhook.foundation.events import (
    CallEnded,
    CallStarted,
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    LegKind,
    TranscriptFinal,
)


class Stage:
    def __init__(self, desk: SentimentDesk) -> None:
        self.desk = desk
        self.found: list[Entry] = []
        self.news = asyncio.Event()
        self.timeline = Timeline("call_1", ManualClock(), (self._see,))
        self.timeline.add(desk.follow(self.timeline))
        self.timeline.emit(CallStarted(Direction.INBOUND, ChannelKind.PHONE, "default"))

    def _see(self, entry: Entry) -> None:
        if isinstance(entry.event, SentimentFound):
            self.found.append(entry)
            self.news.set()

    def say(
        self, text: str, turn: int = 1, start: int = 0, end: int = 1000, leg: LegKind = LegKind.CALLER
    ) -> None:
        self.timeline.emit(TranscriptFinal(leg, turn, text, start, end, "en"))

    async def told(self, count: int) -> SentimentFound:
        while len(self.found) < count:
            self.news.clear()
            async with asyncio.timeout(5):
                await self.news.wait()
        event = self.found[-1].event
        assert isinstance(event, SentimentFound)
        return event


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    desk = SentimentDesk(TextReader())
    yield Stage(desk)
    await desk.close()


def buzz(hz: float, seconds: float, peak: float) -> bytes:
    at = np.arange(int(8000 * seconds)) / 8000
    wave = sum(np.sin(2 * np.pi * hz * k * at) / k for k in range(1, 8))
    return encode_ulaw((wave / np.abs(wave).max() * peak).astype(np.int16)).tobytes()


async def test_each_turn_of_the_caller_is_read(stage: Stage) -> None:
    stage.say("Thank you, that is wonderful news!")
    assert (await stage.told(1)).emotion is Emotion.PLEASED
    stage.say("This is terrible, I am so angry.", leg=LegKind.AGENT)
    stage.say("", turn=2)
    stage.say("This is terrible, I am really angry with you.", turn=3, end=2000)
    event = await stage.told(2)
    assert (event.turn, event.at_ms, event.label, event.language) == (3, 2000, "negative", "en")
    assert event.turn_score < -0.5
    assert event.voice == {}


async def test_the_voice_is_compared_with_the_callers_own(stage: Stage) -> None:
    tap = stage.desk.tap("call_1", PHONE)
    assert tap is not None
    at, turns = 0, ((150, 3000), (150, 3000), (152, 3100), (230, 12000))
    for number, (hz, peak) in enumerate(turns, 1):
        sound = buzz(hz, 2.0, peak)
        for begin in range(0, len(sound), 160):
            tap(at + begin, sound[begin : begin + 160])
        stage.say("I would like to know about it now", number, at // 8, at // 8 + 2000)
        await stage.told(number)
        at += len(sound)
    last = stage.found[-1].event
    assert isinstance(last, SentimentFound)
    assert last.emotion is Emotion.AGITATED
    assert last.voice["pitch_st"] == pytest.approx(7.4, abs=0.3)
    assert last.voice["level_db"] == pytest.approx(12, abs=1)
    assert unpack(pack(stage.found[-1])) == stage.found[-1]


async def test_the_last_turn_counts_although_the_call_is_over(stage: Stage) -> None:
    stage.say("I hate this, goodbye and never again!")
    stage.timeline.emit(CallEnded(EndReason.CALLER_HUNG_UP))
    assert (await stage.told(1)).label == "negative"
    await asyncio.sleep(0)
    assert stage.desk._calls == {}


async def test_a_call_without_words_leaves_nothing(stage: Stage) -> None:
    stage.timeline.emit(CallEnded(EndReason.CALLER_HUNG_UP))
    assert stage.desk._calls == {}
    assert stage.desk.tap("call_1", PHONE) is None


async def test_words_alone_where_the_voice_is_off() -> None:
    desk = SentimentDesk(TextReader(), voice=False)
    stage = Stage(desk)
    assert desk.tap("call_1", PHONE) is None
    stage.say("I love it, thank you so much")
    assert (await stage.told(1)).label == "positive"
    stage.say("one more thing")
    await desk.close()  # with a turn under way
    assert len(stage.found) <= 2


async def test_a_reader_that_fails_costs_its_turn_only() -> None:
    class Broken(TextReader):
        def read(self, text, language=""):
            if "bad" in text:
                raise ValueError(text)
            return super().read(text, language)

    desk = SentimentDesk(Broken())
    stage = Stage(desk)
    stage.say("bad")
    stage.say("I love it, thank you so much", 2)
    assert (await stage.told(1)).turn == 2
    await desk.close()


def test_recent_sound_by_its_sample() -> None:
    recent = Recent(WIDEBAND)
    for at in range(0, 16_000, 320):
        recent.take(at, bytes([at // 320 % 256, 0]) * 320)
    assert len(recent.cut(0, 1000)) == 32_000
    assert recent.cut(20, 40) == b"\x01\x00" * 320
    assert recent.cut(2000, 3000) == b""
    recent.take(32_000, b"\x07\x00" * 320)  # after a hole
    assert recent.cut(0, 1000) == b""
    assert recent.cut(2000, 2020) == b"\x07\x00" * 320
    assert recent.cut(1000, 2020) == b"\x07\x00" * 320


def test_recent_sound_is_bounded() -> None:
    recent = Recent(PHONE)
    for at in range(0, 8000 * 60, 160):
        recent.take(at, bytes(160))
        recent.take(at + 160, b"")
    assert len(recent._frames) == 12_000 // 20
    assert len(recent.cut(0, 60_000)) == PHONE.size(12_000)
    assert len(recent.cut(55_000, 60_000)) == PHONE.size(5_000)
