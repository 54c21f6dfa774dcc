"""A call with humans on it, on virtual time: a tone of its own for each leg, the mixing for real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from tests.call.conftest import LoudVad

from offhook.audio.convert import to_bytes, to_samples
from offhook.audio.frame import PHONE, AudioFormat, Encoding
from offhook.call.bridge import Bridge
from offhook.call.seat import Seat
from offhook.foundation.events import CallEvent, ChannelKind, EndReason, Entry, LegKind
from offhook.foundation.people import Person, Role, Stance
from offhook.speech.stt.fake import ScriptedStt

WIDE = AudioFormat(Encoding.PCM16, 16_000)
HERTZ = {
    "caller": 701.3,
    "agent": 449.7,
    "operator": 1009.1,
    "supervisor": 1303.9,
    "listener": 1907.7,
    "coach": 2503.3,
    "hold_audio": 523.25,
}
SPEECH = bytes([0x80, 0x00] * 80)
SILENCE = b"\xff" * 160
ABSENT_DB, PRESENT_DB = -60.0, -30.0
LOUD = 20_000.0
"""Taken for speech by the stage's detector; other tones are not."""


class Tone:
    """A sine that goes on where it stopped."""

    def __init__(self, hertz: float, format: AudioFormat, peak: float = 5_000.0) -> None:
        self.hertz, self.format, self.peak = hertz, format, peak
        self.at = 0

    def take(self, ms: float = 20) -> bytes:
        count = self.format.samples(ms)
        phase = 2 * np.pi * self.hertz * np.arange(self.at, self.at + count) / self.format.rate
        self.at += count
        shape = np.sign(np.sin(phase)) if self.peak >= LOUD else np.sin(phase)
        return to_bytes((self.peak * shape).astype(np.int16), self.format.encoding)


class ToneTts:
    """A voice that gives every text as the same tone."""

    name = "tone"

    def __init__(self, seconds: float = 3.0) -> None:
        self.seconds = seconds

    def voices(self) -> Sequence[str]:
        return ("tone",)

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        yield Tone(HERTZ["agent"], format).take(self.seconds * 1000)

    async def close(self) -> None: ...


class Headset:
    """A human's channel: keeps what it hears with the time of it."""

    kind, peer = ChannelKind.BROWSER, ""

    def __init__(self, stage: Any, format: AudioFormat = WIDE) -> None:
        self.format = format
        self._stage = stage
        self.heard: list[tuple[float, bytes]] = []
        self.hung_up: EndReason | None = None

    def play(self, audio: bytes) -> None:
        self.heard.append((self._stage.now_ms, audio))

    def clear(self) -> None: ...

    def mark(self, name: str) -> None: ...

    def tell(self, entry: Entry) -> None: ...

    def hang_up(self, reason: EndReason) -> None:
        self.hung_up = self.hung_up or reason


class Human:
    """Somebody at the desk, with a microphone that is always on."""

    def __init__(
        self, stage: Any, name: str, stance: Stance, format: AudioFormat = WIDE, **tone: Any
    ) -> None:
        self.channel = Headset(stage, format)
        self.mic = Tone(HERTZ[name], format, **tone)
        self.open = True
        self.sent_ms = 0
        role = Role.SUPERVISOR if name == "supervisor" else Role.OPERATOR
        self.seat: Seat = stage.bridge.seat(Person(name, name.title(), role), self.channel, stance)

    def speak(self) -> None:
        if self.open and self.channel.hung_up is None:
            self.seat.on_audio(self.mic.take(), self.sent_ms)
        self.sent_ms += 20


def level(samples: np.ndarray, hertz: float, rate: int) -> float:
    """Of one frequency, in dBFS of a sine."""
    if len(samples) == 0:
        return -120.0
    window = np.hanning(len(samples))
    phase = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / rate)
    peak = 2 * abs(np.dot(samples.astype(float) * window, phase)) / window.sum()
    return float(20 * np.log10(max(peak, 1e-6) / 32768))


class Playout:
    """The caller's telephone: plays what comes one after the other, forgets what was cleared."""

    def __init__(self) -> None:
        self.chunks: list[list[Any]] = []

    def play(self, now_ms: float, audio: bytes) -> None:
        end = self.chunks[-1][0] + len(self.chunks[-1][1]) / 8 if self.chunks else 0.0
        self.chunks.append([max(now_ms, end), audio])

    def clear(self, now_ms: float) -> None:
        for chunk in self.chunks:
            chunk[1] = chunk[1][: max(0, int((now_ms - chunk[0]) * 8))]
        self.chunks = [chunk for chunk in self.chunks if chunk[1]]

    def heard(self, since_ms: float, until_ms: float) -> np.ndarray:
        """The sound at the ear, silence where there was nothing to play."""
        track = np.zeros(int((until_ms - since_ms) * 8), np.int16)
        for at, audio in self.chunks:
            samples = to_samples(audio, PHONE.encoding)
            start = round((at - since_ms) * 8)
            if start < 0:
                samples, start = samples[-start:], 0
            samples = samples[: max(0, len(track) - start)]
            track[start : start + len(samples)] = samples
        return track


