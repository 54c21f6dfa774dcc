"""Scribe: commits in their order, languages that come after the words, refusals told in the session."""

from __future__ import annotations

import json

import pytest
from tests.fakes.tone_words import ARABIC, speak
from tests.speech.stt.hosted_vendors import CASES, staged

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.stt.dialect import Described, Interim, Settled
from offhook.speech.stt.scribe import ScribeDialect, vendor_format

ORDER = "i would like to book a table"
SCRIBE = CASES["scribe"]


async def failure(**troubles: object) -> tuple[ProviderError, int]:
    options = troubles.pop("options", None)
    async with staged(SCRIBE, options=options, **troubles) as stage:  # type: ignore[arg-type]
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        with pytest.raises(ProviderError) as raised:
            await stage.recognizer.finish()
        return raised.value, len(stage.fake.visits)


async def test_a_wrong_key_may_be_told_in_the_session() -> None:
    error, visits = await failure(options={"key": "wrong"}, polite=True)
    assert isinstance(error, DeniedError)
    assert visits == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [("quota_exceeded", DeniedError), ("unaccepted_terms", DeniedError), ("invalid_request", UnfitError)],
)
async def test_a_refusal_in_the_session_is_not_tried_again(code: str, kind: type[ProviderError]) -> None:
    error, visits = await failure(error=code)
    assert isinstance(error, kind)
    assert visits == 1


@pytest.mark.parametrize("code", ["rate_limited", "queue_overflow", "session_time_limit_exceeded", "error"])
async def test_a_failure_in_the_session_is_survived(code: str) -> None:
    async with staged(SCRIBE, error=code) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
        assert len(stage.fake.visits) == 2


@pytest.mark.parametrize("code", ["commit_throttled", "insufficient_audio_activity"])
async def test_a_commit_that_is_not_carried_out_has_no_words(code: str) -> None:
    async with staged(SCRIBE, error=code) as stage:
        stage.recognizer.begin()
        await stage.push(PHONE.silence(8_000))
        assert (await stage.recognizer.finish()).text == ""
        assert len(stage.fake.visits) == 1


@pytest.mark.parametrize("ms", [1, 40, 299])
async def test_a_very_short_sound_is_made_long_enough(ms: int) -> None:
    async with staged(SCRIBE) as stage:
        stage.recognizer.begin()
        await stage.push(PHONE.silence(PHONE.samples(ms)))
        assert (await stage.recognizer.finish()).text == ""


@pytest.mark.parametrize("plain", [True, False])
async def test_the_language_of_each_utterance_is_told(plain: bool) -> None:
    """With the plain message before the described one, or without it."""
    async with staged(SCRIBE, options={"languages": ["en", "ar"]}, plain=plain) as stage:
        for text, language in ((ORDER, "en"), (" ".join(ARABIC), "ar"), (ORDER, "en"), (ORDER, "en")):
            stage.recognizer.begin()
            await stage.push(speak(text, PHONE, 160))
            transcript = await stage.recognizer.finish()
            assert (transcript.text, transcript.language) == (text, language)
            assert transcript.confidence == pytest.approx(0.905, abs=0.01)
            stage.recognizer.drop()
        visit = stage.fake.visits[0]
        assert visit.get("language_code") == "en"
        assert visit.all("secondary_languages") == ["ar"]


async def test_the_format_goes_into_the_address() -> None:
    async with staged(SCRIBE, WIDEBAND) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, WIDEBAND, 160))
        await stage.recognizer.finish()
        visit = stage.fake.visits[0]
        assert visit.get("audio_format") == "pcm_16000"
        assert visit.get("commit_strategy") == "manual"
        assert {text["sample_rate"] for text in visit.texts} == {16_000}


@pytest.mark.parametrize(
    ("encoding", "rate", "sent"),
    [
        (Encoding.ULAW, 8_000, PHONE),
        (Encoding.ALAW, 8_000, PHONE),
        (Encoding.PCM16, 8_000, AudioFormat(Encoding.PCM16, 8_000)),
        (Encoding.PCM16, 48_000, AudioFormat(Encoding.PCM16, 48_000)),
        (Encoding.PCM16, 32_000, WIDEBAND),
        (Encoding.ULAW, 16_000, WIDEBAND),
    ],
)
def test_audio_is_converted_only_where_it_must_be(encoding: Encoding, rate: int, sent: AudioFormat) -> None:
    assert vendor_format(AudioFormat(encoding, rate)) == sent


def dialect() -> ScribeDialect:
    return ScribeDialect("elevenlabs", "ws://x", {}, PHONE, True)


def test_answers_belong_to_commits_in_their_order() -> None:
    one = dialect()
    one.audio(b"\xff" * 8_000)
    assert one.read('{"message_type":"partial_transcript","text":"a"}')[0] == (Interim("a", 1_000),)
    one.flush(1_000, 1_000)
    one.audio(b"\xff" * 8_000)
    one.flush(2_000, 1_000)
    assert one.read('{"message_type":"partial_transcript","text":"a"}')[0] == (Interim("a", 1_000),)
    assert one.read('{"message_type":"committed_transcript","text":"a"}')[0] == (Settled("a", 1_000),)
    assert one.read('{"message_type":"committed_transcript","text":"a"}')[0] == (Settled("a", 2_000),)
    assert one.read('{"message_type":"committed_transcript","text":"a"}')[0] == (), "said twice"
    assert one.read('{"message_type":"committed_transcript","text":"b"}')[0] == (Settled("b", 2_000),)


def test_descriptions_do_not_repeat_the_words() -> None:
    one = dialect()
    one.flush(1_000, 1_000)
    one.flush(2_000, 1_000)
    told = {"message_type": "committed_transcript_with_timestamps", "text": "a", "language_code": "eng"}
    one.read('{"message_type":"committed_transcript","text":"a"}')
    assert one.read(json.dumps(told))[0] == (Described("en"),)
    assert one.read(json.dumps({**told, "message_type": "final_transcript"}))[0] == (Described("en"),)
    assert one.read(json.dumps(told))[0] == (Settled("a", 2_000), Described("en"))


def test_a_refused_commit_without_a_commit_is_let_pass() -> None:
    assert dialect().read('{"message_type":"commit_throttled","error":"?"}') == ((), ())


def test_overload_is_told_as_such() -> None:
    with pytest.raises(BusyError, match="resource_exhausted"):
        dialect().read('{"message_type":"resource_exhausted","error":"?"}')
