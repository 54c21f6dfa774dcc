"""What a Realtime client wants of the conversation: items, responses, how much was heard. No sockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from offhook.channels.base import Steering
from offhook.channels.realtime_items import Kept, shortened
from offhook.foundation.errors import WireError
from offhook.foundation.events import Floor, LegKind
from offhook.foundation.tools import ToolCall
from offhook.protocols.base import parse_object
from offhook.protocols.realtime_door import ItemCreate, ItemTruncate, ResponseCreate
from offhook.protocols.realtime_door_events import JsonItem, ServerEvents, assistant, given
from offhook.protocols.realtime_door_items import (
    MAX_TEXT,
    CallOutput,
    EventError,
    FunctionCall,
    Words,
    length,
)

if TYPE_CHECKING:
    from offhook.channels.realtime_channel import RealtimeChannel


class Talk:
    """The client's wishes, on its leg. All methods raise EventError for what cannot be."""

    def __init__(self, leg: RealtimeChannel, events: ServerEvents, send: Callable[[bytes], None]) -> None:
        self._leg = leg
        self._events = events
        self._send = send

    def create(self, wish: ItemCreate) -> None:
        """conversation.item.create. Raises EventError."""
        self._leg.begun()
        item = wish.item
        item_id = item.id or self._events.id("item")
        leg = None
        if isinstance(item, Words) and item.role != "system":
            leg = LegKind.AGENT if item.role == "assistant" else LegKind.CALLER
        text = item.text if isinstance(item, Words) else ""
        shown = given(item_id, self._called(item) if isinstance(item, FunctionCall) else item)
        at_end = wish.after in ("", self._leg.items.last or "root")
        if isinstance(item, CallOutput):
            self._answered(item)
        before = self._leg.items.add(Kept(shown, leg, text, text, brought=length(item)), wish.after)
        if isinstance(item, Words):
            self._noted(item, leg, at_end)
        self._send(self._events.added(shown, before))
        self._send(self._events.done(shown, before))

    def retrieve(self, item_id: str) -> None:
        """Raises EventError."""
        self._send(self._events.event("conversation.item.retrieved", item=self._leg.items.get(item_id).json))

    def delete(self, item_id: str) -> None:
        """Raises EventError."""
        self._leg.items.remove(item_id)
        self.recall()
        self._send(self._events.event("conversation.item.deleted", item_id=item_id))

    def truncate(self, wish: ItemTruncate) -> None:
        """conversation.item.truncate: how much of an item was heard. Raises EventError."""
        kept = self._leg.items.get(wish.item_id)
        if kept.leg is not LegKind.AGENT or not kept.sent_ms:
            raise EventError("only audio of the assistant's can be truncated", param="item_id")
        heard_ms = min(float(wish.audio_end_ms), kept.sent_ms)
        steering = self._leg.steers
        if steering is not None and self._leg.teller.floor is Floor.SPEAKING and heard_ms < kept.sent_ms:
            self._cancel(steering)
        if steering is not None and self._leg.teller.floor is Floor.HOLDING:
            steering.heard(heard_ms)
        else:
            self._shorten(kept, heard_ms)
        kept.json = assistant(wish.item_id, "completed", "", self._leg.config.text_only)
        self._send(
            self._events.event(
                "conversation.item.truncated",
                item_id=wish.item_id,
                content_index=0,
                audio_end_ms=wish.audio_end_ms,
            )
        )

    def respond(self, wish: ResponseCreate) -> None:
        """response.create. Raises EventError."""
        if self._leg.teller.reply is not None:
            raise EventError(
                f"response {self._leg.teller.reply.id} is in progress",
                "conversation_already_has_active_response",
            )
        self._leg.begun()
        steering = self._leg.steering("response.create")
        self._leg.override = wish
        self._leg.behave()
        if self._leg.intake is not None and self._leg.intake.waiting_ms and self._leg.config.turns is None:
            self._leg.intake.then(lambda: steering.respond(self._opening(wish)))
        else:
            steering.respond(self._opening(wish))
        self._leg.teller.open(wish.metadata, wish.text_only)

    def cancel(self, response_id: str) -> None:
        """response.cancel. Raises EventError."""
        reply, steering = self._leg.teller.reply, self._leg.steers
        if reply is None or steering is None or (response_id and response_id != reply.id):
            raise EventError(
                "Cancellation failed: no such response is in progress", "response_cancel_not_active"
            )
        self._cancel(steering)

    def _noted(self, item: Words, leg: LegKind | None, at_end: bool) -> None:
        steering = self._leg.steers
        if leg is None:
            self._leg.behave()
        elif steering is None:
            if leg is LegKind.CALLER and self._leg.listener is not None:
                self._leg.listener.on_text(item.text)
        elif at_end:
            self._leg.teller.quiet = True
            try:
                steering.note(leg, item.text)
            finally:
                self._leg.teller.quiet = False
        else:
            self.recall()

    def _called(self, call: FunctionCall) -> FunctionCall:
        return call if call.call_id else replace(call, call_id=self._events.id("call"))

    def _answered(self, output: CallOutput) -> None:
        steering = self._leg.steering("a function's result")
        if steering.answer(output.call_id, output.output):
            return
        item = self._leg.items.call(output.call_id)
        if item is None:
            raise EventError("there was no call of this id", "invalid_value", "item.call_id")
        steering.remember(_past(item), output.output)

    def recall(self) -> None:
        """What the items say is what was said so far."""
        if (steering := self._leg.steers) is not None:
            steering.recall(list(self._leg.items.lines()))

    def _shorten(self, kept: Kept, heard_ms: float) -> None:
        text = shortened(kept.said, heard_ms / kept.sent_ms)
        if len(text) < len(kept.text):
            kept.text = text
            self.recall()

    def _opening(self, wish: ResponseCreate) -> str:
        """The greeting, where nothing was said yet and the model would not follow instructions anyway."""
        told = self._leg.config.told or wish.instructions is not None
        if self._leg.items.begun or (told and self._leg.offer.reads):
            return ""
        return self._leg.offer.agent.greeting

    def _cancel(self, steering: Steering) -> None:
        self._leg.cancelling = True
        try:
            steering.silence()
        finally:
            self._leg.cancelling = False
        self._leg.teller.close("cancelled", "client_cancelled")


def _past(item: JsonItem) -> ToolCall:
    """A function call that the client brought, or that was forgotten."""
    name, raw, call_id = str(item["name"]), str(item["arguments"]), str(item["call_id"])
    try:
        return ToolCall(name, parse_object(raw, MAX_TEXT) if raw.strip() else {}, call_id)
    except WireError:
        return ToolCall(name, {}, call_id, malformed=raw)
