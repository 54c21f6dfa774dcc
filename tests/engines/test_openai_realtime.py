"""A call's conversation with OpenAI's Realtime API, over a real socket to a fake that checks what it gets."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import openai
import pytest
import structlog
from tests.engines.openai_calls import calling
from tests.fakes.likeness import likeness
from tests.fakes.openai_realtime import KEY, FakeRealtime
from tests.fakes.voice import at_rate, seconds_for

from offhook.audio.convert import to_samples
from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.engines.duplex import DuplexFactory
from offhook.engines.openai_realtime import OpenAiRealtimeFactory, RealtimeOptions
from offhook.foundation.agent import Agent
from offhook.foundation.clock import ManualClock
from offhook.foundation.events import LegKind
from offhook.speech.base import Message

GREETING = "Hello, how can I help?"
REPLY = "Certainly, we are open until six."


@pytest.fixture
async def fake() -> AsyncIterator[FakeRealtime]:
    async with FakeRealtime(REPLY).serving() as fake:
        yield fake


async def test_greets_with_an_item_of_its_own_once_the_session_is_configured(fake: FakeRealtime) -> None:
    async with calling(fake, greeting=GREETING) as call:
        await call.until(lambda: call.of("spoken"))
    item = call.of("spoken")[0][0]
    assert call.texts == {item: GREETING}
    assert call.sounds[item] == bytes(fake.talk.said[item].audio)
    kinds = [event["type"] for event in fake.talk.events]
    assert kinds[:3] == ["session.update", "conversation.item.create", "response.create"]
    assert GREETING in fake.talk.events[1]["item"]["content"][0]["text"]
    assert fake.requests == [("/v1/realtime?model=gpt-realtime-2.1", f"Bearer {KEY}")]


@pytest.mark.parametrize("encoding", [Encoding.ULAW, Encoding.ALAW])
async def test_telephone_audio_passes_untouched_both_ways(fake: FakeRealtime, encoding: Encoding) -> None:
    async with calling(fake, AudioFormat(encoding, 8_000)) as call:
        await call.until(lambda: call.of("ready"))
        said = call.speaks()
        await call.until(lambda: call.of("spoken"))
        assert bytes(fake.talk.heard) == said
        item = call.of("spoken")[0][0]
        assert call.sounds[item] == bytes(fake.talk.said[item].audio)
    kind = "audio/pcmu" if encoding is Encoding.ULAW else "audio/pcma"
    audio = fake.talk.session["audio"]
    assert audio["input"]["format"] == audio["output"]["format"] == {"type": kind}


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("format", [WIDEBAND, AudioFormat(Encoding.PCM16, 8_000)])
async def test_other_audio_is_converted_whatever_the_sizes(
    fake: FakeRealtime, format: AudioFormat, odd: bool
) -> None:
    fake.troubles.odd = odd
    async with calling(fake, format) as call:
        await call.until(lambda: call.of("ready"))
        said = call.speaks(1.0)
        await call.until(lambda: call.of("spoken"))
        heard = to_samples(bytes(fake.talk.heard), Encoding.PCM16)
        sound = to_samples(call.sounds[call.of("spoken")[0][0]], format.encoding)
    assert len(said) * 24_000 // format.rate - len(heard) * 2 < 200
    assert likeness(at_rate(1.0, 24_000), heard[:24_000], 24_000).snr_db > 35
    assert likeness(at_rate(seconds_for(REPLY), format.rate), sound, format.rate).snr_db > 35


async def test_a_turn_is_told_as_it_happens(fake: FakeRealtime) -> None:
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
        call.speaks()
        await call.until(lambda: call.of("spoken") and call.of("words"))
    kinds = [kind for kind in call.kinds("text", "sound", "spoken") if kind not in ("partial", "words")]
    assert kinds == ["ready", "began", "stopped"]
    assert call.of("partial")[-1] == ("When do you close? ",)
    assert call.of("words") == [("When do you close?",)]


async def test_what_the_settings_say_is_sent_and_logged_in_one_line(fake: FakeRealtime) -> None:
    changes: dict[str, Any] = {
        "model": "gpt-realtime-2.1-mini",
        "voice": "cedar",
        "speed": 1.1,
        "threshold": 0.7,
        "prefix_padding_ms": 200,
        "noise_reduction": "far_field",
        "transcription_model": "gpt-live-transcribe",
    }
    with structlog.testing.capture_logs() as logs:
        async with calling(fake, agent=Agent(persona="You are Vera.", language="en-GB"), **changes) as call:
            await call.until(lambda: call.of("ready"))
    session = fake.talk.session
    assert session["model"] == "gpt-realtime-2.1-mini"
    assert session["instructions"].startswith("You are Vera.")
    assert session["output_modalities"] == ["audio"]
    assert session["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "cedar", "speed": 1.1}
    assert session["audio"]["input"]["noise_reduction"] == {"type": "far_field"}
    assert session["audio"]["input"]["transcription"] == {"model": "gpt-live-transcribe", "language": "en"}
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "create_response": True,
        "interrupt_response": True,
        "threshold": 0.7,
        "prefix_padding_ms": 200,
        "silence_duration_ms": 100,
    }
    assert [tool["name"] for tool in session["tools"]] == ["opening_hours"]
    [line] = [line for line in logs if line["event"] == "a realtime session is configured"]
    assert (line["model"], line["voice"], line["threshold"], line["format"]) == (
        "gpt-realtime-2.1-mini",
        "cedar",
        0.7,
        "audio/pcmu",
    )
    assert line["tools"] == ["opening_hours"]
    assert KEY not in str(logs)


async def test_semantic_turns_and_no_transcription(fake: FakeRealtime) -> None:
    agent = Agent(voice="verse", languages=["de"])
    changes = {"turn_detection": "semantic_vad", "eagerness": "high", "transcription_model": ""}
    async with calling(fake, agent=agent, **changes) as call:
        await call.until(lambda: call.of("ready"))
    audio = fake.talk.session["audio"]
    assert audio["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "create_response": True,
        "interrupt_response": True,
        "eagerness": "high",
    }
    assert "transcription" not in audio["input"]
    assert audio["output"]["voice"] == "verse"


async def test_an_interruption_truncates_at_what_was_heard(fake: FakeRealtime) -> None:
    fake.pace = 4.0
    async with calling(fake, greeting=GREETING) as call:
        await call.until(lambda: len(call.of("sound")) == 3)
        item = call.of("sound")[0][0]
        call.onto["began"] = lambda: call.engine.heard(item, 140, "Hello,")
        call.speaks(0.3, 0.0)
        await call.until(lambda: fake.talk.said[item].truncated_ms is not None)
        heard = len(call.sounds[item])
        await asyncio.sleep(0.1)
    assert fake.talk.said[item].truncated_ms == 140
    assert not fake.talk.said[item].whole
    assert len(call.sounds[item]) == heard, "sound of a cancelled reply was told"
    assert fake.talk.errors == []


async def test_truncation_never_goes_beyond_what_was_generated(fake: FakeRealtime) -> None:
    async with calling(fake, greeting=GREETING) as call:
        await call.until(lambda: call.of("spoken"))
        item = call.of("spoken")[0][0]
        call.engine.heard(item, 60_000, GREETING)
        call.engine.heard("item_unknown", 10, "")
        await call.until(lambda: fake.talk.said[item].truncated_ms is not None)
    assert fake.talk.said[item].truncated_ms == int(seconds_for(GREETING) * 1000)
    assert fake.talk.errors == []


async def test_a_typed_line_stops_the_reply_and_is_answered(fake: FakeRealtime) -> None:
    fake.pace = 2.0
    async with calling(fake, greeting=GREETING) as call:
        await call.until(lambda: call.of("sound"))
        call.engine.type("When do you open?")
        await call.until(lambda: call.of("spoken"))
        assert call.texts[call.of("spoken")[-1][0]] == REPLY
        assert fake.talk.errors == []
    typed = [e["item"] for e in fake.talk.events if e.get("item", {}).get("role") == "user"]
    assert typed[0]["content"] == [{"type": "input_text", "text": "When do you open?"}]


async def test_says_lines_and_is_instructed(fake: FakeRealtime) -> None:
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
        call.engine.instruct("The caller is a regular.")
        call.engine.say("Are you still there?")
        await call.until(lambda: call.of("spoken"))
        assert call.texts[call.of("spoken")[0][0]] == "Are you still there?"
    assert fake.talk.system == ["The caller is a regular."]
    asked = fake.talk.events[-1]["response"]
    assert asked["input"] == []
    assert asked["tool_choice"] == "none"


async def test_tools_are_called_and_their_results_answered(fake: FakeRealtime) -> None:
    fake.replies = [["One moment.", ("opening_hours", {"day": "monday"})], "From nine to six."]
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
        call.speaks()
        await call.until(lambda: call.of("tool"))
        tool = call.of("tool")[0][0]
        assert (tool.name, tool.arguments) == ("opening_hours", {"day": "monday"})
        assert len(call.of("spoken")) == 1
        call.engine.answer_tool(tool.id, "09:00-18:00")
        await call.until(lambda: len(call.of("spoken")) == 2)
        assert fake.talk.outputs == {tool.id: "09:00-18:00"}
        assert fake.talk.errors == []


async def test_several_tools_are_answered_before_the_model_goes_on(fake: FakeRealtime) -> None:
    fake.replies = [[("opening_hours", {}), ("opening_hours", "not json")], "Both are known."]
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
        call.speaks()
        await call.until(lambda: len(call.of("tool")) == 2)
        first, second = (tool for (tool,) in call.of("tool"))
        assert second.malformed == "not json"
        call.engine.answer_tool(first.id, "yes")
        await asyncio.sleep(0.05)
        assert fake.replied == 1
        call.engine.answer_tool(second.id, "no JSON", failed=True, reply=False)
        await call.until(lambda: call.of("spoken"))
        assert fake.talk.outputs[second.id] == "failed: no JSON"


async def test_a_tool_result_that_ends_the_call_asks_for_no_reply(fake: FakeRealtime) -> None:
    fake.replies = [["Goodbye!", ("hang_up", {})], "I should not be said."]
    async with calling(fake) as call:
        await call.until(lambda: call.of("ready"))
        call.speaks()
        await call.until(lambda: call.of("tool"))
        call.engine.answer_tool(call.of("tool")[0][0].id, "hanging up", reply=False)
        await asyncio.sleep(0.05)
        assert fake.replied == 1


async def test_a_reader_is_answered_in_words(fake: FakeRealtime) -> None:
    async with calling(fake, text_only=True) as call:
        await call.until(lambda: call.of("ready"))
        assert fake.talk.session["output_modalities"] == ["text"]


async def test_a_new_session_is_begun_before_the_vendor_ends_the_old_one(fake: FakeRealtime) -> None:
    async with calling(fake, greeting=GREETING, session_seconds=0.3) as call:
        call.history = [Message(LegKind.AGENT, GREETING), Message(LegKind.CALLER, "My name is Ada.")]
        await call.until(lambda: len(fake.talks) == 2 and len(call.of("ready")) == 2)
        await call.until(lambda: fake.talks[0].closed)
        assert "Caller: My name is Ada." in fake.talk.system[0]
        call.speaks()
        await call.until(lambda: any(text == REPLY for text in call.texts.values()))
    assert call.troubles == []


@pytest.mark.parametrize(("month", "said"), [((2026, 11), "will be"), ((2027, 3), "was")])
def test_warns_of_models_that_go(month: tuple[int, int], said: str) -> None:
    told = RealtimeOptions(key=KEY, model="gpt-realtime", transcription_model="whisper-1")
    with structlog.testing.capture_logs() as logs:
        factory = OpenAiRealtimeFactory(told, ManualClock(wall=datetime(*month, 1, tzinfo=UTC)))
    assert isinstance(factory, DuplexFactory)
    assert factory.url == "wss://api.openai.com/v1/realtime?model=gpt-realtime"
    assert [(line["event"], line["model"], line["date"]) for line in logs] == [
        (f"a model {said} shut down", "gpt-realtime", "2027-01-20"),
        (f"a model {said} shut down", "whisper-1", "2027-02-26"),
    ]


async def test_what_is_said_before_the_session_is_there_is_heard(fake: FakeRealtime) -> None:
    fake.troubles.connect_s = 0.15
    async with calling(fake) as call:
        said = call.speaks()
        await call.until(lambda: call.of("spoken"))
        assert bytes(fake.talk.heard) == said
        assert call.format == PHONE


async def test_the_official_sdk_holds_a_session_with_the_fake(fake: FakeRealtime) -> None:
    client = openai.AsyncOpenAI(api_key=KEY, base_url=fake.url)
    kinds: list[str] = []
    said = b""
    async with client, client.realtime.connect(model="gpt-realtime-2.1") as session:
        await session.session.update(
            session={
                "type": "realtime",
                "audio": {
                    "input": {"format": {"type": "audio/pcmu"}, "turn_detection": {"type": "server_vad"}},
                    "output": {"format": {"type": "audio/pcmu"}},
                },
            }
        )
        async for event in session:
            kinds.append(event.type)
            if event.type == "session.updated":
                await session.response.create()
            elif event.type == "response.output_audio.delta":
                said += base64.b64decode(event.delta)
            elif event.type == "response.done":
                break
    assert fake.faults == []
    assert said == bytes(next(iter(fake.talk.said.values())).audio)
    once = list(dict.fromkeys(kinds))
    assert once == [
        "session.created",
        "session.updated",
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
