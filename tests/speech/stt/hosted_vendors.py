"""The four hosted recognizers beside their fakes, so that one test can be held with each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.fakes import deepgram, elevenlabs_scribe, openai_transcription
from tests.fakes.stt_vendor import SttVendor

from offhook.audio.frame import PHONE, AudioFormat
from offhook.speech.stt.deepgram import DeepgramStt
from offhook.speech.stt.deepgram_flux import DeepgramFluxStt
from offhook.speech.stt.dialect import Limits
from offhook.speech.stt.hosted import HostedStt
from offhook.speech.stt.openai import OpenAiStt
from offhook.speech.stt.scribe import ScribeStt
from offhook.speech.stt.stream import StreamRecognizer

WINDOW_MS = 32
LIMITS = Limits(connect=2.0, answer=4.0, keep_alive=4.0, pause=0.02)
"""Patient, since the machine may be busy; tests of deadlines have their own."""


@dataclass(frozen=True)
class Case:
    """A vendor: its fake, its provider, the key that the fake takes, where the API lies at its address."""

    name: str
    fake: Callable[..., SttVendor]
    provider: Callable[..., HostedStt]
    key: str
    path: str = ""
    model: str = ""

    def make(self, url: str, **options: Any) -> HostedStt:
        options = {
            "key": self.key,
            "limits": LIMITS,
            **({"model": self.model} if self.model else {}),
            **options,
        }
        return self.provider(options.pop("key"), url=url + self.path, **options)


CASES = {
    case.name: case
    for case in (
        Case("deepgram", deepgram.FakeDeepgram, DeepgramStt, deepgram.KEY),
        Case("flux", deepgram.FakeDeepgram, DeepgramFluxStt, deepgram.KEY),
        Case("scribe", elevenlabs_scribe.FakeScribe, ScribeStt, elevenlabs_scribe.KEY),
        Case(
            "openai",
            openai_transcription.FakeTranscription,
            OpenAiStt,
            openai_transcription.KEY,
            "/v1",
            "gpt-live-transcribe",
        ),
    )
}


@dataclass
class Stage:
    """A recognizer talking to its fake."""

    case: Case
    fake: SttVendor
    stt: HostedStt
    recognizer: StreamRecognizer
    format: AudioFormat
    partials: list[str]

    async def push(self, sound: bytes) -> None:
        """As the call does, but faster: a window at a time, the loop running in between."""
        size = self.format.size(WINDOW_MS)
        for at in range(0, len(sound), size):
            self.recognizer.push(sound[at : at + size])
            if at // size % 4 == 3:
                await asyncio.sleep(0)

    async def words(self) -> str:
        """What `finish` finds, while the caller's silence goes on coming in."""
        waiting = asyncio.create_task(self.recognizer.finish())
        while not waiting.done():
            self.recognizer.push(self.format.silence(self.format.samples(WINDOW_MS)))
            await asyncio.sleep(0.002)
        return waiting.result().text

    async def connected(self) -> None:
        """Until the session takes audio."""
        async with asyncio.timeout(1):
            while self.recognizer._link.line is None:
                await asyncio.sleep(0.001)

    async def settled(self, seconds: float = 0.3) -> None:
        """Until the fake has taken all that was sent, or so long."""
        before = -1
        for _ in range(int(seconds / 0.01)):
            if before == (before := len(self.fake.heard)) and before:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def staged(
    case: Case,
    format: AudioFormat = PHONE,
    language: str = "en",
    options: dict[str, Any] | None = None,
    **troubles: Any,
) -> AsyncIterator[Stage]:
    """The fake goes wrong by `troubles`; the provider is made with `options`."""
    fake = case.fake(**troubles)
    partials: list[str] = []
    async with fake.served() as url:
        stt = case.make(url, **(options or {}))
        recognizer = stt.open(format, language, partials.append)
        try:
            yield Stage(case, fake, stt, recognizer, format, partials)
        finally:
            await recognizer.close()
            await stt.close()
    assert fake.faults == [], "the vendor would not have understood this"


def limits(**changes: float) -> Limits:
    return replace(LIMITS, **changes)
