"""OpenAI's transcription sessions (Realtime API, GA), by the types of the `openai` package."""

from __future__ import annotations

import asyncio
import binascii
import json
from itertools import count
from typing import Any

from openai.types.realtime.conversation_item_input_audio_transcription_completed_event import (
    ConversationItemInputAudioTranscriptionCompletedEvent as Completed,
)
from openai.types.realtime.conversation_item_input_audio_transcription_delta_event import (
    ConversationItemInputAudioTranscriptionDeltaEvent as Delta,
)
from openai.types.realtime.conversation_item_input_audio_transcription_failed_event import (
    ConversationItemInputAudioTranscriptionFailedEvent as Failed,
)
from openai.types.realtime.input_audio_buffer_append_event_param import InputAudioBufferAppendEventParam
from openai.types.realtime.input_audio_buffer_clear_event_param import InputAudioBufferClearEventParam
from openai.types.realtime.input_audio_buffer_cleared_event import InputAudioBufferClearedEvent
from openai.types.realtime.input_audio_buffer_commit_event_param import InputAudioBufferCommitEventParam
from openai.types.realtime.input_audio_buffer_committed_event import InputAudioBufferCommittedEvent
from openai.types.realtime.realtime_error_event import RealtimeErrorEvent
from openai.types.realtime.session_created_event import SessionCreatedEvent
from openai.types.realtime.session_update_event_param import SessionUpdateEventParam
from openai.types.realtime.session_updated_event import SessionUpdatedEvent
from tests.fakes.sdk_types import NotInSdk, check_dict
from tests.fakes.stt_vendor import SttVendor, Visit, ear_for
from tests.fakes.tone_words import Ear, Word, languages_of, text_of
from websockets.asyncio.server import ServerConnection

KEY = "openai-test-key"
MODELS = ("gpt-transcribe", "gpt-live-transcribe", "gpt-realtime-whisper")
_KINDS = {
    "session.update": SessionUpdateEventParam,
    "input_audio_buffer.append": InputAudioBufferAppendEventParam,
    "input_audio_buffer.commit": InputAudioBufferCommitEventParam,
    "input_audio_buffer.clear": InputAudioBufferClearEventParam,
}
_LEAST_COMMIT_MS = 100


class FakeTranscription(SttVendor):
    """`fails`: so many items cannot be transcribed. `swaps`: of two commits the later is completed first.
    `error`: (type, code) of an `error` event sent in answer to the first commit.
    """

    def __init__(
        self, *, fails: int = 0, swaps: bool = False, error: tuple[str, str] | None = None, **troubles: Any
    ) -> None:
        super().__init__(**troubles)
        self.fails = fails
        self.swaps = swaps
        self.error = error

    def refuse(self, visit: Visit) -> int:
        if visit.headers.get("authorization") != f"Bearer {KEY}":
            return 401
        if visit.path != "/v1/realtime":
            return 404
        return 0 if visit.query == [("intent", "transcription")] else 400

    async def talk(self, visit: Visit, socket: ServerConnection) -> None:
        session = Session(self, visit, socket)
        try:
            await session.run()
        finally:
            for task in session.tasks:
                task.cancel()


