"""Flux: its words without a flush, and its own judgement of the turn."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.fakes.tone_words import ARABIC, speak
from tests.speech.stt.hosted_vendors import CASES, Stage, staged

from offhook.audio.frame import PHONE
from offhook.engines.base import CallContext
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.agent import Agent
from offhook.foundation.clock import ManualClock
from offhook.foundation.errors import UnfitError
from offhook.speech.fallback import Lineup, Place
from offhook.speech.fallback_stt import FallbackStt
from offhook.speech.llm.fake import ScriptedLlm
from offhook.speech.stt.deepgram_flux import DeepgramFluxStt, FluxDialect, FluxRecognizer
from offhook.speech.stt.dialect import Interim, Settled, TurnSound
from offhook.speech.tts.fake import ScriptedTts
from offhook.speech.turn.fake import ScriptedTurn

ORDER = "i would like to book a table"
FLUX = CASES["flux"]


def judge(stage: Stage) -> FluxRecognizer:
    assert isinstance(stage.recognizer, FluxRecognizer)
    return stage.recognizer


async def over(stage: Stage) -> float:
    found = await judge(stage).turn_complete()
    assert found is not None
    return found


async def test_it_judges_that_a_turn_is_over_from_silence_and_not_before() -> None:
    async with staged(FLUX) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE))
        await stage.settled()
        began = time.perf_counter()
        assert await over(stage) < 0.5
        assert 0.25 < time.perf_counter() - began < 0.45, "it was given time to find out"
        await stage.push(PHONE.silence(3_200))
        began = time.perf_counter()
        assert await over(stage) == 1.0
        assert time.perf_counter() - began < 0.1
        assert (await stage.recognizer.finish()).text == ORDER


async def test_a_turn_that_goes_on_is_not_over_any_more() -> None:
    async with staged(FLUX) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 400))
        assert await over(stage) == 1.0
        await stage.push(speak("for two people", PHONE))
        await stage.settled()
        assert await over(stage) < 0.5
        await stage.push(PHONE.silence(3_200))
        assert await over(stage) == 1.0
        assert (await stage.recognizer.finish()).text == f"{ORDER} for two people"


async def test_an_eager_end_counts_as_likely() -> None:
    async with staged(FLUX, options={"eager_threshold": 0.4}) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 100))
        assert 0.5 <= await over(stage) < 1
        assert stage.fake.visits[0].get("eager_eot_threshold") == "0.4"


async def test_without_a_word_from_flux_it_has_no_opinion() -> None:
    async with staged(FLUX, deaf=True) as stage:
        assert await judge(stage).turn_complete() is None
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        waiting = asyncio.create_task(judge(stage).turn_complete())
        await asyncio.sleep(0.02)
        stage.recognizer.drop()
        assert await waiting is None


async def test_turns_are_not_forced_while_flux_says_enough_by_itself() -> None:
    async with staged(FLUX) as stage:
        for _ in range(3):
            stage.recognizer.begin()
            await stage.push(speak(ORDER, PHONE, 160))
            assert await stage.words() == ORDER
            stage.recognizer.drop()
        assert stage.fake.visits[0].texts == []


async def test_a_caller_who_hangs_up_in_mid_sentence_is_heard_to_the_end() -> None:
    """No more sound comes that would make Flux tell its words: they are asked for."""
    async with staged(FLUX) as stage:
        stage.recognizer.begin()
        await stage.push(speak("please thank you", PHONE))
        began = time.perf_counter()
        assert (await stage.recognizer.finish()).text == "please thank you"
        assert time.perf_counter() - began < 0.6


async def test_a_turn_under_way_is_ended_when_it_is_dropped() -> None:
    async with staged(FLUX) as stage:
        stage.recognizer.begin()
        await stage.push(speak("thank you", PHONE))
        await stage.settled()
        await asyncio.sleep(0.02)
        stage.recognizer.drop()
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert await stage.words() == ORDER
        assert stage.fake.visits[0].texts == [{"type": "ForceEndTurn"}]


async def test_the_multilingual_model_tells_the_language() -> None:
    options = {"model": "flux-general-multi", "languages": ["en", "ar"]}
    async with staged(FLUX, options=options) as stage:
        for text, language in ((ORDER, "en"), (" ".join(ARABIC), "ar")):
            stage.recognizer.begin()
            await stage.push(speak(text, PHONE, 400))
            transcript = await stage.recognizer.finish()
            assert (transcript.text, transcript.language) == (text, language)
            stage.recognizer.drop()
        assert stage.fake.visits[0].all("language_hint") == ["en", "ar"]


async def test_the_english_model_refuses_another_language() -> None:
    stt = DeepgramFluxStt("key")
    assert stt.languages == ("en",)
    for language, others in (("ar", ()), ("", ("en", "ar"))):
        with pytest.raises(UnfitError, match="flux-general-multi"):
            stt.open(PHONE, language, None, others)


async def test_the_cascade_asks_flux_before_the_turn_model() -> None:
    """Through the order of recognizers, too; the model judges while Flux says nothing."""
    agent, turn = Agent(), ScriptedTurn([0.125])
    async with staged(FLUX) as stage:
        stt = FallbackStt(Lineup([Place("stt", "deepgram", stage.stt)]))
        factory = CascadeFactory(stt, ScriptedLlm(), ScriptedTts(), turn, ManualClock())
        engine = factory.open(CallContext("call_x", agent, PHONE, lambda text: None))
        assert await engine.finished() == 0.125
        engine.hear_begin()
        sound = speak(ORDER, PHONE, 400)
        for at in range(0, len(sound), 256):
            engine.hear(sound[at : at + 256])
        assert await engine.finished() == 1.0
        assert (await engine.heard()).text == ORDER
        await engine.close()
        await factory.close()


def info(event: str, over: float, text: str = "", end: float = 1.0) -> str:
    return (
        f'{{"type":"TurnInfo","event":"{event}","turn_index":0,"audio_window_end":{end},'
        f'"transcript":"{text}","words":[],"end_of_turn_confidence":{over}}}'
    )


@pytest.mark.parametrize(
    ("event", "over", "meant"),
    [
        ("Update", 0.0, 0.0),
        ("Update", 0.35, 0.25),
        ("Update", 0.7, 0.5),
        ("Update", 0.85, 0.75),
        ("EagerEndOfTurn", 0.4, 0.5),
        ("TurnResumed", 0.07, 0.05),
        ("EndOfTurn", 0.7, 1.0),
    ],
)
def test_its_threshold_is_our_one_half(event: str, over: float, meant: float) -> None:
    dialect = FluxDialect("flux", "ws://x", {}, PHONE, 0.7)
    heard, answers = dialect.read(info(event, over))
    (turn,) = [one for one in heard if isinstance(one, TurnSound)]
    assert turn.over == pytest.approx(meant)
    assert answers == ()


def test_a_threshold_of_one_never_ends_a_turn() -> None:
    dialect = FluxDialect("flux", "ws://x", {}, PHONE, 1.0)
    heard, _ = dialect.read(info("Update", 1.0))
    assert heard[1] == TurnSound(0.5, 1_000)


def test_silence_of_our_own_does_not_count_as_sound() -> None:
    dialect = FluxDialect("flux", "ws://x", {}, PHONE, 0.7)
    (silence,) = dialect.keep_alive()
    assert silence == PHONE.silence(640)
    heard, _ = dialect.read(info("Update", 0, "hello", 1.08))
    assert heard[0] == Interim("hello", pytest.approx(1_000))
    list(dialect.flush(1_100, 300))
    heard, _ = dialect.read(info("EndOfTurn", 0.5, "hello", 1.2))
    assert heard[0] == Settled("hello", 1_100), "the end of what was asked for"
