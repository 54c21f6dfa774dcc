"""One session of the fake Realtime server: turns by energy, replies, function calls, truncation."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from openai.types.realtime.conversation_item_create_event_param import ConversationItemCreateEventParam
from openai.types.realtime.conversation_item_truncate_event_param import ConversationItemTruncateEventParam
from openai.types.realtime.input_audio_buffer_append_event_param import InputAudioBufferAppendEventParam
from openai.types.realtime.response_cancel_event_param import ResponseCancelEventParam
from openai.types.realtime.response_create_event_param import ResponseCreateEventParam
from openai.types.realtime.session_update_event_param import SessionUpdateEventParam
from tests.fakes.openai_realtime_voice import FORMATS, Item, pieces
from tests.fakes.sdk_types import NotInSdk, check_dict
from websockets.asyncio.server import ServerConnection

from offhook.audio.convert import to_samples
from offhook.audio.frame import Encoding

if TYPE_CHECKING:
    from tests.fakes.openai_realtime import FakeRealtime

Say = str | tuple[str, dict[str, Any]]
"""What a reply consists of: words to be spoken, or the name and arguments of a function to be called."""
KINDS: dict[str, Any] = {
    "session.update": SessionUpdateEventParam,
    "input_audio_buffer.append": InputAudioBufferAppendEventParam,
    "conversation.item.create": ConversationItemCreateEventParam,
    "conversation.item.truncate": ConversationItemTruncateEventParam,
    "response.create": ResponseCreateEventParam,
    "response.cancel": ResponseCancelEventParam,
}
_WINDOW_MS = 20
_LOUD = 500.0
_ONSET_MS = 60


class Talk:
    """`events` are the client's, without audio; `heard` is all its audio; `said` the utterances by item."""

    def __init__(self, vendor: FakeRealtime, socket: ServerConnection, model: str) -> None:
        self.vendor = vendor
        self.socket = socket
        self.model = model
        self.session: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.heard = bytearray()
        self.heard_at: list[float] = []
        self.said_at: list[float] = []
        self.said: dict[str, Item] = {}
        self.errors: list[str] = []
        self.outputs: dict[str, str] = {}
        self.system: list[str] = []
        self.closed = False
        self._ids = itertools.count(1)
        self._count = 0
        self._reply: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._format = FORMATS["audio/pcmu"]
        self._out = FORMATS["audio/pcmu"]
        self._seen = 0
        self._loud_ms = self._quiet_ms = 0
        self._speech = ""
        self._odd = random.Random(11) if vendor.troubles.odd else None

    # The session.

    async def run(self) -> None:
        await self.send("session.created", session={"type": "realtime", "model": self.model, "object": "x"})
        async for raw in self.socket:
            event = json.loads(raw)
            self._count += 1
            if not self._fits(event):
                await self.error("invalid_request_error", event.get("event_id"))
                continue
            if event["type"] == "input_audio_buffer.append":
                await self._append(base64.b64decode(event["audio"], validate=True))
            else:
                self.events.append(event)
                await self._event(event)
            expire = self.vendor.troubles.expire
            if expire and self._count >= expire[0]:
                expire.pop(0)
                await self.error("session_expired")
                await self.socket.close(1001, "session expired")
        self.closed = True

    async def stop(self) -> None:
        self.closed = True
        tasks = [task for task in (self._reply, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"event_id": self._id("event"), "type": kind, **fields}))

    async def error(self, code: str, event_id: str | None = None) -> None:
        self.errors.append(code)
        message = f"told to, near Bearer {'x' * 20}"
        error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id}
        await self.send("error", error=error)

    def report(self) -> dict[str, Any]:
        """For another process: what was heard and said, as hashes, sizes and times (monotonic, ns)."""
        said = [bytes(item.audio) for item in self.said.values()]
        return {
            "heard": hashlib.sha256(self.heard).hexdigest(),
            "heard_bytes": len(self.heard),
            "heard_at": self.heard_at,
            "said": [hashlib.sha256(audio).hexdigest() for audio in said],
            "said_bytes": [len(audio) for audio in said],
            "said_at": self.said_at,
            "said_deltas": [item.deltas for item in self.said.values()],
            "texts": [item.text for item in self.said.values()],
            "truncated": [item.truncated_ms for item in self.said.values()],
            "errors": self.errors,
        }

    def _id(self, kind: str) -> str:
        return f"{kind}_{len(self.vendor.talks)}_{next(self._ids)}"

    def _fits(self, event: dict[str, Any]) -> bool:
        if event.keys() == {"type", "audio"} and event["type"] == "input_audio_buffer.append":
            return isinstance(event["audio"], str)  # fifty a second: the whole check is for the others
        try:
            check_dict(KINDS[event["type"]], event)
        except (KeyError, NotInSdk) as error:
            self.vendor.faults.append(f"{event.get('type')}: {error}")
            return False
        return True

    async def _event(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "session.update":
                await self._update(event["session"])
            case "conversation.item.create":
                await self._create(event["item"])
            case "conversation.item.truncate":
                await self._truncate(event)
            case "response.create":
                if self._reply is not None:
                    await self.error("conversation_already_has_active_response", event.get("event_id"))
                else:
                    self._begin(event.get("response", {}))
            case "response.cancel":
                if self._reply is None:
                    await self.error("response_cancel_not_active", event.get("event_id"))
                else:
                    await self._cancel("client_cancelled")

    async def _update(self, session: dict[str, Any]) -> None:
        troubles = self.vendor.troubles
        self.session = session
        asked = session["audio"]["output"]["format"]
        self._format = FORMATS[session["audio"]["input"]["format"]["type"]]
        self._out = FORMATS[troubles.unlike or asked["type"]]
        await asyncio.sleep(troubles.configure_s)
        if troubles.mute:
            troubles.mute -= 1
            return
        if troubles.error_at_start:
            await self.error(troubles.error_at_start)
            return
        audio = dict(session["audio"])
        if troubles.unlike:
            audio["output"] = {**audio["output"], "format": {"type": troubles.unlike}}
        await self.send("session.updated", session={**session, "audio": audio})

    async def _create(self, item: dict[str, Any]) -> None:
        if item["type"] == "function_call_output":
            self.outputs[item["call_id"]] = item["output"]
        elif item["role"] == "system":
            self.system.append(item["content"][0]["text"])
        made = {**item, "id": self._id("item"), "status": "completed"}
        await self.send("conversation.item.added", item=made, previous_item_id=None)
        await self.send("conversation.item.done", item=made, previous_item_id=None)

    async def _truncate(self, event: dict[str, Any]) -> None:
        item = self.said.get(event["item_id"])
        if item is None:
            await self.error("item_not_found", event.get("event_id"))
        elif event["audio_end_ms"] > self._ms(item.audio):
            await self.error("invalid_value", event.get("event_id"))
        else:
            item.truncated_ms = event["audio_end_ms"]
            about = {name: event[name] for name in ("item_id", "content_index", "audio_end_ms")}
            await self.send("conversation.item.truncated", **about)

    def _ms(self, audio: bytes | bytearray) -> int:
        encoding, rate, _ = self._out
        return len(audio) * 1000 // (rate * (2 if encoding is Encoding.PCM16 else 1))

    # The caller's turns.

    async def _append(self, audio: bytes) -> None:
        self.heard += audio
        self.heard_at.append(time.monotonic())
        encoding, rate, _ = self._format
        size = rate * _WINDOW_MS // 1000 * (2 if encoding is Encoding.PCM16 else 1)
        while len(self.heard) - self._seen >= size:
            window = bytes(self.heard[self._seen : self._seen + size])
            self._seen += size
            level = np.sqrt(np.mean(to_samples(window, encoding).astype(np.float64) ** 2))
            await self._window(level > _LOUD, self._seen // size * _WINDOW_MS)

    async def _window(self, loud: bool, at_ms: int) -> None:
        turns = self.session["audio"]["input"]["turn_detection"]
        self._loud_ms = self._loud_ms + _WINDOW_MS if loud else 0
        self._quiet_ms = 0 if loud else self._quiet_ms + _WINDOW_MS
        if not self._speech and self._loud_ms >= _ONSET_MS:
            self._speech = self._id("item")
            start = max(0, at_ms - _ONSET_MS - turns.get("prefix_padding_ms", 300))
            await self.send("input_audio_buffer.speech_started", item_id=self._speech, audio_start_ms=start)
            if self._reply is not None and turns.get("interrupt_response", True):
                await self._cancel("turn_detected")
        elif self._speech and self._quiet_ms >= turns.get("silence_duration_ms", 500):
            item, self._speech = self._speech, ""
            await self.send("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=at_ms)
            await self._commit(item)

    async def _commit(self, item: str) -> None:
        await self.send("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        content = [{"type": "input_audio", "transcript": None}]
        made = {"id": item, "type": "message", "role": "user", "status": "completed", "content": content}
        await self.send("conversation.item.added", item=made, previous_item_id=None)
        await self.send("conversation.item.done", item=made, previous_item_id=None)
        if self.session["audio"]["input"].get("transcription"):
            task = asyncio.create_task(self._transcribe(item))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.vendor.troubles.stall:
            self.vendor.troubles.stall -= 1
        elif self.session["audio"]["input"]["turn_detection"].get("create_response", True):
            self._begin({})

    async def _transcribe(self, item: str) -> None:
        vendor = self.vendor
        text = vendor.words[min(vendor.heard, len(vendor.words) - 1)]
        vendor.heard += 1
        await asyncio.sleep(vendor.transcribe_s)
        about = "conversation.item.input_audio_transcription."
        if not text:
            await self.send(f"{about}failed", item_id=item, content_index=0, error={"code": "unintelligible"})
            return
        for part in text.split(" "):
            await self.send(f"{about}delta", item_id=item, content_index=0, delta=f"{part} ")
        usage = {"type": "duration", "seconds": 1.0}
        languages = [{"code": "en"}]
        await self.send(
            f"{about}completed",
            item_id=item,
            content_index=0,
            transcript=text,
            usage=usage,
            languages=languages,
        )

    # Replies.

    def _begin(self, asked: dict[str, Any]) -> None:
        self._response = self._id("resp")
        self._reply = asyncio.create_task(self._respond(self._response, asked))
        self._reply.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        if self._reply is task:
            self._reply = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self.vendor.faults.append(f"the fake: {error!r}")

    async def _cancel(self, reason: str) -> None:
        task, self._reply = self._reply, None
        assert task is not None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._done(self._response, "cancelled", {"type": "cancelled", "reason": reason})

    async def _done(self, response: str, status: str, details: dict[str, Any] | None = None) -> None:
        about = {"id": response, "object": "realtime.response", "status": status, "output": []}
        await self.send("response.done", response={**about, "status_details": details})

    async def _respond(self, response: str, asked: dict[str, Any]) -> None:
        troubles = self.vendor.troubles
        await asyncio.sleep(self.vendor.reply_s)
        parts = self._parts(asked)
        about = {"id": response, "object": "realtime.response", "status": "in_progress", "output": []}
        await self.send("response.created", response=about)
        limit = {"name": "tokens", "limit": 1_000_000, "remaining": troubles.limits, "reset_seconds": 0.1}
        await self.send("rate_limits.updated", rate_limits=[limit])
        if troubles.garbage:
            for raw in troubles.garbage:
                await self.socket.send(raw if raw[:1] == b"\x00" else raw.decode("latin-1"))
            troubles.garbage = []
        for _ in range(troubles.flood):
            await self.send("conversation.item.added", item={"id": "x", "type": "message"})
        troubles.flood = 0
        if troubles.fail:
            error = {"type": "server_error", "code": troubles.fail.pop(0), "message": "told to"}
            self._reply = None
            await self._done(response, "failed", {"type": "failed", "error": error})
            return
        for index, part in enumerate(parts):
            if isinstance(part, str):
                await self._speak(response, index, part)
            else:
                await self._call(response, index, *part)
        self._reply = None
        await self._done(response, "completed")

    def _parts(self, asked: dict[str, Any]) -> list[Say]:
        """What to say: the exact line that was asked for, or the next of the scripted replies."""
        told = asked.get("instructions", "") or ""
        if not told and self.events and asked.get("tool_choice") == "none":
            told = self.system[-1] if self.system else ""
        if "<<" in told:
            return [told.partition("<<")[2].partition(">>")[0]]
        vendor = self.vendor
        reply = vendor.replies[min(vendor.replied, len(vendor.replies) - 1)]
        vendor.replied += 1
        return list(reply) if isinstance(reply, list) else [reply]

    async def _speak(self, response: str, index: int, text: str) -> None:
        identity = self._id("item")
        item = self.said[identity] = Item(text)
        made = {
            "id": identity,
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        where = {"response_id": response, "output_index": index}
        about = {**where, "item_id": identity, "content_index": 0}
        await self.send("response.output_item.added", **where, item={**made, "status": "in_progress"})
        await self.send("conversation.item.added", item=made, previous_item_id=None)
        await self.send("response.content_part.added", **about, part={"type": "audio", "transcript": ""})
        for words, audio in pieces(text, self._out, self.vendor.delta_ms, self._odd):
            if words:
                await self.send("response.output_audio_transcript.delta", **about, delta=words)
            await self._audio(item, audio, about)
        item.whole = True
        await self.send("response.output_audio.done", **about)
        await self.send("response.output_audio_transcript.done", **about, transcript=text)
        part = {"type": "audio", "transcript": text}
        await self.send("response.content_part.done", **about, part=part)
        whole = {**made, "status": "completed", "content": [{"type": "output_audio", "transcript": text}]}
        await self.send("conversation.item.done", item=whole, previous_item_id=None)
        await self.send("response.output_item.done", **where, item=whole)

    async def _audio(self, item: Item, audio: bytes, about: dict[str, Any]) -> None:
        cut = self.vendor.troubles.cut
        if cut and len(item.audio) + len(audio) > cut[0]:
            cut.pop(0)
            self.socket.transport.abort()
            await asyncio.sleep(10)
        item.audio += audio
        item.deltas += 1
        self.said_at.append(time.monotonic())
        delta = base64.b64encode(audio).decode()
        await self.send("response.output_audio.delta", **about, delta=delta)
        if self.vendor.pace:
            await asyncio.sleep(self._ms(audio) / 1000 / self.vendor.pace)

    async def _call(self, response: str, index: int, name: str, arguments: Any) -> None:
        identity, call_id = self._id("item"), self._id("call")
        raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
        where = {"response_id": response, "output_index": index}
        made = {"id": identity, "type": "function_call", "name": name, "call_id": call_id, "arguments": ""}
        await self.send("response.output_item.added", **where, item={**made, "status": "in_progress"})
        done = {**where, "item_id": identity, "call_id": call_id, "name": name, "arguments": raw}
        await self.send("response.function_call_arguments.done", **done)
        item = {**made, "arguments": raw, "status": "completed"}
        await self.send("response.output_item.done", **where, item=item)
