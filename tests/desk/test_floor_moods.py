"""From a caller's microphone to the floor: the sound of a turn can be measured, its words are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.desk.desk_stage import DeskStage, staged

from offhook.audio.convert import to_samples
from offhook.audio.prosody import measure
from offhook.center.alerts.rules import Cause, Rule
from offhook.center.alerts.watch import AlertDesk
from offhook.center.sentiment.reader import TextReader
from offhook.center.sentiment.watch import SentimentDesk
from offhook.foundation.clock import SystemClock
from offhook.foundation.desk_events import AlertRaised, SentimentFound
from offhook.foundation.events import LegKind, TranscriptFinal
from offhook.providers.moods import Moods


@pytest.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with staged() as found:
        yield found


@pytest.fixture
async def sentiment() -> AsyncIterator[SentimentDesk]:
    desk = SentimentDesk(TextReader())
    yield desk
    await desk.close()


async def test_a_turn_is_heard_and_read_and_raises_an_alert(
    stage: DeskStage, sentiment: SentimentDesk
) -> None:
    alerts = AlertDesk([Rule("Unhappy", Cause.SCORE, below=-0.5)], SystemClock())
    moods = Moods(sentiment, alerts, None)
    stage.more, stage.tap = moods.follow, moods.tap
    caller = await stage.caller()
    timeline = stage.call.session.timeline
    call = sentiment._calls[stage.call.id]
    await caller.talk(900, 200)
    end = int(timeline.now_ms())
    line = TranscriptFinal(
        LegKind.CALLER, 1, "This is terrible, I am really angry with you.", end - 700, end, "en"
    )
    timeline.emit(line)

    def found(kind: type) -> object | None:
        return next((entry.event for entry in timeline.recent if isinstance(entry.event, kind)), None)

    async with asyncio.timeout(5):
        while found(AlertRaised) is None:
            await asyncio.sleep(0.01)
    mood, alert = found(SentimentFound), found(AlertRaised)
    assert isinstance(mood, SentimentFound)
    assert isinstance(alert, AlertRaised)
    assert (mood.label, mood.turn, mood.at_ms) == ("negative", 1, end)
    assert (alert.rule, alert.cause) == ("Unhappy", "score")
    assert call.recent is not None
    assert call.format is not None
    sound = call.recent.cut(line.started_ms, line.ended_ms)
    heard = measure(to_samples(sound, call.format.encoding), call.format.rate)
    assert heard.pitch_hz == pytest.approx(200, rel=0.05)
    assert heard.speech_ms > 400
    watcher = await stage.watcher()
    card = (await watcher.wait("floor"))["calls"][0]
    assert card["sentiment"]["emotion"] == "unhappy"
    assert card["alerts"][0]["rule"] == "Unhappy"