def silences(samples: np.ndarray, rate: int, quiet: int = 400) -> list[float]:
    """Lengths of all silences in ms: no sample of 5 ms exceeds `quiet`."""
    count = rate // 200
    loud = np.abs(samples[: len(samples) // count * count].reshape(-1, count)).max(axis=1) > quiet
    runs, run = [], 0
    for sounds in loud:
        if sounds and run:
            runs.append(run * 5.0)
        run = 0 if sounds else run + 1
    return [*runs, run * 5.0] if run else runs


class HumanStage:
    """`stage` is the call's; this moves it on, with everybody's sound."""

    def __init__(self, stage: Any, detector: Any, ears: Sequence[str] = ("What I say is this.",)) -> None:
        self.stage = stage
        self.people: list[Human] = []
        self.caller = Tone(HERTZ["caller"], PHONE)
        self.caller_open = True
        self.played: list[tuple[float, bytes]] = []
        self.ears = ScriptedStt(ears)
        self.wide = detector()
        self.wide.rate, self.wide.window = 16_000, 512
        stage.media._vads[16_000] = self.wide
        stage.directory._house = replace(stage.directory._house, stt=self.ears)
        self.playout = Playout()
        play, clear = stage.line.play, stage.line.clear

        def note(audio: bytes) -> None:
            self.played.append((self.now_ms, audio))
            self.playout.play(self.now_ms, audio)
            play(audio)

        def note_clear() -> None:
            self.playout.clear(self.now_ms)
            clear()

        stage.line.play, stage.line.clear = note, note_clear

    @property
    def session(self) -> Any:
        return self.stage.session

    @property
    def bridge(self) -> Bridge:
        bridge: Bridge = self.session.bridge
        return bridge

    @property
    def now_ms(self) -> float:
        return float(self.stage.clock.now() * 1000)

    def join(self, name: str, stance: Stance, format: AudioFormat = WIDE, **tone: Any) -> Human:
        human = Human(self, name, stance, format, **tone)
        self.people.append(human)
        return human

    async def run(self, ms: int, frame: bytes | None = None) -> None:
        """Time passes, and everybody's microphone sends."""
        for _ in range(ms // 10):
            if (self.stage.steps + 1) % 2 == 0:
                for human in self.people:
                    human.speak()
                sound = self.caller.take()
            await self.stage.step(
                frame or (sound if (self.stage.steps + 1) % 2 == 0 and self.caller_open else b"\xff" * 160)
            )

    def events(self, kind: type[CallEvent]) -> list[Any]:
        return list(self.stage.events(kind))

    # What was heard.

    def caller_heard(self, since_ms: float) -> np.ndarray:
        return to_samples(b"".join(audio for at, audio in self.played if at > since_ms), PHONE.encoding)

    def human_heard(self, human: Human, since_ms: float) -> np.ndarray:
        heard = b"".join(audio for at, audio in human.channel.heard if at > since_ms)
        return to_samples(heard, human.channel.format.encoding)

    def taped(self, leg: LegKind, since_ms: float) -> np.ndarray:
        """A leg's track from then on, with silence where nothing was taped."""
        format = PHONE if leg in (LegKind.CALLER, LegKind.AGENT) else WIDE
        track = np.zeros(int((self.now_ms - since_ms + 1000) * format.rate / 1000), np.int16)
        first = int(since_ms * format.rate / 1000)
        for at, audio in self.stage.reel.legs.get(leg, []):
            samples = to_samples(audio, format.encoding)
            start = at - first
            if start >= 0 and start + len(samples) <= len(track):
                track[start : start + len(samples)] = samples
        return track[: int((self.now_ms - since_ms) * format.rate / 1000)]


async def settle() -> None:
    for _ in range(25):
        await asyncio.sleep(0)


async def staged(
    stage_of, agent, replies=None, seconds=3.0, texts=(), ears=("What I say is this.",), **patience
):
    stage = stage_of(agent, replies, texts, **patience)
    stage.factory.tts = stage.factory.lines._tts = ToneTts(seconds)
    humans = HumanStage(stage, LoudVad, ears)
    await stage.answer(prepare=False)
    await stage.until("listening", 8000)
    return humans


async def caller_says(humans, ms=900):
    """The caller speaks, and is silent until the turn is over."""
    await humans.run(ms, SPEECH)
    await humans.run(1000, SILENCE)


async def human_says(humans, human, ms=900):
    human.mic.peak = LOUD
    await humans.run(ms, SILENCE)
    human.mic.peak = 0.0
    await humans.run(900, SILENCE)
