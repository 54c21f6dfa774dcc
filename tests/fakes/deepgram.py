"""Deepgram's streaming recognizers, Listen v1 and Flux, by the types of the `deepgram-sdk` package."""

from __future__ import annotations

import asyncio
import inspect
import json
import warnings
from collections.abc import Callable
from types import NoneType
from typing import Any, get_args, get_type_hints

from tests.fakes.sdk_types import NotInSdk, check_call, closed
from tests.fakes.stt_vendor import SttVendor, Visit, ear_for
from tests.fakes.tone_words import GAP_MS, Word, languages_of, text_of
from websockets.asyncio.server import ServerConnection

with warnings.catch_warnings():  # it asks websockets for a name that is going away
    warnings.simplefilter("ignore", DeprecationWarning)
    from deepgram.listen.v1.client import AsyncV1Client
    from deepgram.listen.v1.types.listen_v1configure import ListenV1Configure
    from deepgram.listen.v1.types.listen_v1error import ListenV1Error
    from deepgram.listen.v1.types.listen_v1metadata import ListenV1Metadata
    from deepgram.listen.v1.types.listen_v1results import ListenV1Results
    from deepgram.listen.v2.client import AsyncV2Client
    from deepgram.listen.v2.types.listen_v2connected import ListenV2Connected
    from deepgram.listen.v2.types.listen_v2fatal_error import ListenV2FatalError
    from deepgram.listen.v2.types.listen_v2turn_info import ListenV2TurnInfo

KEY = "deepgram-test-key"
_LISTS = ("keyterm", "language_hint")
_INTERIM_MS = 200
_SEGMENT_MS = 5_000
_LEAST_FINALIZED_MS = 100


def _check(connect: Callable[..., Any], visit: Visit) -> None:
    """Every parameter is known to the SDK's `connect`, and of its type where that is more than Any."""
    query: dict[str, Any] = {name: value for name, value in visit.query if name not in _LISTS}
    query |= {name: visit.all(name) for name in _LISTS if visit.all(name)}
    hints = get_type_hints(inspect.unwrap(connect))
    if unknown := set(query) - set(hints):
        raise NotInSdk(f"the SDK does not know {sorted(unknown)}")
    typed = {name for name, hint in hints.items() if set(get_args(closed(hint))) - {Any, NoneType}}
    check_call(connect, {name: value for name, value in query.items() if name in typed})


class FakeDeepgram(SttVendor):
    """Both products on one address. `idle_seconds` without audio or KeepAlive end a v1 session.

    `finalizes`: whether Finalize is answered (the real one may not be, when little is buffered).
    """

    def __init__(self, *, idle_seconds: float = 10.0, finalizes: bool = True, **troubles: Any) -> None:
        super().__init__(**troubles)
        self.idle_seconds = idle_seconds
        self.finalizes = finalizes

    def refuse(self, visit: Visit) -> int:
        if visit.headers.get("authorization") != f"Token {KEY}":
            return 401
        client = {"/v1/listen": AsyncV1Client, "/v2/listen": AsyncV2Client}.get(visit.path)
        if client is None:
            return 404
        try:
            _check(client.connect, visit)
        except NotInSdk as error:
            self.faults.append(str(error))
            return 400
        return 0 if visit.get("encoding") and visit.get("sample_rate") else 400

    async def talk(self, visit: Visit, socket: ServerConnection) -> None:
        session = Listen(self, visit, socket) if visit.path == "/v1/listen" else Flux(self, visit, socket)
        await session.run()


class Session:
    """One connection."""

    def __init__(self, vendor: FakeDeepgram, visit: Visit, socket: ServerConnection) -> None:
        self.vendor = vendor
        self.visit = visit
        self.socket = socket
        self.ear = ear_for(visit.get("encoding"), int(visit.get("sample_rate")))

    async def say(self, message: Any) -> None:
        await self.socket.send(message.model_dump_json(exclude_none=True))

    async def audio(self, audio: bytes) -> None:
        await self.vendor.take(self.visit, self.ear, audio, self.socket)


