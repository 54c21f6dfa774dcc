"""Anthropic's Messages over HTTP, checked against the `anthropic` package's types and the service's rules."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from anthropic._constants import ANTHROPIC_API_VERSION
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from tests.fakes.http_vendor import Asked, HttpVendor, Refused, Told
from tests.fakes.openai_http import Calls
from tests.fakes.sdk_types import NotInSdk, check_dict, prepare

KEY = "sk-ant-test"


class FakeAnthropic(HttpVendor):
    """`replies` are what the model says, one per request: words and calls; "Hello there." without one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(self._route, **options)
        prepare(MessageCreateParamsStreaming)
        self.replies: deque[Sequence[str | Calls]] = deque()
        self.models = {"claude-haiku-4-5"}

    def _route(self, asked: Asked) -> Told:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, error("authentication_error", f"invalid key {KEY}"))
        if asked.headers.get("anthropic-version") != ANTHROPIC_API_VERSION:
            raise Refused(400, error("invalid_request_error", "anthropic-version"))
        match asked.method, asked.path:
            case "GET", "/v1/models":
                return Told(json.dumps({"data": [], "has_more": False}).encode())
            case "POST", "/v1/messages":
                return self._message(asked.json)
        raise Refused(404, error("not_found_error", asked.path))

    def _message(self, body: Any) -> Told:
        try:
            check_dict(MessageCreateParamsStreaming, body)
        except NotInSdk as fault:
            raise Refused(400, error("invalid_request_error", str(fault))) from fault
        if body["model"] not in self.models:
            raise Refused(404, error("not_found_error", body["model"]))
        check_turns(body)
        reply = self.replies.popleft() if self.replies else ("Hello ", "there.")
        return Told(b"".join(map(event, events(body["model"], reply))), "text/event-stream; charset=utf-8")


def event(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def events(model: str, reply: Iterable[str | Calls]) -> Iterable[dict[str, Any]]:
    """A reply as it is streamed: one text block of several deltas, then a block for each call."""
    usage = {"input_tokens": 9, "output_tokens": 1}
    head = {"id": "m", "type": "message", "role": "assistant", "model": model, "content": []}
    rest = {"stop_reason": None, "stop_sequence": None, "usage": usage}
    yield {"type": "message_start", "message": {**head, **rest}}
    yield {"type": "ping"}
    words = [part for part in reply if isinstance(part, str)]
    calls = [part for part in reply if isinstance(part, Calls)]
    if words:
        deltas = [{"type": "text_delta", "text": word} for word in words]
        yield from _block(0, {"type": "text", "text": ""}, deltas)
    for index, call in enumerate(calls, 1):
        half = len(call.arguments) // 2
        pieces = ("", call.arguments[:half], call.arguments[half:])
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        start = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield from _block(index if words else index - 1, start, deltas)
    stop = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}


def _block(index: int, start: dict[str, Any], deltas: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def check_turns(body: dict[str, Any]) -> None:
    """The service's rules: the user begins and ends, no empty text, results right after their calls."""
    turns = [(turn["role"], turn["content"]) for turn in body["messages"]]
    if not turns or turns[0][0] != "user" or turns[-1][0] != "user":
        raise Refused(400, error("invalid_request_error", "the user begins and ends"))
    waiting: set[str] = set()
    for role, content in turns:
        results = {block["tool_use_id"] for block in content if block["type"] == "tool_result"}
        first = all(block["type"] == "tool_result" for block in content[: len(results)])
        if role == "user" and (results != waiting or not first):
            raise Refused(400, error("invalid_request_error", "tool_use without tool_result right after it"))
        if any(block["type"] == "text" and not block["text"].strip() for block in content):
            raise Refused(400, error("invalid_request_error", "text content blocks must be non-empty"))
        waiting = {block["id"] for block in content if block["type"] == "tool_use"}
        if waiting and not body.get("tools"):
            raise Refused(400, error("invalid_request_error", "tools must be defined"))


def error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}
