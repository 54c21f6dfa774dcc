"""The text, silent and device channels, and the choice between them, each with a scripted reception."""

from __future__ import annotations

import asyncio
import importlib.machinery
import sys
import threading
import types
from typing import Any

import pytest

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.channels.base import Arrival
from offhook.channels.choice import choose_channel, has_sound_package
from offhook.channels.device import DeviceChannel
from offhook.channels.silent import SilentChannel
from offhook.channels.text import TextChannel
from offhook.foundation.errors import LimitError, MissingExtraError, ProviderError
from offhook.foundation.events import (
    CallEnded,
    ChannelKind,
    EndReason,
    Entry,
    LegKind,
    Levels,
    Notice,
    TranscriptFinal,
)


class Caller:
    """Notes what a channel tells; also the reception that takes it in."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    def arrive(self, channel: Any, arrival: Arrival) -> tuple[str, Any]:
        if self.error is not None:
            raise self.error
        return "call_1", self

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *what: self.told.append((name[3:], *what))


def entry(event: Any) -> Entry:
    return Entry("call_1", 1, 0, event)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_call_by_typed_lines() -> None:
    lines: list[str] = []
    channel, caller = TextChannel(lines.append), Caller()
    channel.line("too early")
    assert channel.begin(caller, Arrival()) == "call_1"
    assert (channel.kind, channel.format, channel.peer) == (ChannelKind.TEXT, WIDEBAND, "")
    channel.line("  hello  ")
    channel.line("   ")
    channel.line("x" * 3000)
    channel.play(b"\0\0")
    channel.mark("cut")
    channel.clear()
    channel.mark("heard")
    await settle()
    for event in (
        TranscriptFinal(LegKind.AGENT, 1, "Hi!", 0, 1),
        TranscriptFinal(LegKind.AGENT, 1, "", 0, 1),
        TranscriptFinal(LegKind.COACH, 1, "psst", 0, 1),
        Levels(0, 0),
        Notice("not recorded"),
        CallEnded(EndReason.AGENT_HUNG_UP),
    ):
        channel.tell(entry(event))
    assert lines == ["Hi!", "(not recorded)", "(the call ended: agent hung up)"]
    channel.leave()
    channel.hang_up(EndReason.AGENT_HUNG_UP)
    await settle()
    channel.line("too late")
    channel.mark("too late")
    await settle()
    assert caller.told == [
        ("text", "hello"),
        ("text", "x" * 2000),
        ("mark", "heard"),
        ("closed", EndReason.CALLER_HUNG_UP),
    ]


async def test_the_void_hears_in_real_time() -> None:
    channel, caller, loop = SilentChannel(PHONE), Caller(), asyncio.get_running_loop()
    channel.begin(caller, Arrival())
    assert (channel.kind, channel.format, channel.peer) == (ChannelKind.SILENT, PHONE, "")
    channel.tell(entry(Levels(0, 0)))
    begun = loop.time()
    channel.mark("at once")
    channel.play(PHONE.silence(400))
    channel.mark("later")
    channel.mark("too")
    await settle()
    assert caller.told == [("mark", "at once")]
    while len(caller.told) < 3:
        await asyncio.sleep(0.005)
    assert 0.05 <= loop.time() - begun < 0.2
    assert caller.told[1:] == [("mark", "later"), ("mark", "too")]


async def test_a_clear_silences_marks_and_a_hang_up_everything() -> None:
    channel, caller = SilentChannel(), Caller()
    channel.begin(caller, Arrival())
    channel.play(WIDEBAND.silence(160))
    channel.mark("cut")
    channel.clear()
    channel.mark("heard")
    await asyncio.sleep(0.03)
    assert caller.told == [("mark", "heard")]
    channel.play(WIDEBAND.silence(160))
    channel.mark("never")
    channel.hang_up(EndReason.NO_INPUT)
    channel.hang_up(EndReason.MAX_LENGTH)
    await settle()
    channel.mark("gone")
    await asyncio.sleep(0.03)
    assert caller.told[1:] == [("closed", EndReason.NO_INPUT)]


@pytest.mark.parametrize(
    ("browser", "card", "terminal", "kind", "words"),
    [
        (True, True, True, ChannelKind.BROWSER, "browser's microphone"),
        (True, False, False, ChannelKind.BROWSER, "browser's microphone"),
        (False, True, False, ChannelKind.DEVICE, "sound card is used"),
        (False, False, True, ChannelKind.TEXT, "offhook[sound]'; the call goes on as text"),
        (False, False, False, ChannelKind.SILENT, "offhook[sound]'; the call goes on without sound"),
    ],
)
def test_the_choice_of_a_channel(
    browser: bool, card: bool, terminal: bool, kind: ChannelKind, words: str
) -> None:
    choice = choose_channel(use_websocket_audio=browser, sound_card=card, terminal=terminal)
    assert choice.kind is kind
    assert words in choice.reason


class Stream:
    """A PortAudio stream: `pull` and `push` do what its thread would do."""

    def __init__(self, card: Any, callback: Any, **shape: Any) -> None:
        self.card, self.callback, self.shape = card, callback, shape
        card.streams.append(self)
        self.running = False

    def start(self) -> None:
        if self.card.broken:
            raise self.card.PortAudioError("no device")
        self.running = True

    def close(self) -> None:
        self.running = False

    def push(self, audio: bytes) -> None:
        self._in_thread(lambda: self.callback(memoryview(audio), len(audio) // 2, None, None))

    def pull(self, size: int) -> bytes:
        data = bytearray(size)
        self._in_thread(lambda: self.callback(memoryview(data), size // 2, None, None))
        return bytes(data)

    def _in_thread(self, work: Any) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stand-in for the package `sounddevice`, which no test machine has."""
    module: Any = types.ModuleType("sounddevice")
    module.__spec__ = importlib.machinery.ModuleSpec("sounddevice", None)
    module.streams, module.broken = [], False
    module.PortAudioError = type("PortAudioError", (Exception,), {})
    module.RawInputStream = lambda **options: Stream(module, **options)
    module.RawOutputStream = lambda **options: Stream(module, **options)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    assert has_sound_package()
    return module