class Listen(Session):
    """Interim words every 200 ms, final ones at pauses and every 5 s."""

    def __init__(self, vendor: FakeDeepgram, visit: Visit, socket: ServerConnection) -> None:
        super().__init__(vendor, visit, socket)
        self._final_ms = self._told_ms = 0.0

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.vendor.idle_seconds):
                    message = await self.socket.recv()
            except TimeoutError:
                await self.socket.close(1011, "NET-0001")
                return
            if isinstance(message, bytes):
                await self.audio(message)
                if not self.vendor.troubles.deaf:
                    await self._listened()
            elif not await self._control(json.loads(message)):
                return

    async def _control(self, message: dict[str, Any]) -> bool:
        self.visit.texts.append(message)
        kind = message.get("type")
        if kind == "Configure":
            ListenV1Configure.model_validate(message)
        elif kind not in ("KeepAlive", "Finalize", "CloseStream") or set(message) - {"type", "channel"}:
            self.vendor.faults.append(f"{message}")
            await self.say(ListenV1Error(variant="SchemaError", description="unknown message"))
            return False
        if kind == "Finalize" and self.vendor.finalizes and not self.vendor.troubles.deaf:
            await self.vendor.think()
            if self.ear.heard_ms - self._final_ms >= _LEAST_FINALIZED_MS:
                await self._results(final=True, finalized=True)
        if kind == "CloseStream":
            await self._results(final=True)
            about: dict[str, Any] = {
                "transaction_key": "deprecated",
                "request_id": "r",
                "sha256": "0",
                "created": "now",
            }
            about |= {"duration": self.ear.heard_ms / 1000, "channels": 1}
            await self.say(ListenV1Metadata.model_validate(about))
            await self.socket.close()
            return False
        return True

    async def _listened(self) -> None:
        pending = self.ear.heard_ms - self._final_ms
        spoke = bool(self.ear.words(self._final_ms))
        endpointing = float(self.visit.get("endpointing") or 10)
        between = pending >= _SEGMENT_MS and self.ear.silence_ms() >= GAP_MS / 2  # never within a word
        if (spoke and self.ear.silence_ms() >= endpointing) or between:
            await self._results(final=True, speech_final=spoke)
        elif self.ear.heard_ms - self._told_ms >= _INTERIM_MS:
            await self._results(final=False)

    async def _results(self, *, final: bool, finalized: bool = False, speech_final: bool = False) -> None:
        start, end = self._final_ms, self.ear.heard_ms
        words = self.ear.words(start, end)
        if final:
            self._final_ms = end
        self._told_ms = end
        best: dict[str, Any] = {
            "transcript": text_of(words),
            "confidence": 0.9 if words else 0.0,
            "words": [_word(word) for word in words],
        }
        if self.visit.get("language") == "multi" and words:
            best["languages"] = [f"{code}-XX" if code == "en" else code for code in languages_of(words)]
        await self.say(
            ListenV1Results.model_validate(
                {
                    "channel_index": [0, 1],
                    "duration": (end - start) / 1000,
                    "start": start / 1000,
                    "is_final": final,
                    "speech_final": speech_final,
                    "from_finalize": finalized,
                    "channel": {"alternatives": [best]},
                    "metadata": {
                        "request_id": "r",
                        "model_uuid": "m",
                        "model_info": {"name": "nova", "version": "1", "arch": "nova"},
                    },
                }
            )
        )


class Flux(Session):
    """Turns by silence: the longer it lasts, the surer that the turn is over (1.0 after 370 ms)."""

    def __init__(self, vendor: FakeDeepgram, visit: Visit, socket: ServerConnection) -> None:
        super().__init__(vendor, visit, socket)
        self._sequence = -1
        self._turn = 0
        self._start_ms = self._told_ms = 0.0
        self._speaking = self._eager = False
        self._eager_text = ""

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    async def run(self) -> None:
        if not self.vendor.troubles.unready:
            await self.say(ListenV2Connected(request_id="r", sequence_id=self._next()))
        async for message in self.socket:
            if isinstance(message, bytes):
                await self.audio(message)
                if not self.vendor.troubles.deaf:
                    await self._listened()
                continue
            control = json.loads(message)
            self.visit.texts.append(control)
            if control == {"type": "ForceEndTurn"}:
                await self.vendor.think()
                if self._speaking and not self.vendor.troubles.deaf:
                    await self._info("EndOfTurn", 0.5, "manual")
            elif control == {"type": "CloseStream"}:
                return
            else:
                self.vendor.faults.append(message)
                code = "UNPARSABLE_CLIENT_MESSAGE"
                await self.say(ListenV2FatalError(sequence_id=self._next(), code=code, description="?"))
                return

    async def _listened(self) -> None:
        words = self.ear.words(self._start_ms)
        over = min(1.0, self.ear.silence_ms() / 370) if words else 0.0
        eager = float(self.visit.get("eager_eot_threshold") or 2)
        if words and not self._speaking:
            self._speaking = True
            await self._info("StartOfTurn", over)
        elif self._speaking and over >= float(self.visit.get("eot_threshold") or 0.7):
            await self._info("EndOfTurn", over, "model")
        elif self._speaking and self._eager and over < 0.1:
            self._eager = False
            await self._info("TurnResumed", over)
        elif self._speaking and not self._eager and over >= eager:
            self._eager = True
            await self._info("EagerEndOfTurn", over)
        elif self.ear.heard_ms - self._told_ms >= 250:
            await self._info("Update", over)

    async def _info(self, event: str, over: float, trigger: str | None = None) -> None:
        words = self.ear.words(self._start_ms)
        self._told_ms = self.ear.heard_ms
        info: dict[str, Any] = {
            "request_id": "r",
            "sequence_id": self._next(),
            "event": event,
            "turn_index": self._turn,
            "audio_window_start": self._start_ms / 1000,
            "audio_window_end": self.ear.heard_ms / 1000,
            "transcript": text_of(words),
            "words": [{"word": word.text, "confidence": 0.95} for word in words],
            "end_of_turn_confidence": round(over, 3),
            "trigger": trigger,
        }
        if self.visit.get("model").endswith("-multi") and words:
            info["languages"] = languages_of(words)
        if event == "EndOfTurn":
            self._turn += 1
            self._start_ms = self.ear.heard_ms
            self._speaking = self._eager = False
        await self.say(ListenV2TurnInfo.model_validate(info))


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.text,
        "start": word.start_ms / 1000,
        "end": word.end_ms / 1000,
        "confidence": 0.9,
        "punctuated_word": word.text,
    }
