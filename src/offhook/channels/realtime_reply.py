"""One response as a Realtime client sees it: its events, in the protocol's order. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from offhook.channels.realtime_items import Items, Kept
from offhook.foundation.events import LegKind
from offhook.protocols.realtime_door_events import (
    ResponseEvents,
    ServerEvents,
    assistant,
    assistant_part,
    function_call,
)
from offhook.protocols.realtime_door_items import FunctionCall
from offhook.protocols.realtime_door_session import SessionConfig

Send = Callable[[bytes], None]


class Reply:
    """A response in progress: at most one message, with audio or text alone, and function calls after it.

    `kept` are its messages. Nothing may be told after `end`.
    """

    def __init__(
        self,
        events: ServerEvents,
        send: Send,
        items: Items,
        config: SessionConfig,
        text_only: bool,
        metadata: Mapping[str, str],
    ) -> None:
        self._events = events
        self._send = send
        self._items = items
        self._config = config
        self._metadata = metadata
        self._item: ResponseEvents | None = None
        self._before: str | None = None
        self._output: list[dict[str, Any]] = []
        self.text_only = text_only
        self.id = events.id("resp")
        self.kept: Kept | None = None
        send(events.event("response.created", response=self._json("in_progress", None)))
        send(events.event("rate_limits.updated", rate_limits=[]))

    @property
    def has_output(self) -> bool:
        return self.kept is not None or bool(self._output)

    def say(self, text: str) -> None:
        """More words; a space goes before them where one is needed."""
        item, kept = self._message()
        joint = " " if kept.said and not kept.said[-1].isspace() and not text[:1].isspace() else ""
        kept.said += joint + text
        name = "output_text.delta" if self.text_only else "output_audio_transcript.delta"
        self._send(item.content(name, delta=joint + text))

    def sound(self, audio: bytes, ms: float) -> None:
        """More sound, in the client's format."""
        item, kept = self._message()
        kept.sent_ms += ms
        self._send(item.audio(audio))

    def call(self, call: FunctionCall) -> None:
        """The model wants a function called."""
        self._close_message("completed")
        item_id = self._events.id("item")
        item = ResponseEvents(self._events, self.id, item_id, len(self._output))
        begun = function_call(item_id, "in_progress", FunctionCall(call.name, call.call_id, ""))
        done = function_call(item_id, "completed", call)
        before = self._items.add(Kept(done))
        self._send(item.item("added", begun))
        self._send(self._events.added(begun, before))
        self._send(item.arguments("delta", call_id=call.call_id, delta=call.arguments))
        self._send(item.arguments("done", call_id=call.call_id, name=call.name, arguments=call.arguments))
        self._send(self._events.done(done, before))
        self._send(item.item("done", done))
        self._output.append(done)

    def end(self, status: str, reason: str = "", error: Mapping[str, Any] | None = None) -> None:
        """It is over: completed, cancelled or failed."""
        self._close_message("completed" if status == "completed" else "incomplete")
        details: dict[str, Any] | None = None
        if status != "completed":
            details = {"type": status, "reason": reason or None, "error": error}
        self._send(self._events.event("response.done", response=self._json(status, details)))

    def _message(self) -> tuple[ResponseEvents, Kept]:
        if self._item is None or self.kept is None:
            item_id = self._events.id("item")
            begun = assistant(item_id, "in_progress", None, self.text_only)
            self.kept = Kept(begun, LegKind.AGENT)
            self._item = ResponseEvents(self._events, self.id, item_id, len(self._output))
            self._before = self._items.add(self.kept)
            self._send(self._item.item("added", begun))
            self._send(self._events.added(begun, self._before))
            self._send(self._item.part("added", assistant_part("", self.text_only)))
        return self._item, self.kept

    def _close_message(self, status: str) -> None:
        if self._item is None or self.kept is None:
            return
        item, kept, text = self._item, self.kept, self.kept.said
        self._item = None
        kept.json = assistant(str(kept.json["id"]), status, text, self.text_only)
        if self.text_only:
            self._send(item.content("output_text.done", text=text))
        else:
            self._send(item.content("output_audio.done"))
            self._send(item.content("output_audio_transcript.done", transcript=text))
        self._send(item.part("done", assistant_part(text, self.text_only)))
        self._send(self._events.done(kept.json, self._before))
        self._send(item.item("done", kept.json))
        self._output.append(kept.json)

    def _json(self, status: str, details: dict[str, Any] | None) -> dict[str, Any]:
        config = self._config
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": details,
            "output": list(self._output),
            "conversation_id": self._events.conversation_id,
            "output_modalities": ["text" if self.text_only else "audio"],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": config.output.as_json(), "voice": config.voice}},
            "usage": None,
            "metadata": dict(self._metadata) or None,
        }
