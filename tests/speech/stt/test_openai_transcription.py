"""OpenAI's transcription sessions: items by their ids, in the order of the sound; what it refuses."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.fakes.tone_words import ARABIC, speak
from tests.speech.stt.hosted_vendors import CASES, staged

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.stt.dialect import Interim, Ready, Settled
from offhook.speech.stt.openai import OpenAiDialect, vendor_format

ORDER = "i would like to book a table"
OPENAI = CASES["openai"]


async def test_the_session_is_configured_before_any_sound() -> None:
    options = {"model": "gpt-transcribe", "prompt": "a restaurant", "keywords": ["Offhook"]}
    options |= {"noise_reduction": "near_field", "logprobs": True}
    async with staged(OPENAI, options=options) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
        update = stage.fake.visits[0].texts[0]
        assert update["session"]["type"] == "transcription"
        heard = update["session"]["audio"]["input"]
        assert heard["format"] == {"type": "audio/pcmu"}
        assert heard["turn_detection"] is None
        assert heard["transcription"] == {
            "model": "gpt-transcribe",
            "language": "en",
            "prompt": "a restaurant",
            "keywords": ["Offhook"],
        }


async def test_the_language_of_each_utterance_is_told() -> None:
    async with staged(OPENAI, options={"languages": ["en", "ar"]}) as stage:
        for text, language in ((ORDER, "en"), (" ".join(ARABIC), "ar")):
            stage.recognizer.begin()
            await stage.push(speak(text, PHONE, 160))
            transcript = await stage.recognizer.finish()
            assert (transcript.text, transcript.language) == (text, language)
            stage.recognizer.drop()
        update = stage.fake.visits[0].texts[0]
        assert update["session"]["audio"]["input"]["transcription"]["languages"] == ["en", "ar"]


async def test_items_completed_in_another_order_are_put_right() -> None:
    async with staged(OPENAI, swaps=True) as stage:
        stage.recognizer.begin()
        await stage.push(speak("for two people", PHONE, 160))
        first = asyncio.create_task(stage.recognizer.finish())
        await asyncio.sleep(0.02)
        await stage.push(speak("at seven", PHONE, 160))
        assert (await stage.recognizer.finish()).text == "for two people at seven"
        assert (await first).text == "for two people at seven"


async def test_a_transcription_that_failed_is_tried_once_more() -> None:
    async with staged(OPENAI, fails=1) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
    async with staged(OPENAI, fails=2) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        with pytest.raises(ProviderError, match="could not transcribe"):
            await stage.recognizer.finish()


@pytest.mark.parametrize(
    ("kind", "code", "error"),
    [
        ("invalid_request_error", "invalid_api_key", DeniedError),
        ("insufficient_quota", "insufficient_quota", DeniedError),
    ],
)
async def test_an_error_for_good(kind: str, code: str, error: type[ProviderError]) -> None:
    async with staged(OPENAI, error=(kind, code)) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        with pytest.raises(error):
            await stage.recognizer.finish()
        assert len(stage.fake.visits) == 1


@pytest.mark.parametrize(
    ("kind", "code"),
    [("server_error", ""), ("invalid_request_error", "session_expired"), ("rate_limit_error", "")],
)
async def test_a_session_that_ends_is_begun_again(kind: str, code: str) -> None:
    async with staged(OPENAI, error=(kind, code)) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
        assert len(stage.fake.visits) == 2


@pytest.mark.parametrize("ms", [1, 40, 99])
async def test_a_very_short_sound_is_made_long_enough(ms: int) -> None:
    async with staged(OPENAI) as stage:
        stage.recognizer.begin()
        await stage.push(PHONE.silence(PHONE.samples(ms)))
        assert (await stage.recognizer.finish()).text == ""


def test_g711_goes_out_as_it_is() -> None:
    alaw = AudioFormat(Encoding.ALAW, 8_000)
    assert [vendor_format(format) for format in (PHONE, alaw)] == [PHONE, alaw]
    assert vendor_format(WIDEBAND) == AudioFormat(Encoding.PCM16, 24_000)


class Session:
    """A dialect and what it is told."""

    def __init__(self) -> None:
        self.dialect = OpenAiDialect("openai", "ws://x", {}, "{}", PHONE)

    def told(self, kind: str, **fields: object) -> tuple[object, ...]:
        return tuple(self.dialect.read(json.dumps({"type": kind, **fields}))[0])

    def words(self, kind: str, item: str, **fields: object) -> tuple[object, ...]:
        return self.told(f"conversation.item.input_audio_transcription.{kind}", item_id=item, **fields)

    def spoken(self, ms: int) -> None:
        self.dialect.audio(PHONE.silence(PHONE.samples(ms)))

    def committed(self, at_ms: float, item: str) -> None:
        list(self.dialect.flush(at_ms, 500))
        self.told("input_audio_buffer.committed", item_id=item)


def test_the_session_gets_ready() -> None:
    session = Session()
    assert session.dialect.read('{"type":"session.created"}') == ((), ("{}",))
    assert session.told("session.updated") == (Ready(),)
    assert session.dialect.keep_alive() == ()


def test_words_may_come_before_their_commit() -> None:
    session = Session()
    session.spoken(500)
    assert session.words("delta", "a", delta="hel") == (Interim("hel", 500),)
    session.spoken(500)
    assert session.words("delta", "a", delta="lo") == (Interim("hello", 1_000),)
    session.committed(1_000, "a")
    session.spoken(300)
    assert session.words("delta", "b", delta="you") == (Interim("hello you", 1_000),)
    assert session.words("completed", "a", transcript="Hello.") == (Settled("Hello.", 1_000),)


def test_words_of_what_was_dropped_are_not_told() -> None:
    session = Session()
    session.spoken(500)
    session.words("delta", "a", delta="noise")
    assert session.dialect.drop(500, 500, False) == ('{"type":"input_audio_buffer.clear"}',)
    assert session.words("delta", "a", delta="more") == ()
    session.spoken(500)
    assert session.words("delta", "b", delta="hello") == (Interim("hello", 1_000),)
    session.committed(1_000, "b")
    assert session.words("failed", "a", error={"code": "x"}) == (Settled("", 500),)
    assert session.words("completed", "b", transcript="hello") == (Settled("hello", 1_000),)


def test_a_failure_of_what_was_dropped_matters_not() -> None:
    session = Session()
    session.spoken(500)
    session.committed(500, "a")
    session.dialect.drop(500, 0, True)
    assert session.words("failed", "a", error={}) == (Settled("", 500),)


def test_an_empty_commit_is_answered_by_an_error() -> None:
    session = Session()
    session.told("session.updated")
    commit = list(session.dialect.flush(1_000, 500))[-1]
    event = json.loads(commit)["event_id"]
    fault = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "event_id": event}
    assert session.told("error", error=fault) == (Settled("", 1_000),)
    assert session.told("error", error={"type": "invalid_request_error", "code": "other"}) == ()


def test_what_it_does_not_accept_at_first() -> None:
    with pytest.raises(UnfitError, match="model"):
        Session().told("error", error={"type": "invalid_request_error", "code": "model_not_found"})
    with pytest.raises(BusyError):
        Session().told("error", error={"type": "server_error"})


def test_items_without_end() -> None:
    session = Session()
    for number in range(64):
        session.words("delta", f"item_{number}", delta="x")
    with pytest.raises(ProviderError, match="does not finish"):
        session.words("delta", "one more", delta="x")


def test_news_are_let_pass() -> None:
    session = Session()
    assert session.told("rate_limits.updated") == ()
    assert session.told("input_audio_buffer.committed", item_id="unasked") == ()