class Session:
    """One connection."""

    def __init__(self, vendor: FakeTranscription, visit: Visit, socket: ServerConnection) -> None:
        self.vendor = vendor
        self.visit = visit
        self.socket = socket
        self.tasks: set[asyncio.Task[None]] = set()
        self._events = count(1)
        self._items = count(1)
        self._ear: Ear | None = None
        self._model = ""
        self._start_ms = self._told_ms = 0.0
        self._item = f"item_{next(self._items)}"
        self._told = ""
        self._held: list[tuple[str, list[Word]]] = []

    def _id(self) -> str:
        return f"event_{next(self._events)}"

    async def say(self, kind: Any, **fields: Any) -> None:
        message = kind.model_validate({"event_id": self._id(), **fields}, strict=False)
        await self.socket.send(message.model_dump_json(exclude_none=True))

    async def run(self) -> None:
        await self.say(SessionCreatedEvent, type="session.created", session={"type": "transcription"})
        async for message in self.socket:
            event = json.loads(message)
            kind = event.get("type")
            shown = {**event, "audio": len(event["audio"])} if "audio" in event else event
            self.visit.texts.append(shown)
            try:
                check_dict(_KINDS[kind], event)
            except (KeyError, NotInSdk) as error:
                self.vendor.faults.append(f"{kind}: {error}")
                await self._error("invalid_request_error", "invalid_value", event)
                continue
            await self._event(kind, event)

    async def _event(self, kind: str, event: dict[str, Any]) -> None:
        if kind == "session.update":
            await self._update(event)
        elif self._ear is None:
            await self._error("invalid_request_error", "no_session", event)
        elif kind == "input_audio_buffer.append":
            audio = binascii.a2b_base64(event["audio"])
            await self.vendor.take(self.visit, self._ear, audio, self.socket)
            if self._model == "gpt-live-transcribe" and not self.vendor.troubles.deaf:
                await self._deltas(self._ear)
        elif kind == "input_audio_buffer.clear":
            self._begin(self._ear)
            await self.say(InputAudioBufferClearedEvent, type="input_audio_buffer.cleared")
        else:
            await self._commit(self._ear, event)

    async def _update(self, event: dict[str, Any]) -> None:
        heard = event["session"]["audio"]["input"]
        self._model = heard["transcription"]["model"]
        if self._model not in MODELS:
            await self._error("invalid_request_error", "model_not_found", event)
            return
        format = heard["format"]
        self._ear = ear_for(format["type"], format.get("rate", 8_000))
        if not self.vendor.troubles.unready:
            await self.say(SessionUpdatedEvent, type="session.updated", session=event["session"])

    async def _deltas(self, ear: Ear) -> None:
        if ear.heard_ms - self._told_ms < 200:
            return
        self._told_ms = ear.heard_ms
        text = text_of(ear.words(self._start_ms))
        if len(text) > len(self._told):
            kind = "conversation.item.input_audio_transcription.delta"
            await self.say(
                Delta, type=kind, item_id=self._item, content_index=0, delta=text.removeprefix(self._told)
            )
            self._told = text

    def _begin(self, ear: Ear) -> None:
        self._start_ms = self._told_ms = ear.heard_ms
        self._item = f"item_{next(self._items)}"
        self._told = ""

    async def _commit(self, ear: Ear, event: dict[str, Any]) -> None:
        if ear.heard_ms - self._start_ms < _LEAST_COMMIT_MS:
            self.vendor.faults.append("committed too little")
            await self._error("invalid_request_error", "input_audio_buffer_commit_empty", event)
            return
        item, words = self._item, ear.words(self._start_ms)
        self._begin(ear)
        if self.vendor.troubles.deaf:
            return
        if self.vendor.error is not None:
            (kind, code), self.vendor.error = self.vendor.error, None
            await self._error(kind, code, {})
            return
        await self.say(InputAudioBufferCommittedEvent, type="input_audio_buffer.committed", item_id=item)
        self._held.append((item, words))
        if self.vendor.swaps and len(self._held) < 2:
            return
        for held in reversed(self._held):
            task = asyncio.create_task(self._transcribe(*held))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self._held.clear()

    async def _transcribe(self, item: str, words: list[Word]) -> None:
        await self.vendor.think()
        about = "conversation.item.input_audio_transcription."
        if self.vendor.fails:
            self.vendor.fails -= 1
            error = {"type": "server_error", "code": "audio_unintelligible", "message": "told to"}
            await self.say(Failed, type=f"{about}failed", item_id=item, content_index=0, error=error)
            return
        text = text_of(words)
        if self._model == "gpt-transcribe":
            for word in words:
                delta = word.text if word is words[0] else f" {word.text}"
                await self.say(Delta, type=f"{about}delta", item_id=item, content_index=0, delta=delta)
        await self.say(
            Completed,
            type=f"{about}completed",
            item_id=item,
            content_index=0,
            transcript=text,
            usage={"type": "duration", "seconds": 1.0},
            languages=[{"code": code} for code in languages_of(words)],
        )

    async def _error(self, kind: str, code: str, event: dict[str, Any]) -> None:
        error = {"type": kind, "code": code, "message": "told to", "event_id": event.get("event_id")}
        await self.say(RealtimeErrorEvent, type="error", error=error)
