"""OpenAI's GA Realtime protocol as a server: the events that are sent to a client. Keeps no conversation."""

from __future__ import annotations

from binascii import b2a_base64
from typing import Any

from offhook.protocols.base import compact
from offhook.protocols.realtime_door_items import EventError, FunctionCall, Item, Words

JsonItem = dict[str, Any]


class ServerEvents:
    """Makes the events of one session; each gets an id of its own, from `stem` (unique to the session)."""

    def __init__(self, stem: str) -> None:
        self._stem = stem
        self._made = 0
        self.session_id = f"sess_{stem}"
        self.conversation_id = f"conv_{stem}"

    def event(self, kind: str, **fields: Any) -> bytes:
        """An event of any kind."""
        self._made += 1
        return compact({"type": kind, "event_id": f"event_{self._stem}_{self._made}", **fields})

    def id(self, kind: str) -> str:
        """A new id for an item, a response, a call: `item_…`, `resp_…`, `call_…`."""
        self._made += 1
        return f"{kind}_{self._stem}_{self._made}"

    def error(self, error: EventError) -> bytes:
        """What was wrong with a client's event."""
        return self.event(
            "error",
            error={
                "type": "invalid_request_error",
                "code": error.code,
                "message": error.reason,
                "param": error.param or None,
                "event_id": error.event_id or None,
            },
        )

    def trouble(self, code: str, message: str) -> bytes:
        """Something that is not the client's fault."""
        fields = {"type": "server_error", "code": code, "message": message, "param": None, "event_id": None}
        return self.event("error", error=fields)

    def added(self, item: JsonItem, after: str | None) -> bytes:
        return self.event("conversation.item.added", previous_item_id=after, item=item)

    def done(self, item: JsonItem, after: str | None) -> bytes:
        return self.event("conversation.item.done", previous_item_id=after, item=item)

    def transcript(self, item_id: str, text: str, seconds: float) -> bytes:
        """All of the caller's words of an item."""
        return self.event(
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=text,
            usage={"type": "duration", "seconds": round(seconds, 2)},
        )

    def transcript_failed(self, item_id: str, message: str) -> bytes:
        return self.event(
            "conversation.item.input_audio_transcription.failed",
            item_id=item_id,
            content_index=0,
            error={"type": "server_error", "code": "transcription_failed", "message": message, "param": None},
        )


class ResponseEvents:
    """The events that belong to one output item of one response."""

    def __init__(self, events: ServerEvents, response_id: str, item_id: str, index: int) -> None:
        self._events = events
        self._place = {"response_id": response_id, "item_id": item_id, "output_index": index}
        self._response_id = response_id
        self._index = index

    def item(self, kind: str, item: JsonItem) -> bytes:
        """`added` or `done`."""
        return self._events.event(
            f"response.output_item.{kind}",
            response_id=self._response_id,
            output_index=self._index,
            item=item,
        )

    def part(self, kind: str, part: dict[str, Any]) -> bytes:
        """`added` or `done`."""
        return self._events.event(f"response.content_part.{kind}", **self._place, content_index=0, part=part)

    def content(self, kind: str, **fields: Any) -> bytes:
        """A delta or done of text or transcript, by its name after `response.`."""
        return self._events.event(f"response.{kind}", **self._place, content_index=0, **fields)

    def audio(self, audio: bytes) -> bytes:
        return self.content("output_audio.delta", delta=b2a_base64(audio, newline=False).decode())

    def arguments(self, kind: str, **fields: Any) -> bytes:
        """`delta` or `done` of a function call's arguments."""
        return self._events.event(f"response.function_call_arguments.{kind}", **self._place, **fields)


def user_speech(item_id: str, transcript: str | None) -> JsonItem:
    """The item of a turn that was spoken."""
    content = [{"type": "input_audio", "audio": None, "transcript": transcript}]
    return _message(item_id, "user", "completed", content)


def assistant(item_id: str, status: str, text: str | None, text_only: bool) -> JsonItem:
    """The item of a message of the model; `text` None while it has no content yet."""
    part = assistant_part(text or "", text_only)
    content = [] if text is None else [{**part, "type": f"output_{part['type']}"}]
    return _message(item_id, "assistant", status, content)


def assistant_part(text: str, text_only: bool) -> dict[str, Any]:
    """The part in content_part events, whose types have no `output_`."""
    return {"type": "text", "text": text} if text_only else {"type": "audio", "transcript": text}


def function_call(item_id: str, status: str, call: FunctionCall) -> JsonItem:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "function_call",
        "status": status,
        "call_id": call.call_id,
        "name": call.name,
        "arguments": call.arguments,
    }


def given(item_id: str, item: Item) -> JsonItem:
    """An item that the client made, as it is shown to it again."""
    match item:
        case Words(role, text):
            kind = "output_text" if role == "assistant" else "input_text"
            return _message(item_id, role, "completed", [{"type": kind, "text": text}])
        case FunctionCall():
            return function_call(item_id, "completed", item)
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "function_call_output",
        "status": "completed",
        "call_id": item.call_id,
        "output": item.output,
    }


def _message(item_id: str, role: str, status: str, content: list[dict[str, Any]]) -> JsonItem:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": role,
        "content": content,
    }
