"""Sound that comes late, after the caller interrupted, is never heard: random callers against slow voices."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from tests.call.conftest import SILENCE, SPEECH
from tests.chaos.provider_scene import Scene
from tests.speech.speech_vendors import Ear, Model, Voice

from offhook.audio.frame import PHONE, AudioFormat
from offhook.foundation.events import Interrupted
from offhook.speech.base import ChatRequest, TextDelta, ToolCall

pytestmark = pytest.mark.looptime
QUESTIONS = [f"Question number {number} about the opening hours of the week?" for number in range(200)]


class Numbered(Model):
    """Its n-th reply is three sentences that name n, each after a random wait."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__("model")
        self.chance = chance

    async def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        self.requests.append(request)
        number = len(self.requests)
        for _ in range(3):
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 0.2, 1.0)))
            yield TextDelta(f"This is the reply {'x' * number}. ")


class Marked(Voice):
    """Speaks a reply's number, its x's, as that byte, in pieces that come when they like."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__("voice")
        self.chance = chance

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        number = text.count("x")
        for _ in range(4):
            await asyncio.sleep(self.chance.choice((0.0, 0.05, 0.3, 0.7)))
            yield bytes([number]) * PHONE.size(400)


class Asking(Ear):
    """Hears another question every second, found out after a random wait."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        super().__init__("ear")

    @property
    def lexicon(self) -> list[str]:
        return [QUESTIONS[int(asyncio.get_running_loop().time()) % len(QUESTIONS)]]

    @lexicon.setter
    def lexicon(self, words: object) -> None: ...

    @property
    def delay(self) -> float:
        return self.chance.choice((0.0, 0.1, 0.5))

    @delay.setter
    def delay(self, seconds: float) -> None: ...


@pytest.mark.parametrize("seed", [2, 3, 4, 5])
async def test_nothing_of_an_interrupted_reply_is_heard(seed: int) -> None:
    chance = random.Random(seed)
    async with Scene([Asking(chance)], [Numbered(chance)], [Marked(chance)]) as scene:
        await scene.begin()
        heard: list[tuple[int, set[int]]] = []
        play = scene.line.play

        def noted(audio: bytes) -> None:
            cuts = sum(isinstance(entry.event, Interrupted) for entry in scene.line.entries)
            heard.append((cuts, set(audio)))
            play(audio)

        scene.line.play = noted
        for _ in range(12):
            await scene.send(SPEECH, chance.choice((100, 300, 800, 1_500)))
            await scene.send(SILENCE, chance.choice((100, 400, 1_000, 3_000)))
        await scene.send(SILENCE, 4_000)
        replies = [number for _, numbers in heard for number in numbers if number]
        assert heard[-1][0], "the caller interrupted"
        assert replies, "the agent was heard"
        assert replies == sorted(replies), "a newer reply was followed by an older one"
        for cut in range(1, heard[-1][0] + 1):
            before = [n for cuts, numbers in heard if cuts < cut for n in numbers]
            after = [n for cuts, numbers in heard if cuts >= cut for n in numbers]
            assert not set(before) & set(after) - {0}, "the interrupted reply went on"
