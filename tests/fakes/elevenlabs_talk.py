"""One conversation of the fake ElevenLabs agent: it listens, answers, pings, takes tools, fails."""

from __future__ import annotations

import asyncio
import itertools
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.fakes.elevenlabs_shapes import WrongMessage, check, check_initiation
from tests.fakes.voice import encoded, seconds_for
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from offhook.audio.g711 import decode_ulaw

if TYPE_CHECKING:
    from tests.fakes.elevenlabs import FakeAgents

VOICED_MS = 120
SILENT_MS = 240
LOUD = 400.0


@dataclass
class Faults:
    """What goes wrong. `status` refuses the handshake, `signed_status` the signed URL, in place of which
    `signed_body` may come; `begin_after` and `chunk_pause` are seconds; after `cut_after` chunks of sound the
    connection is dropped (`cuts` times); `error` and `close` (code, reason) come `end_after` chunks, instead
    of the metadata when that is None."""

    status: int = 0
    signed_status: int = 0
    signed_body: str = ""
    code: str = ""
    begin_after: float = 0.0
    never_begin: bool = False
    chunk_pause: float = 0.0
    cut_after: int | None = None
    cuts: int = 1
    error: dict[str, Any] | None = None
    close: tuple[int, str] | None = None
    end_after: int | None = None
    garbage: list[str | bytes] = field(default_factory=list)
    flood: int = 0


@dataclass
class Reply:
    """What the agent says next; `tool` (name, parameters) is called first."""

    text: str
    tool: tuple[str, dict[str, Any]] | None = None


