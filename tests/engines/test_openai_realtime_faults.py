"""What a Realtime server may do wrong: the call goes on, or it is told clearly why it cannot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from tests.engines.openai_calls import calling
from tests.fakes.openai_realtime import KEY, FakeRealtime

from offhook.audio.frame import PHONE
from offhook.engines import openai_replies
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.foundation.events import LegKind
from offhook.speech.base import Message

REPLY = "Certainly, we are open until six in the evening."


@pytest.fixture
async def fake() -> AsyncIterator[FakeRealtime]:
    async with FakeRealtime(REPLY).serving() as fake:
        yield fake


@pytest.mark.parametrize(
    ("status", "code", "kind", "said"),
    [
        (401, "invalid_api_key", DeniedError, "refused the key (invalid_api_key)"),
        (403, "", DeniedError, "refused the key"),
        (
            404,
            "model_not_found",
            UnfitError,
            "does not know model 'gpt-realtime-2.1', or its address is wrong (model_not_found)",
        ),
        (429, "insufficient_quota", DeniedError, "is over its spending limit (insufficient_quota)"),
        (
            400,
            "unsupported_model",
            UnfitError,
            "did not accept model 'gpt-realtime-2.1' (unsupported_model)",
        ),
        (302, "", ProviderError, "answered with HTTP 302"),
    ],
)
async def test_refusals_that_another_try_does_not_mend(
    fake: FakeRealtime, status: int, code: str, kind: type[ProviderError], said: str
) -> None:
    fake.troubles.refuse, fake.troubles.refuse_code = [status] * 9, code
    async with calling(fake) as call:
        with pytest.raises(kind) as caught:
            await call.running
    assert caught.value.reason == f"openai-realtime: {said}"
    assert not caught.value.retryable
    assert len(fake.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_busy_server_is_tried_again(fake: FakeRealtime, status: int) -> None:
    fake.troubles.refuse = [status, status]
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
    assert isinstance(call.troubles[0], BusyError)
    assert call.troubles[0].after == 1.0


async def test_no_server_no_key_in_any_reason(fake: FakeRealtime) -> None:
    async with calling(fake, url="http://127.0.0.1:9/v1") as call:
        await call.until(lambda: call.troubles)
        assert call.troubles[0].reason == "openai-realtime: cannot be reached"
    async with calling(fake, key="sk-wrong-key-for-this-server") as call:
        with pytest.raises(DeniedError) as caught:
            await call.running
    assert "sk-" not in caught.value.reason
    assert KEY not in caught.value.reason


async def test_a_server_that_does_not_answer_or_configure_in_time(fake: FakeRealtime) -> None:
    fake.troubles.connect_s = 5.0
    async with calling(fake, connect_seconds=0.1) as call:
        await call.until(lambda: call.troubles)
        assert call.troubles[0].reason == "openai-realtime: did not answer in time"
        fake.troubles.connect_s, fake.troubles.mute = 0.0, 1
        await call.until(lambda: call.of("ready"))
        assert len(fake.talks) == 2, "the mute one was not tried again"


async def test_a_refused_configuration_is_told_and_not_repeated(fake: FakeRealtime) -> None:
    fake.troubles.error_at_start = "invalid_value"
    async with calling(fake) as call:
        with pytest.raises(ProviderError) as caught:
            await call.running
    assert caught.value.reason == "openai-realtime: invalid_value: told to, near Bearer [secret]"
    assert len(fake.talks) == 1


async def test_a_reply_cut_in_the_middle_goes_on_in_another_session(fake: FakeRealtime) -> None:
    fake.troubles.cut = [8_000]
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
        call.history = [Message(LegKind.CALLER, "When do you close?")]
        call.speaks()
        await call.until(lambda: call.troubles)
        lost = time.monotonic()
        await call.until(lambda: len(call.of("spoken")) == 2)
        silence = fake.talk.said_at[0] - lost
    assert call.troubles[0].reason == "openai-realtime: dropped the connection"
    broken, rest = (item for (item,) in call.of("spoken"))
    assert call.sounds[broken] == bytes(fake.talks[0].said[broken].audio)
    assert "Caller: When do you close?" in fake.talk.system[0]
    assert "Go on with your last sentence" in fake.talk.events[-1]["response"]["instructions"]
    assert call.sounds[rest] == bytes(fake.talk.said[rest].audio)
    assert silence < 2.0


async def test_a_turn_that_was_cut_is_heard_again_whole(fake: FakeRealtime) -> None:
    fake.troubles.expire = [20]
    async with calling(fake, greeting="") as call:
        await call.until(lambda: call.of("ready"))
        said = call.speaks()
        await call.until(lambda: call.of("spoken"))
        replayed = bytes(fake.talks[1].heard)
    assert call.troubles[0].reason == "openai-realtime: closed the connection (1001)"
    assert said.endswith(replayed)
    assert len(replayed) >= len(said) - PHONE.size(100)
    assert call.texts[call.of("spoken")[0][0]] == REPLY


async def test_a_turn_that_nobody_answers_is_asked_elsewhere(
    fake: FakeRealtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_replies, "REPLY_S", 0.2)
    fake.troubles.stall = 1
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
        call.speaks()
        await call.until(lambda: call.of("words"))
        call.history = [Message(LegKind.CALLER, "When do you close?")]
        await call.until(lambda: call.of("spoken"))
    assert call.troubles[0].reason == "openai-realtime: owed a reply and did not give it"
    assert fake.talk.heard == b"", "words that are known need not be heard again"
    assert call.texts[call.of("spoken")[0][0]] == REPLY


async def test_a_greeting_that_was_cut_before_any_sound_is_said_again(fake: FakeRealtime) -> None:
    fake.troubles.cut = [0]
    async with calling(fake, greeting="Hello, this is Vera.") as call:
        await call.until(lambda: call.of("spoken"))
    assert list(call.texts.values())[-1] == "Hello, this is Vera."
    assert len(fake.talks) == 2


async def test_a_reply_that_fails_is_asked_for_again(fake: FakeRealtime) -> None:
    fake.troubles.fail = ["server_error"]
    async with calling(fake, greeting="Hello!") as call:
        await call.until(lambda: call.of("spoken"))
        assert call.texts[call.of("spoken")[0][0]] == REPLY or "Hello!" in call.texts.values()
    assert [error.reason for error in call.troubles] == ["openai-realtime: failed to reply (server_error)"]
    assert len(fake.talks) == 1


async def test_replies_that_fail_again_and_again_end_the_session_for_good(
    fake: FakeRealtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_replies, "_RETRY_S", (0.01, 0.01))
    fake.troubles.fail = ["rate_limit_exceeded"] * 3
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
        call.speaks()
        with pytest.raises(ProviderError) as caught:
            await call.running
    assert caught.value.reason == "openai-realtime: failed to reply (rate_limit_exceeded)"


async def test_a_limit_that_is_near_is_told(fake: FakeRealtime) -> None:
    fake.troubles.limits = 100
    async with calling(fake, greeting="Hello!") as call:
        await call.until(lambda: call.of("spoken"))
    assert call.troubles[0].reason == "openai-realtime: is near its limit of tokens; more in 0 s"


async def test_garbage_is_survived_and_too_much_of_it_begins_again(fake: FakeRealtime) -> None:
    fake.troubles.garbage = [b"{", b'{"type":"response.output_audio.delta","item_id":"x","delta":"*"}']
    async with calling(fake, greeting="Hello!") as call:
        await call.until(lambda: call.of("spoken"))
        assert call.troubles == []
        fake.troubles.garbage = [b"[]", b"null", b"\xff\xfe", b'{"type":7}']
        call.speaks()
        await call.until(lambda: len(call.of("spoken")) == 2)
    assert "does not keep to its protocol" in call.troubles[0].reason


async def test_a_flood_is_cut(fake: FakeRealtime) -> None:
    fake.troubles.flood = 6_000
    async with calling(fake, greeting="Hello!") as call:
        await call.until(lambda: call.troubles)
        assert call.troubles[0].reason == "openai-realtime: sends more messages than anyone can hear"
        await call.until(lambda: call.of("spoken"))


async def test_a_server_that_chooses_another_format_is_heard_all_the_same(fake: FakeRealtime) -> None:
    fake.troubles.unlike = "audio/pcm"
    async with calling(fake, greeting="Hello there!") as call:
        await call.until(lambda: call.of("spoken"))
        item = call.of("spoken")[0][0]
        ratio = len(fake.talk.said[item].audio) / len(call.sounds[item])
        assert ratio == pytest.approx(6.0, rel=0.01)
        call.engine.heard(item, 200, "Hello")
        await call.until(lambda: fake.talk.said[item].truncated_ms == 200)


async def test_sessions_that_break_all_the_time_are_given_up(fake: FakeRealtime) -> None:
    fake.troubles.cut = [0] * 9
    async with calling(fake, greeting="Hello!") as call:
        with pytest.raises(ProviderError):
            await call.running
    assert len(fake.talks) == 5


async def test_a_reply_under_way_is_no_error_for_another(fake: FakeRealtime) -> None:
    fake.pace = 8.0
    async with calling(fake, greeting="Hello, this is Vera speaking.") as call:
        await call.until(lambda: call.of("sound"))
        call.engine.answer_tool("call_of_nobody", "nothing")
        await call.until(lambda: len(call.of("spoken")) == 2)
        assert call.troubles == []
        assert fake.talk.errors == []


async def test_a_closed_engine_leaves_the_vendor(fake: FakeRealtime) -> None:
    async with calling(fake, greeting="Hello!") as call:
        await call.until(lambda: call.of("sound"))
    async with asyncio.timeout(1):
        while not fake.talk.closed:
            await asyncio.sleep(0.005)


async def test_a_call_that_ends_while_sessions_change_leaves_both(fake: FakeRealtime) -> None:
    fake.pace = 0.5
    async with calling(fake, session_seconds=0.1) as call:
        await call.until(lambda: call.of("ready"))
        fake.troubles.connect_s = 0.15
        await call.until(lambda: len(fake.requests) == 2)
        call.speaks()  # the old session has to answer before the new one takes over
        await call.until(lambda: len(fake.talks) == 2 and call.of("sound") and fake.talks[1].session)
    async with asyncio.timeout(1):
        while not all(talk.closed for talk in fake.talks):
            await asyncio.sleep(0.005)
