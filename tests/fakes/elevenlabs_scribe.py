"""ElevenLabs' realtime recognizer (Scribe), by the types of the `elevenlabs` package."""

from __future__ import annotations

import binascii
import json
from typing import Any, get_type_hints

from elevenlabs.realtime.scribe import AudioFormat, CommitStrategy, RealtimeAudioOptions
from elevenlabs.types.committed_transcript_payload import CommittedTranscriptPayload
from elevenlabs.types.committed_transcript_with_timestamps_payload import (
    CommittedTranscriptWithTimestampsPayload,
)
from elevenlabs.types.input_audio_chunk_payload import InputAudioChunkPayload
from elevenlabs.types.partial_transcript_payload import PartialTranscriptPayload
from elevenlabs.types.scribe_auth_error_payload import ScribeAuthErrorPayload
from elevenlabs.types.scribe_input_error_payload import ScribeInputErrorPayload
from elevenlabs.types.scribe_throttled_error_payload import ScribeThrottledErrorPayload
from elevenlabs.types.session_started_payload import SessionStartedPayload
from tests.fakes.stt_vendor import SttVendor, Visit, ear_for
from tests.fakes.tone_words import Word, languages_of, text_of
from websockets.asyncio.server import ServerConnection

KEY = "elevenlabs-test-key"
MODELS = ("scribe_v2_realtime",)
_PARTIAL_MS = 200
_LEAST_COMMIT_MS = 300
_SHARED = {"model_id", "audio_format", "commit_strategy"}


class FakeScribe(SttVendor):
    """`polite`: a wrong key is told by `auth_error` in the session, not by HTTP. `plain`: whether the plain
    message goes before the one with timestamps. `error`: a message_type sent in answer to the first commit.
    """

    def __init__(self, *, polite: bool = False, plain: bool = True, error: str = "", **troubles: Any) -> None:
        super().__init__(**troubles)
        self.polite = polite
        self.plain = plain
        self.error = error

    def refuse(self, visit: Visit) -> int:
        if visit.path != "/v1/speech-to-text/realtime":
            return 404
        known = set(get_type_hints(RealtimeAudioOptions)) | _SHARED
        if unknown := {name for name, _ in visit.query} - known:
            self.faults.append(f"the SDK does not know {sorted(unknown)}")
            return 400
        AudioFormat(visit.get("audio_format"))
        CommitStrategy(visit.get("commit_strategy"))
        return 403 if not self._knows(visit) and not self.polite else 0

    def _knows(self, visit: Visit) -> bool:
        return visit.headers.get("xi-api-key") == KEY

    async def talk(self, visit: Visit, socket: ServerConnection) -> None:
        if not self._knows(visit):
            await socket.send(ScribeAuthErrorPayload(error="invalid api key").model_dump_json())
            await socket.close(1008)
            return
        if visit.get("model_id") not in MODELS:
            await socket.send(ScribeInputErrorPayload(error="unknown model").model_dump_json())
            await socket.close(1008)
            return
        if not self.troubles.unready:
            await socket.send(_started(visit))
        await Session(self, visit, socket).run()


def _started(visit: Visit) -> str:
    config = {"audio_format": visit.get("audio_format"), "commit_strategy": "manual"}
    started = SessionStartedPayload.model_validate({"session_id": "s", "config": config})
    return started.model_dump_json(exclude_none=True)


class Session:
    """One connection."""

    def __init__(self, vendor: FakeScribe, visit: Visit, socket: ServerConnection) -> None:
        self.vendor = vendor
        self.visit = visit
        self.socket = socket
        kind, rate = visit.get("audio_format").split("_")
        self.rate = int(rate)
        self.ear = ear_for(kind, self.rate)
        self._committed_ms = self._told_ms = 0.0

    async def run(self) -> None:
        async for message in self.socket:
            chunk = self._chunk(message)
            if chunk is None:
                await self.socket.send(ScribeInputErrorPayload(error="not understood").model_dump_json())
                return
            await self.vendor.take(
                self.visit, self.ear, binascii.a2b_base64(chunk.audio_base_64), self.socket
            )
            if self.vendor.troubles.deaf:
                continue
            if chunk.commit:
                await self._commit()
            elif self.ear.heard_ms - self._told_ms >= _PARTIAL_MS:
                self._told_ms = self.ear.heard_ms
                text = text_of(self.ear.words(self._committed_ms))
                await self.socket.send(PartialTranscriptPayload(text=text).model_dump_json())

    def _chunk(self, message: str | bytes) -> InputAudioChunkPayload | None:
        value = json.loads(message)
        self.visit.texts.append({**value, "audio_base_64": len(value.get("audio_base_64", ""))})
        if set(value) - set(InputAudioChunkPayload.model_fields) or value.get("sample_rate") != self.rate:
            self.vendor.faults.append(str(message)[:200])
            return None
        return InputAudioChunkPayload.model_validate(value, strict=True)

    async def _commit(self) -> None:
        if self.ear.heard_ms - self._committed_ms < _LEAST_COMMIT_MS:
            error = ScribeThrottledErrorPayload(error="at least 0.3s of uncommitted audio")
            await self.socket.send(error.model_dump_json())
            self.vendor.faults.append("committed too little")
            return
        start, end = self._committed_ms, self.ear.heard_ms
        self._committed_ms = end
        await self.vendor.think()
        if self.vendor.error:
            error_type, self.vendor.error = self.vendor.error, ""
            await self.socket.send(json.dumps({"message_type": error_type, "error": "told to"}))
            return
        words = self.ear.words(start, end)
        described = self.visit.get("include_timestamps") == "true"
        if self.vendor.plain or not described:
            await self.socket.send(CommittedTranscriptPayload(text=text_of(words)).model_dump_json())
        if described:
            await self.socket.send(_described(words))


def _described(words: list[Word]) -> str:
    timed = [_timed(word) for word in words]
    payload = {"text": text_of(words), "words": timed}
    if words:
        payload["language_code"] = {"ar": "ara", "en": "en"}[languages_of(words)[0]]
    return CommittedTranscriptWithTimestampsPayload.model_validate(payload).model_dump_json(exclude_none=True)


def _timed(word: Word) -> dict[str, Any]:
    times = {"start": word.start_ms / 1000, "end": word.end_ms / 1000}
    return {"text": word.text, "type": "word", "logprob": -0.1, **times}