class Talk:
    """One conversation. `heard` is the caller's sound as it came, `said` what was sent."""

    def __init__(self, house: FakeAgents, connection: ServerConnection, name: str) -> None:
        self.house = house
        self.connection = connection
        self.name = name
        self.begin: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.heard = bytearray()
        self.said = bytearray()
        self.transcripts = 0
        self.interruptions = 0
        self.results: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.pongs: list[float] = []
        self.closed = asyncio.Event()
        self.text_only = False
        self._pings: dict[int, float] = {}
        self._events = itertools.count(1)
        self._last_sound = 0
        self._chunks = 0
        self._spoken_until = 0.0
        self._saying = ""
        self._voiced = self._silent = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._speech: asyncio.Task[None] | None = None

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type that came."""
        return [message for message in self.messages if message.get("type") == kind]

    async def run(self) -> None:
        faults = self.house.faults
        self.begin = json.loads(await self.connection.recv())
        self._checked(check_initiation, self.begin)
        for raw in faults.garbage:
            await self.connection.send(raw)
        if faults.never_begin:
            await self.connection.wait_closed()
            return
        if faults.begin_after:
            await asyncio.sleep(faults.begin_after)
        if await self._refused():
            return
        await self._begun()
        async for raw in self.connection:
            message = json.loads(raw)
            self._checked(check, message)
            await self._take(message)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def end(self, code: int = 1000, reason: str = "") -> None:
        """The agent hangs up."""
        await self.connection.close(code, reason)

    async def send(self, kind: str, name: str = "", **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **({name: fields} if name else fields)}))

    def _checked(self, look: Callable[[dict[str, Any]], None], message: dict[str, Any]) -> None:
        try:
            look(message)
        except WrongMessage as error:
            self.house.wrong.append(str(error))

    async def _refused(self) -> bool:
        """Overrides that are not allowed, variables that are missing, and errors on demand."""
        house = self.house
        config = self.begin.get("conversation_config_override") or {}
        agent = config.get("agent") or {}
        asked = {name for name in ("first_message", "language", "prompt") if name in agent}
        asked |= {"voice"} if "voice_id" in (config.get("tts") or {}) else set()
        self.text_only = bool((config.get("conversation") or {}).get("text_only") or config.get("text_only"))
        asked |= {"text_only"} if (config.get("conversation") or {}).get("text_only") else set()
        error: dict[str, Any] | None = None
        if wrong := sorted(asked - house.allowed):
            text = f"Override for field '{wrong[0]}' is not allowed by config."
            error = {"code": 1008, "error_type": "override_error", "message": text}
        elif missing := sorted(house.required - set(self.begin.get("dynamic_variables") or {})):
            text = f"Missing required dynamic variables: {{'{missing[0]}'}}"
            error = {"code": 1008, "error_type": "missing_dynamic_variable", "message": text}
        elif house.faults.end_after is None and (house.faults.error or house.faults.close):
            await self._fail()
            return True
        if error is not None:
            await self.send("error", "error_event", **error)
            await self.connection.close(1008, error["message"][:100])
        return error is not None

    async def _fail(self) -> None:
        faults = self.house.faults
        if faults.error is not None:
            await self.connection.send(json.dumps({"type": "error", **faults.error}))
        if faults.close is not None:
            await self.connection.close(*faults.close)

    async def _begun(self) -> None:
        house = self.house
        await self.send(
            "conversation_initiation_metadata",
            "conversation_initiation_metadata_event",
            conversation_id=self.name,
            agent_output_audio_format=house.output,
            user_input_audio_format=house.input,
        )
        if house.ping_s is not None:
            self._task(self._ping(house.ping_s))
        if house.faults.flood:
            self._task(self._flood(house.faults.flood))
        config = self.begin.get("conversation_config_override") or {}
        first = (config.get("agent") or {}).get("first_message", house.first_message)
        if first:
            self._say(Reply(first))

    def _task(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(_quiet(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _ping(self, every: float) -> None:
        loop = asyncio.get_running_loop()
        for number in itertools.count(1):
            self._pings[number] = loop.time()
            await self.send("ping", "ping_event", event_id=number, ping_ms=None if number == 1 else 30)
            await asyncio.sleep(every)

    async def _flood(self, count: int) -> None:
        for _ in range(count):
            await self.send("vad_score", "vad_score_event", vad_score=0.0)

    # What the caller does.

    async def _take(self, message: dict[str, Any]) -> None:
        if "user_audio_chunk" in message:
            sound = b64decode(message["user_audio_chunk"], validate=True)
            self.heard += sound
            await self._listen(sound)
            return
        self.messages.append(message)
        match message["type"]:
            case "pong":
                sent = self._pings.pop(message["event_id"], None)
                if sent is None:
                    self.house.wrong.append("a pong to no ping")
                else:
                    self.pongs.append(asyncio.get_running_loop().time() - sent)
            case "user_message":
                text = message["text"]
                exact = text.partition("<<")[2].partition(">>")[0]
                await self._interrupt()
                self._say(Reply(exact) if exact else self._next())
            case "client_tool_result":
                self.results.put_nowait(message)

    async def _listen(self, sound: bytes) -> None:
        """A loud stretch over the agent interrupts it; one and then silence is a turn."""
        kind, _, rate = self.house.input.partition("_")
        samples = decode_ulaw(sound) if kind == "ulaw" else np.frombuffer(sound, "<i2")
        step = int(rate) // 50
        for start in range(0, len(samples), step):
            piece = samples[start : start + step].astype(np.float64)
            ms = len(piece) * 1000 / int(rate)
            if np.sqrt(np.mean(piece**2)) >= LOUD:
                self._voiced, self._silent = self._voiced + ms, 0.0
                if self._voiced >= VOICED_MS:
                    await self._interrupt()
            else:
                self._silent += ms
                if self._voiced >= VOICED_MS and self._silent >= SILENT_MS:
                    self._voiced = 0.0
                    await self._turn()
                elif self._silent >= SILENT_MS:
                    self._voiced = 0.0

    async def _turn(self) -> None:
        self.transcripts += 1
        await self.send(
            "user_transcript",
            "user_transcription_event",
            user_transcript=f"caller turn {self.transcripts}",
            event_id=next(self._events),
        )
        self._say(self._next())

    def _next(self) -> Reply:
        replies = self.house.replies
        return replies.pop(0) if len(replies) > 1 else replies[0]

    async def _interrupt(self) -> None:
        now = asyncio.get_running_loop().time()
        speaking = self._speech is not None and not self._speech.done()
        if not self.house.interruptible or not (speaking or now < self._spoken_until):
            return
        if self._speech is not None:
            self._speech.cancel()
            self._speech = None
        self._spoken_until = 0.0
        self.interruptions += 1
        await self.send("interruption", "interruption_event", event_id=self._last_sound)
        await self.send(
            "agent_response_correction",
            "agent_response_correction_event",
            original_agent_response=self._saying,
            corrected_agent_response=self._saying[: len(self._saying) // 2] + "...",
            event_id=self._last_sound,
        )

    # What the agent says.

    def _say(self, reply: Reply) -> None:
        if self._speech is not None:
            self._speech.cancel()
        self._speech = self._task(self._speak(reply))

    async def _speak(self, reply: Reply) -> None:
        if reply.tool is not None:
            name, parameters = reply.tool
            identity = f"tool_{next(self._events)}"
            call = {"tool_name": name, "tool_call_id": identity, "parameters": parameters}
            await self.send("client_tool_call", "client_tool_call", **call, event_id=next(self._events))
            await self.results.get()
        self._saying = reply.text
        event = next(self._events)
        if self.house.parts or self.text_only:
            for kind, text in (
                ("start", ""),
                *(("delta", w + " ") for w in reply.text.split()),
                ("stop", ""),
            ):
                await self.send(
                    "agent_chat_response_part", "text_response_part", text=text, type=kind, event_id=event
                )
        if self.text_only:
            await self.send(
                "agent_response", "agent_response_event", agent_response=reply.text, event_id=event
            )
            return
        await self._sounds(reply.text, event)

    async def _sounds(self, text: str, event: int) -> None:
        house, loop = self.house, asyncio.get_running_loop()
        sound = encoded(house.output, seconds_for(text))
        kind, _, rate = house.output.partition("_")
        size = int(rate) * (1 if kind == "ulaw" else 2) * house.chunk_ms // 1000
        pieces = [sound[at : at + size] for at in range(0, len(sound), size)]
        share = -(-len(text) // len(pieces))
        begun = loop.time()
        self._spoken_until = max(self._spoken_until, begun) + len(sound) / size * house.chunk_ms / 1000
        for number, piece in enumerate(pieces):
            if number and house.ids == "chunk":
                event = next(self._events)
            self._last_sound = event
            fields: dict[str, Any] = {"audio_base_64": b64encode(piece).decode(), "event_id": event}
            if house.aligned:
                chars = list(text[number * share : (number + 1) * share])
                times = [number * house.chunk_ms] * len(chars)
                fields["alignment"] = {
                    "chars": chars,
                    "char_start_times_ms": times,
                    "char_durations_ms": [50] * len(chars),
                }
            await self.send("audio", "audio_event", **fields)
            self.said += piece
            if number == 0:
                await self.send("agent_response", "agent_response_event", agent_response=text, event_id=event)
            self._chunks += 1
            await self._after_chunk()

    async def _after_chunk(self) -> None:
        faults = self.house.faults
        if faults.cut_after is not None and self._chunks >= faults.cut_after and faults.cuts > 0:
            faults.cuts -= 1
            self.connection.transport.abort()
        if faults.end_after is not None and self._chunks == faults.end_after:
            await self._fail()
        if faults.chunk_pause:
            await asyncio.sleep(faults.chunk_pause)


async def _quiet(work: Any) -> None:
    with suppress(ConnectionClosed):
        await work