async def test_a_call_by_the_sound_card(card: Any) -> None:
    channel, caller = DeviceChannel(), Caller()
    assert channel.begin(caller, Arrival()) == "call_1"
    assert (channel.kind, channel.format, channel.peer) == (ChannelKind.DEVICE, WIDEBAND, "")
    channel.tell(entry(Levels(0, 0)))
    microphone, speaker = card.streams
    assert microphone.shape == {"samplerate": 16_000, "blocksize": 320, "channels": 1, "dtype": "int16"}
    microphone.push(b"\1\0" * 320)
    microphone.push(b"\2\0" * 320)
    channel.mark("empty")
    channel.play(b"\3\0" * 400)
    channel.mark("played")
    await settle()
    assert caller.told == [
        ("audio", b"\1\0" * 320, 0),
        ("audio", b"\2\0" * 320, 20),
        ("mark", "empty"),
    ]
    assert speaker.pull(640) == b"\3\0" * 320
    await settle()
    assert len(caller.told) == 3
    assert speaker.pull(640) == b"\3\0" * 80 + bytes(480)
    await settle()
    assert caller.told[3:] == [("mark", "played")]

    channel.play(b"\4\0" * 400)
    channel.mark("cut")
    channel.clear()
    assert speaker.pull(640) == bytes(640)
    channel.play(bytes(WIDEBAND.size(31_000)))
    channel.mark("nothing waits: too much was refused")
    channel.hang_up(EndReason.CALLER_HUNG_UP)
    channel.hang_up(EndReason.MAX_LENGTH)
    await settle()
    assert caller.told[4:] == [
        ("mark", "nothing waits: too much was refused"),
        ("closed", EndReason.CALLER_HUNG_UP),
    ]
    assert not microphone.running
    assert not speaker.running
    microphone.push(b"\1\0" * 320)
    await settle()
    assert len(caller.told) == 6


def test_a_callback_after_the_loop_is_gone_is_harmless(card: Any) -> None:
    async def call() -> None:
        DeviceChannel().begin(Caller(), Arrival())

    asyncio.run(call())
    card.streams[0].push(b"\0\0")


async def test_a_card_that_cannot_be_used(card: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    card.broken = True
    with pytest.raises(ProviderError, match="no usable microphone"):
        DeviceChannel().begin(Caller(), Arrival())
    card.broken = False
    busy = Caller()
    busy.error = LimitError("no capacity")
    with pytest.raises(LimitError):
        DeviceChannel().begin(busy, Arrival())
    assert not any(stream.running for stream in card.streams)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r"offhook\[sound\]"):
        DeviceChannel().begin(Caller(), Arrival())
