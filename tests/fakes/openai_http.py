"""OpenAI's speech, chat completions and models over HTTP, checked against the `openai` package's types."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from openai.types.audio import SpeechCreateParams
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from tests.fakes.http_vendor import Asked, HttpVendor, Refused, Told
from tests.fakes.sdk_types import NotInSdk, check_dict, prepare
from tests.fakes.voice import encoded, seconds_for

KEY = "sk-test-openai"
VOICES = ("marin", "cedar", "alloy")
_SOUNDS = {"pcm": "pcm_24000", "wav": "wav_24000", "mp3": "mp3_24000_64", "opus": "opus_48000_32"}
_TYPES = {"pcm": "audio/pcm", "wav": "audio/wav", "mp3": "audio/mpeg", "opus": "audio/opus"}


@dataclass(frozen=True)
class Calls:
    """A tool call in a scripted reply; its arguments are JSON text, streamed in two pieces."""

    name: str
    arguments: str
    id: str


class FakeOpenAi(HttpVendor):
    """`replies` are what the model says, one per request: words and calls; without one it says "Hello there."

    `sound` overrides the format that speech really has, by ElevenLabs' names ("wav_16000").
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(self._route, **options)
        prepare(SpeechCreateParams, CompletionCreateParamsStreaming)
        self.replies: deque[Sequence[str | Calls]] = deque()
        self.models = {"gpt-4o-mini-tts", "gpt-4.1-mini"}
        self.sound = ""

    def _route(self, asked: Asked) -> Told:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, _error("invalid_api_key", "Incorrect API key provided: sk-secret."))
        match asked.method, asked.path:
            case "GET", "/v1/models":
                models = [
                    {"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in self.models
                ]
                return Told(json.dumps({"object": "list", "data": models}).encode())
            case "POST", "/v1/audio/speech":
                return self._speech(asked.json)
            case "POST", "/v1/chat/completions":
                return self._completion(asked.json)
        raise Refused(404, _error("not_found", asked.path))

    def _check(self, kind: Any, body: Any) -> None:
        try:
            check_dict(kind, body)
        except NotInSdk as error:
            raise Refused(400, _error("invalid_value", str(error))) from error
        if body["model"] not in self.models:
            raise Refused(404, _error("model_not_found", body["model"]))

    def _speech(self, body: Any) -> Told:
        self._check(SpeechCreateParams, body)
        voice = body["voice"] if isinstance(body["voice"], str) else body["voice"]["id"]
        if voice not in VOICES and not voice.startswith("voice_"):
            raise Refused(400, _error("invalid_value", f"voice {voice}"))
        if len(body["input"]) > 4096:
            raise Refused(400, _error("string_above_max_length", "input"))
        kind = body.get("response_format", "mp3")
        return Told(encoded(self.sound or _SOUNDS[kind], seconds_for(body["input"])), _TYPES[kind])

    def _completion(self, body: Any) -> Told:
        self._check(CompletionCreateParamsStreaming, body)
        check_results(body["messages"])
        reply = self.replies.popleft() if self.replies else ("Hello ", "there.")
        events = [json.dumps(chunk, ensure_ascii=False) for chunk in chunks(body["model"], reply)]
        return Told(
            b"".join(f"data: {event}\n\n".encode() for event in (*events, "[DONE]")), "text/event-stream"
        )


def chunks(model: str, reply: Iterable[str | Calls]) -> Iterable[dict[str, Any]]:
    """A reply as OpenAI streams it: fragments of calls by index, why it stopped, then the usage."""
    yield _chunk(model, {"role": "assistant", "content": "", "refusal": None})
    index = -1
    for part in reply:
        if isinstance(part, str):
            yield _chunk(model, {"content": part})
            continue
        index += 1
        half = len(part.arguments) // 2
        function = {"name": part.name, "arguments": ""}
        start = {"index": index, "id": part.id, "type": "function", "function": function}
        yield _chunk(model, {"tool_calls": [start]})
        for piece in (part.arguments[:half], part.arguments[half:]):
            yield _chunk(model, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield _chunk(model, {}, "stop" if index < 0 else "tool_calls")
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    yield {**_chunk(model, {}), "choices": [], "usage": usage}


def check_results(messages: list[dict[str, Any]]) -> None:
    """Every call of a tool is followed by its result, and every result belongs to a call."""
    waiting: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise Refused(400, _error("invalid_request_error", "a result without its call"))
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            raise Refused(400, _error("invalid_request_error", "calls without results"))
        waiting = {call["id"] for call in message.get("tool_calls", ())}
    if waiting:
        raise Refused(400, _error("invalid_request_error", "calls without results"))


def _chunk(model: str, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
