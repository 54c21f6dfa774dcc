"""Deepgram's v1 stream: which sound its words cover, Finalize that is not answered, languages."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.fakes.tone_words import ARABIC, speak
from tests.speech.stt.hosted_vendors import CASES, limits, staged

from offhook.audio.frame import PHONE
from offhook.foundation.errors import ProviderError
from offhook.speech.stt.deepgram import DeepgramDialect
from offhook.speech.stt.dialect import Interim, Settled

ORDER = "i would like to book a table"
DEEPGRAM = CASES["deepgram"]


async def test_the_address_carries_the_format_and_the_options() -> None:
    async with staged(DEEPGRAM, options={"keyterms": ["Offhook"], "languages": ["en"]}) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE))
        await stage.recognizer.finish()
        visit = stage.fake.visits[0]
        wanted = {"model": "nova-3", "encoding": "mulaw", "sample_rate": "8000", "language": "en"}
        assert {name: visit.get(name) for name in wanted} == wanted
        assert visit.all("keyterm") == ["Offhook"]
        assert visit.headers["authorization"].startswith("Token ")


async def test_the_language_of_each_utterance_is_told() -> None:
    async with staged(DEEPGRAM, options={"languages": ["en", "ar"]}) as stage:
        for text, language in ((ORDER, "en"), (" ".join(ARABIC), "ar"), (f"{ORDER} {ARABIC[0]}", "en")):
            stage.recognizer.begin()
            await stage.push(speak(text, PHONE, 160))
            transcript = await stage.recognizer.finish()
            assert (transcript.text, transcript.language) == (text, language)
            stage.recognizer.drop()
        visit = stage.fake.visits[0]
        assert visit.get("language") == "multi"
        assert visit.all("language_hint") == ["en", "ar"]


async def test_a_finalize_without_an_answer_costs_half_a_second_at_most() -> None:
    """The vendor need not answer it; the words that are known so far reach far enough."""
    async with staged(DEEPGRAM, finalizes=False) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        began = time.perf_counter()
        assert (await stage.recognizer.finish()).text == ORDER
        assert time.perf_counter() - began < 0.8


async def test_words_that_are_settled_already_are_there_at_once() -> None:
    async with staged(DEEPGRAM, think=1.0) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 240))
        await stage.settled()
        began = time.perf_counter()
        assert (await stage.recognizer.finish()).text == ORDER
        assert time.perf_counter() - began < 0.2, "its own pause ended the segment"


async def test_a_quiet_stream_is_kept_alive_by_messages_not_by_sound() -> None:
    async with staged(DEEPGRAM, options={"limits": limits(keep_alive=0.05)}, idle_seconds=0.15) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE))
        assert (await stage.recognizer.finish()).text == ORDER
        stage.recognizer.drop()
        heard = len(stage.fake.heard)
        await asyncio.sleep(0.3)
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE))
        assert (await stage.recognizer.finish()).text == ORDER
        assert {"type": "KeepAlive"} in stage.fake.visits[0].texts
        assert len(stage.fake.visits) == 1
        assert len(stage.fake.heard) == 2 * heard


def results(text: str, start: float, duration: float, final: bool = True, finalized: bool = False) -> str:
    flags = f'"is_final":{str(final).lower()},"from_finalize":{str(finalized).lower()}'
    words = f'{{"alternatives":[{{"transcript":"{text}","confidence":0.5,"words":[]}}]}}'
    return f'{{"type":"Results","start":{start},"duration":{duration},{flags},"channel":{words}}}'


def test_results_cover_the_sound_they_say() -> None:
    dialect = DeepgramDialect("deepgram", "ws://x", {}, PHONE)
    assert dialect.read(results("hello", 1.0, 0.5, final=False)) == ((Interim("hello", 1_500),), ())
    assert dialect.read(results("hello", 1.0, 0.5)) == ((Settled("hello", 1_500, "", 0.5),), ())


def test_an_answer_to_finalize_covers_what_was_asked_for() -> None:
    dialect = DeepgramDialect("deepgram", "ws://x", {}, PHONE)
    for at in (1_000, 1_600, 9_000):
        assert dialect.flush(at, 500) == ('{"type":"Finalize"}',)
    assert dialect.read(results("a", 0.0, 1.5, finalized=True))[0] == (Settled("a", 1_600, "", 0.5),)
    assert dialect.read(results("b", 1.5, 1.0, finalized=True))[0] == (Settled("b", 2_500, "", 0.5),)


def test_a_fault_ends_the_session() -> None:
    dialect = DeepgramDialect("deepgram", "ws://x", {}, PHONE)
    with pytest.raises(ProviderError, match="failed \\(SchemaError\\)"):
        dialect.read('{"type":"Error","variant":"SchemaError","description":"?"}')
    assert dialect.read('{"type":"Metadata"}') == ((), ())
