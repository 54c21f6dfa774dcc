"""What every hosted recognizer does, held with the fake of each vendor."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from tests.fakes.tone_words import ENGLISH, speak
from tests.speech.stt.hosted_vendors import CASES, Case, limits, staged

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.foundation.errors import ProviderError

ORDER = "i would like to book a table"
MORE = "for two people at seven"


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.mark.parametrize(
    "format",
    [PHONE, AudioFormat(Encoding.ALAW, 8_000), AudioFormat(Encoding.PCM16, 8_000), WIDEBAND],
    ids=lambda format: f"{format.encoding}-{format.rate}",
)
async def test_an_utterance_becomes_words(case: Case, format: AudioFormat) -> None:
    async with staged(case, format) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, format, 160))
        transcript = await stage.recognizer.finish()
        assert transcript.text == ORDER
        assert transcript.language == "en"
        assert 0 < transcript.confidence <= 1
        assert stage.partials[-1] == ORDER
        assert len(stage.fake.visits) == 1


async def test_phone_audio_goes_out_as_the_same_bytes(case: Case) -> None:
    sound = speak(ORDER, PHONE, 160)
    async with staged(case) as stage:
        stage.recognizer.begin()
        await stage.push(sound)
        await stage.recognizer.finish()
        await stage.settled()
        assert stage.fake.heard[: len(sound)] == sound
        assert set(stage.fake.heard[len(sound) :]) <= {0xFF}, "nothing but silence is added"


async def test_nothing_pushed_is_nothing_said(case: Case) -> None:
    async with staged(case) as stage:
        assert (await stage.recognizer.finish()).text == ""
        stage.recognizer.begin()
        assert (await stage.recognizer.finish()).text == ""


async def test_silence_has_no_words(case: Case) -> None:
    async with staged(case) as stage:
        stage.recognizer.begin()
        await stage.push(PHONE.silence(6_400))
        assert (await stage.recognizer.finish()).text == ""
        assert stage.partials == []


async def test_a_pause_that_was_not_the_end_is_gone_on_from(case: Case) -> None:
    async with staged(case) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
        await stage.push(speak(MORE, PHONE, 160))
        assert (await stage.recognizer.finish()).text == f"{ORDER} {MORE}"
        assert (await stage.recognizer.finish()).text == f"{ORDER} {MORE}", "asked again, nothing new"
        assert stage.partials[-1] == f"{ORDER} {MORE}"


async def test_utterances_follow_each_other_on_one_connection(case: Case) -> None:
    async with staged(case) as stage:
        for text in (ORDER, MORE, "thank you", "please"):
            stage.recognizer.begin()
            await stage.push(speak(text, PHONE, 160))
            assert (await stage.recognizer.finish()).text == text
            await stage.push(PHONE.silence(4_000))  # until the call is sure that it is the caller's end
            stage.recognizer.drop()
        assert len(stage.fake.visits) == 1


async def test_a_dropped_utterance_leaves_nothing_behind(case: Case) -> None:
    async with staged(case) as stage:
        for _ in range(3):
            stage.recognizer.begin()
            await stage.push(speak("thank you", PHONE, 160))
            await stage.settled()
            stage.recognizer.drop()
            stage.recognizer.begin()
            await stage.push(speak(ORDER, PHONE, 160))
            assert (await stage.recognizer.finish()).text == ORDER
            stage.recognizer.drop()


async def test_beginning_drops_what_was_unfinished(case: Case) -> None:
    async with staged(case) as stage:
        stage.recognizer.begin()
        await stage.push(speak("thank you", PHONE, 160))
        await stage.settled()
        stage.recognizer.begin()
        await stage.push(speak(MORE, PHONE, 160))
        assert (await stage.recognizer.finish()).text == MORE


async def test_who_waits_for_a_dropped_utterance_gets_nothing(case: Case) -> None:
    async with staged(case, deaf=True) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE))
        waiting = asyncio.create_task(stage.recognizer.finish())
        await asyncio.sleep(0.02)
        stage.recognizer.drop()
        assert (await waiting).text == ""


async def test_what_is_said_before_the_connection_is_there_is_not_lost(case: Case) -> None:
    async with staged(case, wait_seconds=0.1) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert not stage.fake.heard
        assert (await stage.recognizer.finish()).text == ORDER


async def test_audio_may_come_in_any_pieces(case: Case) -> None:
    chance = random.Random(3)
    sound = speak(ORDER, WIDEBAND, 160)
    async with staged(case, WIDEBAND) as stage:
        stage.recognizer.begin()
        at = 0
        while at < len(sound):
            size = chance.choice((1, 3, 7, 333, 641, 4_001))
            stage.recognizer.push(sound[at : at + size])
            at += size
            await asyncio.sleep(0)
        assert (await stage.recognizer.finish()).text == ORDER


async def test_speech_without_a_pause_is_settled_in_time(case: Case) -> None:
    """Half a minute: more than the ten seconds that are kept."""
    text = " ".join(ENGLISH * 8)
    async with staged(case) as stage:
        await stage.connected()
        stage.recognizer.begin()
        await stage.push(speak(text, PHONE, 160))
        assert (await stage.recognizer.finish()).text == text


async def test_more_than_can_be_kept_is_not_passed_off_as_all(case: Case) -> None:
    async with staged(case, wait_seconds=0.1) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 12_000))
        with pytest.raises(ProviderError, match="lost"):
            await stage.recognizer.finish()


@pytest.mark.parametrize(("cut_after_ms", "close_code"), [(200, 0), (900, 1001), (1_500, 1011), (1_900, 0)])
async def test_a_connection_that_dies_in_mid_utterance_loses_no_words(
    case: Case, cut_after_ms: float, close_code: int
) -> None:
    async with staged(case, cut_after_ms=cut_after_ms, close_code=close_code) as stage:
        stage.recognizer.begin()
        await stage.push(speak(f"{ORDER} {MORE}", PHONE, 160))
        assert (await stage.recognizer.finish()).text == f"{ORDER} {MORE}"
        assert len(stage.fake.visits) == 2


async def test_a_connection_that_dies_late_in_a_long_utterance_loses_no_words(case: Case) -> None:
    text = " ".join(ENGLISH * 4)
    async with staged(case, cut_after_ms=13_000) as stage:
        await stage.connected()
        stage.recognizer.begin()
        await stage.push(speak(text, PHONE, 160))
        assert (await stage.recognizer.finish()).text == text
        assert len(stage.fake.visits) == 2


async def test_a_connection_that_dies_while_its_words_are_awaited_loses_none(case: Case) -> None:
    """The words are asked for, and the answer never comes."""
    sound = speak(ORDER, PHONE, 160)
    async with staged(case, think=0.05) as stage:
        stage.recognizer.begin()
        await stage.push(sound[:-800])
        await stage.settled()
        stage.fake.troubles.cut_after_ms = PHONE.ms(len(sound))
        await stage.push(sound[-800:])
        assert (await stage.recognizer.finish()).text == ORDER
        assert len(stage.fake.visits) == 2 or case.name == "flux", "which may have told all words before"


async def test_a_connection_that_dies_twice_is_given_up(case: Case) -> None:
    async with staged(case, cut_after_ms=300, cuts=2) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        with pytest.raises(ProviderError, match="connection") as failure:
            await stage.recognizer.finish()
        assert failure.value.retryable
        assert len(stage.fake.visits) == 2
        stage.recognizer.begin()
        await stage.push(speak(MORE, PHONE, 160))
        assert (await stage.recognizer.finish()).text == MORE, "the next utterance has another chance"


async def test_a_connection_that_dies_in_a_pause_is_made_again_for_the_next_utterance(case: Case) -> None:
    async with staged(case, cut_after_ms=10_000) as stage:
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
        stage.recognizer.drop()
        stage.fake.troubles.cut_after_ms = 1
        stage.recognizer.begin()
        await stage.push(speak(MORE, PHONE, 160))
        assert (await stage.recognizer.finish()).text == MORE


async def test_a_quiet_connection_is_kept(case: Case) -> None:
    options = {"limits": limits(keep_alive=0.05)}
    async with staged(case, options=options) as stage:
        await asyncio.sleep(0.25)
        stage.recognizer.begin()
        await stage.push(speak(ORDER, PHONE, 160))
        assert (await stage.recognizer.finish()).text == ORDER
        assert len(stage.fake.visits) == 1


async def test_the_last_words_come_fast(case: Case) -> None:
    """What we add to the vendor's own time, with the loop idle. Flux answers from what it told before."""
    async with staged(case, think=0.05) as stage:
        took = []
        for _ in range(5):
            stage.recognizer.begin()
            await stage.push(speak(ORDER, PHONE, 160))
            await stage.settled()
            began = time.perf_counter()
            assert (await stage.recognizer.finish()).text == ORDER
            took.append(time.perf_counter() - began)
            stage.recognizer.drop()
        own = 0.3 if stage.case.name == "flux" else 0.0  # its patience, where it says nothing by itself
        assert min(took) < 0.05 + own + 0.03


async def test_closing_leaves_nothing_behind_in_any_state(case: Case) -> None:
    for wait in (0.0, 0.005, 0.05):
        async with staged(case, wait_seconds=0.02) as stage:
            stage.recognizer.begin()
            stage.recognizer.push(speak(ORDER, PHONE))
            await asyncio.sleep(wait)


async def test_a_probe_says_whether_a_session_can_be_had(case: Case) -> None:
    async with staged(case) as stage:
        await stage.stt.probe()
        stage.fake.troubles.status = 503
        with pytest.raises(ProviderError, match="503"):
            await stage.stt.probe()
        assert not stage.fake.heard, "it costs nothing"
