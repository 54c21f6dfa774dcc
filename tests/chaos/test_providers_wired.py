"""The house's providers as the settings wire them, against fakes of vendors on real sockets that fail."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.fakes import elevenlabs_speech, openai_http
from tests.fakes.http_vendor import Fault, HttpVendor
from tests.speech.speech_vendors import Voice

from offhook.audio.frame import PHONE
from offhook.engines.base import CallContext, Clause, ReplyTimes
from offhook.engines.cascade import CascadeEngine, CascadeFactory
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import MissingExtraError, MissingModelError
from offhook.foundation.events import LegKind
from offhook.providers import Board, make_engines
from offhook.providers.casting import cast
from offhook.settings import Settings
from offhook.speech.base import Message, ToolCall
from offhook.speech.breaker import State
from offhook.speech.fallback import Lineup, Place
from offhook.speech.fallback_llm import FallbackLlm
from offhook.speech.fallback_stt import FallbackStt
from offhook.speech.fallback_tts import FallbackTts
from offhook.speech.tts.http import Voices

HISTORY = [Message(LegKind.CALLER, "What now?")]
ELEVEN, OPENAI = elevenlabs_speech.VOICE, "marin"


class Stand:
    """Two fakes, and the house that the settings make of them."""

    def __init__(self, eleven: HttpVendor, openai: openai_http.FakeOpenAi) -> None:
        self.eleven, self.openai = eleven, openai
        self.board = Board()
        self.factory: CascadeFactory | None = None

    def house(self, speech: dict[str, Any], agent: dict[str, Any] | None = None) -> CascadeFactory:
        settings = Settings.model_validate(
            {
                "speech": {"stt": "scripted", "turn": "silence", **speech},
                "openai": {"api_key": openai_http.KEY, "url": f"{self.openai.url}/v1"},
                "elevenlabs": {"api_key": elevenlabs_speech.KEY, "url": self.eleven.url, "voice": ELEVEN},
                "agents": {"default": agent or {}},
            }
        )
        factory = make_engines(settings, SystemClock(), self.board)["cascade"]
        assert isinstance(factory, CascadeFactory)
        self.factory, self.agent = factory, settings.agents["default"]
        return factory

    def engine(self) -> CascadeEngine:
        assert self.factory is not None
        return self.factory.open(CallContext("call_x", self.agent, PHONE, lambda text: None))

    def states(self) -> dict[str, State]:
        return {f"{one.kind} {one.provider}": one.state for one in self.board.health()}


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with AsyncExitStack() as stack:
        eleven = await stack.enter_async_context(elevenlabs_speech.FakeElevenLabs().serving())
        openai = await stack.enter_async_context(openai_http.FakeOpenAi().serving())
        stand = Stand(eleven, openai)
        yield stand
        if stand.factory is not None:
            await stand.factory.close()


async def replied(engine: CascadeEngine) -> tuple[str, int, float]:
    """Words, bytes of sound, seconds to the first of it."""
    began, first, words, sound = time.monotonic(), 0.0, [], 0
    async for part in engine.reply(HISTORY, ReplyTimes()):
        assert isinstance(part, Clause)
        first = first or time.monotonic() - began
        words.append(part.text)
        sound += len(part.audio)
    await engine.close()
    return " ".join(filter(None, words)), sound, first


FAULTS = {
    "refused key": Fault(status=401, body={"detail": {"status": "invalid_api_key"}}),
    "forbidden": Fault(status=403, body={}),
    "over the limit for long": Fault(status=429, body={}, headers={"Retry-After": "30"}),
    "server error": Fault(status=500, body=b"oops"),
    "garbage": Fault(replace=b"\x00garbage" * 100, content_type="text/html"),
    "cut before any sound": Fault(cut=True),
    "closed at once": Fault(hang_up=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_a_voice_does_the_next_one_says_it(stand: Stand, fault: Fault) -> None:
    stand.house({"tts": ["elevenlabs", "openai"], "llm": "scripted"})
    stand.eleven.faults.extend([fault] * 8)
    words, sound, first = await replied(stand.engine())
    assert words == "Thank you for calling. This is a scripted reply."
    assert sound > PHONE.size(1_000)
    assert first < 1.0
    assert stand.states()["tts elevenlabs"] is not State.UP
    assert stand.states()["tts openai"] is State.UP


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_a_model_does_the_next_one_answers(stand: Stand, fault: Fault) -> None:
    stand.house({"tts": "scripted", "llm": ["openai", "scripted"]})
    stand.openai.faults.extend([fault] * 8)
    words, _, first = await replied(stand.engine())
    assert words == "Thank you for calling. This is a scripted reply."
    assert first < 1.0


async def test_a_model_and_a_voice_of_one_vendor(stand: Stand) -> None:
    stand.openai.replies.append(["We open ", "at nine. ", "Anything else?"])
    stand.house({"tts": "openai", "llm": "openai"})
    assert (await replied(stand.engine()))[0] == "We open at nine. Anything else?"
    assert stand.states() == {"stt scripted": State.UP, "llm openai": State.UP, "tts openai": State.UP}


async def test_malformed_arguments_of_a_tool_reach_the_one_who_tells_the_model(stand: Stand) -> None:
    stand.openai.replies.append([openai_http.Calls("book", '{"service": ', "c1")])
    stand.house({"tts": "scripted", "llm": ["openai", "scripted"]})
    engine = stand.engine()
    parts = [part async for part in engine.reply(HISTORY, ReplyTimes())]
    await engine.close()
    (call,) = parts
    assert isinstance(call, ToolCall)
    assert (call.name, call.malformed, call.arguments) == ("book", '{"service": ', {})


async def test_each_speaks_with_its_own_voice_in_each_language(stand: Stand) -> None:
    other = "AAAAAAAAAAAAAAAAAAAA"
    speech = {
        "tts": ["elevenlabs", "openai"],
        "llm": "scripted",
        "languages": {"ar": {"tts": ["openai", "elevenlabs"], "voice": "cedar"}},
    }
    factory = stand.house(speech, {"voice": other})
    stand.eleven.voices = {ELEVEN, other}  # type: ignore[attr-defined]

    async def spoken(voice: str, language: str) -> None:
        async for _ in factory.tts.speak("Hello.", voice, language, PHONE):
            pass

    await spoken(other, "en")
    assert stand.eleven.asked[-1].path.endswith(f"/{other}/stream")
    await spoken(other, "ar")
    assert stand.openai.asked[-1].json["voice"] == "cedar"
    stand.eleven.faults.extend([FAULTS["server error"]] * 8)
    await spoken(other, "en")
    assert stand.openai.asked[-1].json["voice"] == OPENAI


@pytest.mark.parametrize(
    ("order", "voice", "owner"),
    [
        (["one", "elevenlabs"], "kate", "one"),
        (["one", "elevenlabs", "deepgram"], "21m00Tcm4TlvDq8ikWAM", "elevenlabs"),
        (["elevenlabs", "deepgram"], "aura-2-zeus-en", "deepgram"),
        (["elevenlabs", "cartesia"], "694f9389-aac1-45b6-b726-9d9369183238", "cartesia"),
        (["elevenlabs", "openai"], "marin", "openai"),
        (["elevenlabs", "openai"], "voice_abc", "openai"),
        (["elevenlabs"], "any", "elevenlabs"),
        (["one", "elevenlabs"], "hart", ""),
    ],
)
def test_whose_a_voice_is(order: list[str], voice: str, owner: str) -> None:
    listed = {"one": ["heart", "kate"], "openai": Voices(["marin"])}
    vendors = [Voice(name) for name in order]
    for vendor in vendors:
        vendor.names = listed.get(vendor.name, Voices(["default"]))  # type: ignore[assignment]
    lineup = Lineup([Place("tts", vendor.name, vendor) for vendor in vendors])
    casting = cast(Settings.model_validate({"agents": {"default": {"voice": voice}}}), lineup)
    having = [vendor.name for vendor in vendors if casting.has(vendor, vendor.name, voice)]
    assert having == ([owner] if owner else [])


def test_one_of_each_on_this_machine_is_not_watched_over() -> None:
    speech = {"stt": "scripted", "tts": "scripted", "llm": "scripted", "turn": "silence"}
    board = Board()
    factory = make_engines(Settings.model_validate({"speech": speech}), SystemClock(), board)["cascade"]
    assert isinstance(factory, CascadeFactory)
    wrapped = (FallbackStt, FallbackLlm, FallbackTts)
    assert not any(isinstance(part, wrapped) for part in (factory.stt, factory.llm, factory.tts))
    assert [one.state for one in board.health()] == [State.UP] * 3


@pytest.fixture
def made() -> Callable[[dict[str, Any]], None]:
    def make(settings: dict[str, Any]) -> None:
        make_engines(Settings.model_validate(settings), SystemClock())

    return make


def test_weights_that_are_not_there_are_named(made: Callable[[dict[str, Any]], None], tmp_path: Any) -> None:
    speech = {"stt": ["scripted", "whisper"], "tts": "scripted", "llm": "scripted"}
    with pytest.raises((MissingExtraError, MissingModelError), match="whisper"):
        made({"speech": speech, "whisper": {"weights": tmp_path / "none"}})
