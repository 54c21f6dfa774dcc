"""Whisper in worker threads, by a stand-in for faster_whisper that hears what it is given."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import whisper
from tests.fakes.tone_words import ARABIC, ENGLISH, speak
from tests.fakes.whisper import Segment

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat
from offhook.foundation.errors import MissingExtraError, MissingModelError, ProviderError, UnfitError
from offhook.speech.stt.whisper import WhisperRecognizer, WhisperStt

ORDER = "i would like to book a table"
Model = type[whisper.WhisperModel]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    class Fresh(whisper.WhisperModel):
        threads: set[str] = set()
        clips: list[float] = []

    monkeypatch.setitem(sys.modules, "faster_whisper", whisper.module(Fresh))
    return Fresh


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    for name in ("model.bin", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.fixture
async def stt(model: Model, weights: Path) -> AsyncIterator[WhisperStt]:
    stt = WhisperStt(weights, deadline=2.0)
    yield stt
    await stt.close()


def push(recognizer: WhisperRecognizer, sound: bytes, format: AudioFormat = PHONE) -> None:
    size = format.size(32)
    for at in range(0, len(sound), size):
        recognizer.push(sound[at : at + size])


@pytest.mark.parametrize("format", [PHONE, WIDEBAND], ids=["phone", "wideband"])
async def test_an_utterance_becomes_words(stt: WhisperStt, format: AudioFormat) -> None:
    recognizer = stt.open(format, "en")
    recognizer.begin()
    push(recognizer, speak(ORDER, format, 160), format)
    transcript = await recognizer.finish()
    assert (transcript.text, transcript.language) == (ORDER, "en")
    assert transcript.confidence == pytest.approx(0.82, abs=0.01)
    await recognizer.close()


async def test_it_runs_in_a_thread_of_its_own(stt: WhisperStt, model: Model) -> None:
    recognizer = stt.open(PHONE, "en")
    push(recognizer, speak(ORDER, PHONE))
    await recognizer.finish()
    assert model.threads == {"offhook-whisper-0"}
    assert threading.current_thread().name not in model.threads


async def test_a_pause_that_was_not_the_end_is_gone_on_from(stt: WhisperStt, model: Model) -> None:
    recognizer = stt.open(PHONE, "en")
    recognizer.begin()
    push(recognizer, speak(ORDER, PHONE))
    assert (await recognizer.finish()).text == ORDER
    push(recognizer, speak("for two people", PHONE))
    assert (await recognizer.finish()).text == f"{ORDER} for two people"
    heard = len(model.clips)
    assert (await recognizer.finish()).text == f"{ORDER} for two people"
    assert len(model.clips) == heard, "nothing new: nothing to do"
    recognizer.begin()
    assert (await recognizer.finish()).text == ""


async def test_words_are_told_while_they_come(stt: WhisperStt) -> None:
    partials: list[str] = []
    recognizer = stt.open(PHONE, "en", partials.append)
    recognizer.begin()
    sound = speak(f"{ORDER} for two people at seven", PHONE)
    for at in range(0, len(sound), 8_000):
        push(recognizer, sound[at : at + 8_000])
        await asyncio.sleep(0.05)
    assert len(partials) >= 2
    assert partials[-1].startswith("i would like")
    assert (await recognizer.finish()).text == f"{ORDER} for two people at seven"


async def test_a_long_utterance_is_settled_on_the_way(stt: WhisperStt, model: Model) -> None:
    """Whisper hears half a minute; what is settled is not heard again."""
    recognizer = stt.open(PHONE, "en")
    recognizer.begin()
    sentence = speak(" ".join(ENGLISH), PHONE, 400)
    for _ in range(20):
        push(recognizer, sentence)
        async with asyncio.timeout(2):
            await asyncio.sleep(0)
            while not stt.workers.idle:
                await asyncio.sleep(0.001)
    assert (await recognizer.finish()).text == " ".join(ENGLISH * 20)
    assert max(model.clips) < 40


async def test_each_utterance_has_its_language(stt: WhisperStt) -> None:
    recognizer = stt.open(PHONE, "en", languages=["ar"])
    for text, language in ((ORDER, "en"), (" ".join(ARABIC), "ar")):
        recognizer.begin()
        push(recognizer, speak(text, PHONE))
        transcript = await recognizer.finish()
        assert (transcript.text, transcript.language) == (text, language)


@pytest.mark.parametrize(
    ("chances", "found"),
    [
        ({"fr": 0.9, "ar": 0.05, "en": 0.01}, "ar"),
        ({"fr": 0.9, "ar": 0.03, "en": 0.05}, "en"),
        ({"fr": 1.0}, "en"),
    ],
)
async def test_only_wanted_languages_are_found(
    stt: WhisperStt, model: Model, chances: dict[str, float], found: str
) -> None:
    model.chances = chances
    recognizer = stt.open(PHONE, "en", languages=["ar"])
    push(recognizer, speak(ORDER, PHONE))
    assert (await recognizer.finish()).language == found


async def test_with_none_wanted_any_language_is_found(stt: WhisperStt, model: Model) -> None:
    model.chances = {"fr": 0.9, "en": 0.1}
    recognizer = stt.open(PHONE, "")
    push(recognizer, speak(ORDER, PHONE))
    assert (await recognizer.finish()).language == "fr"


async def test_weights_of_one_language_need_not_detect_it(model: Model, weights: Path) -> None:
    model.languages = ("en",)
    model.chances = {"fr": 1.0}
    stt = WhisperStt(weights)
    recognizer = stt.open(PHONE, "")
    push(recognizer, speak(ORDER, PHONE))
    assert (await recognizer.finish()).language == "en"
    with pytest.raises(UnfitError, match="do not know 'ar'"):
        stt.open(PHONE, "ar")
    await stt.close()


@pytest.mark.parametrize(
    "invented",
    [
        Segment(" ... ", 1.0),
        Segment(" Thank you.", 1.0, avg_logprob=-1.1, no_speech_prob=0.7),
        Segment(" Mumble", 1.0, avg_logprob=-1.1),
    ],
)
async def test_words_that_nobody_said_are_left_out(stt: WhisperStt, model: Model, invented: Segment) -> None:
    model.invents = (invented,)
    recognizer = stt.open(PHONE, "en")
    push(recognizer, speak(ORDER, PHONE))
    assert (await recognizer.finish()).text == ORDER


async def test_silence_is_not_even_listened_to(stt: WhisperStt, model: Model) -> None:
    recognizer = stt.open(PHONE, "en")
    recognizer.begin()
    push(recognizer, PHONE.silence(16_000))
    assert (await recognizer.finish()).text == ""
    assert model.clips == []


async def test_dropping_gives_up_what_is_waited_for(stt: WhisperStt, model: Model) -> None:
    model.seconds = 0.05
    recognizer = stt.open(PHONE, "en")
    push(recognizer, speak(ORDER, PHONE))
    waiting = asyncio.create_task(recognizer.finish())
    await asyncio.sleep(0.01)
    recognizer.drop()
    assert (await waiting).text == ""
    push(recognizer, speak("thank you", PHONE))
    assert (await recognizer.finish()).text == "thank you"


async def test_who_waits_may_be_cancelled(stt: WhisperStt, model: Model) -> None:
    model.seconds = 0.05
    recognizer = stt.open(PHONE, "en")
    push(recognizer, speak(ORDER, PHONE))
    waiting = asyncio.create_task(recognizer.finish())
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await recognizer.finish()).text == ORDER


async def test_a_slow_model_has_a_deadline(model: Model, weights: Path) -> None:
    model.seconds = 0.15
    stt = WhisperStt(weights, deadline=0.05)
    recognizer = stt.open(PHONE, "en")
    push(recognizer, speak(ORDER, PHONE))
    began = time.perf_counter()
    with pytest.raises(ProviderError, match="longer than"):
        await recognizer.finish()
    assert time.perf_counter() - began < 0.13
    await stt.close()


async def test_a_model_that_fails_is_a_provider_that_fails(stt: WhisperStt, model: Model) -> None:
    model.error = RuntimeError("CUDA out of memory: 13 secrets")
    recognizer = stt.open(PHONE, "en")
    push(recognizer, speak(ORDER, PHONE))
    with pytest.raises(ProviderError, match="failed \\(RuntimeError\\)"):
        await recognizer.finish()
    model.error = None
    assert (await recognizer.finish()).text == ORDER


def test_without_the_package_the_error_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, weights: Path
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(MissingExtraError, match="offhook\\[whisper\\]"):
        WhisperStt(weights)


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json"])
def test_without_weights_the_error_says_which(model: Model, weights: Path, missing: str) -> None:
    (weights / missing).unlink()
    with pytest.raises(MissingModelError, match=missing):
        WhisperStt(weights)
    with pytest.raises(MissingModelError, match=r"whisper\.weights"):
        WhisperStt(None)


def test_a_device_that_cannot_do_it(model: Model, weights: Path) -> None:
    with pytest.raises(ProviderError, match="on 'cpu' as 'int3'") as raised:
        WhisperStt(weights, compute_type="int3")
    assert not raised.value.retryable


def test_the_stand_in_has_the_signatures_of_the_real_one() -> None:
    import faster_whisper

    real: Any = faster_whisper.WhisperModel
    assert {name: whisper.names_of(getattr(real, name)) for name in whisper.SIGNATURES} == whisper.SIGNATURES
