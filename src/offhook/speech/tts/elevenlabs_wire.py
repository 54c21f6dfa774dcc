"""One WebSocket of ElevenLabs' input streaming, shared by contexts: who gets which sound. Decodes nothing.

All but waiting is synchronous: no task per connection or message.
"""

from __future__ import annotations

import asyncio
import binascii
import json
from base64 import b64decode
from collections.abc import AsyncGenerator, Mapping
from itertools import count
from typing import Any

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from offhook.foundation.errors import ProviderError
from offhook.speech import dialing
from offhook.speech.refusals import is_code, told

_CONTEXTS = 5
"""The vendor's bound on a connection."""
_MOST_MESSAGE = 1 << 20
_MOST_PARTS = 256
_MOST_WAITING = 8 << 20
_MOST_QUEUED = 1 << 20
_MOST_PER_SECOND = 2_000
_PING_SECONDS = 10.0
_CLOSE_SECONDS = 0.3
_OVERDUE_SECONDS = 5.0

_Item = bytes | ProviderError | None
"""Sound; why there will be no more; or None for the end."""


async def dial(provider: str, url: str, headers: Mapping[str, str], seconds: float, subject: str) -> Wire:
    """An open connection. Raises ProviderError within `seconds`."""
    wire = Wire(provider, subject)
    await dialing.dial(
        provider,
        url,
        headers,
        lambda: wire,
        seconds=seconds,
        most_bytes=_MOST_MESSAGE,
        subject=subject,
        enable_auto_ping=True,
        auto_ping_idle_timeout=_PING_SECONDS,
        auto_ping_reply_timeout=_PING_SECONDS,
    )
    return wire


class Wire(WSListener):
    """An open connection with its contexts. `open` until either side ends it."""

    def __init__(self, provider: str, subject: str) -> None:
        self.provider = provider
        self.open = False
        self._subject = subject
        self._transport: WSTransport | None = None
        self._contexts: dict[str, Context] = {}
        self._ids = count(1)
        self._parts: list[bytes] = []
        self._second = (0, 0)

    @property
    def room(self) -> bool:
        return self.open and len(self._contexts) < _CONTEXTS

    def context(self) -> Context:
        """Room for one clause. Leave it when done."""
        context = Context(self, f"c{next(self._ids)}")
        self._contexts[context.id] = context
        return context

    def forget(self, context: Context) -> None:
        self._contexts.pop(context.id, None)

    def expect(self, context: Context) -> None:
        """A context that nobody listens to any more has to end soon, or the connection is worth nothing."""
        asyncio.get_running_loop().call_later(_OVERDUE_SECONDS, self._overdue, context)

    def _overdue(self, context: Context) -> None:
        if context.id in self._contexts:
            self._cut(ProviderError(self.provider, "does not answer"))

    def send(self, message: dict[str, Any]) -> None:
        """At once. A peer that does not take what it is sent is cut off."""
        transport = self._transport
        if not self.open or transport is None:
            return
        try:
            transport.send(WSMsgType.TEXT, json.dumps(message).encode())
            if transport.underlying_transport.get_write_buffer_size() > _MOST_QUEUED:
                self._cut(ProviderError(self.provider, "does not take its text"))
        except (OSError, RuntimeError):
            self._cut(ProviderError(self.provider, "lost the connection"))

    async def close(self) -> None:
        """Politely, if the peer answers soon; afterwards nothing of the connection is left."""
        self._end(ProviderError(self.provider, "was closed"))
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return
        try:
            transport.send_close(WSCloseCode.OK)
            async with asyncio.timeout(_CLOSE_SECONDS):
                await transport.wait_disconnected()
        except (OSError, RuntimeError, TimeoutError):
            pass
        finally:
            transport.disconnect(graceful=False)

    # From picows.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self.open = True

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            self._end(self._closure(frame.get_payload_as_bytes()))
            transport.disconnect()
        elif self.open and frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            try:
                self._receive(frame)
            except ProviderError as error:
                self._cut(error)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._end(ProviderError(self.provider, "lost the connection"))

    def _receive(self, frame: WSFrame) -> None:
        second, number = int(asyncio.get_running_loop().time()), self._second[1] + 1
        self._second = (second, number if second == self._second[0] else 1)
        self._parts.append(frame.get_payload_as_bytes())
        size = sum(map(len, self._parts))
        if number > _MOST_PER_SECOND or len(self._parts) > _MOST_PARTS or size > _MOST_MESSAGE:
            raise ProviderError(self.provider, "sends far too much")
        if frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self._take(message)

    def _take(self, data: bytes) -> None:
        try:
            message = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ProviderError(self.provider, "sent something that is not JSON") from error
        if not isinstance(message, dict):
            raise ProviderError(self.provider, "sent something that is not a message")
        if message.get("error"):
            raise told(self.provider, message["error"], self._subject)
        context = self._contexts.get(str(message.get("contextId") or message.get("context_id")))
        if context is None:
            return
        if audio := message.get("audio"):
            try:
                context.put(b64decode(audio, validate=True))
            except (binascii.Error, TypeError, ValueError) as error:
                raise ProviderError(self.provider, "sent sound that is not base64") from error
        if message.get("isFinal") or message.get("is_final"):
            context.put(None)

    def _cut(self, error: ProviderError) -> None:
        self._end(error)
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _end(self, error: ProviderError) -> None:
        """All contexts learn why there will be no more."""
        self.open = False
        for context in list(self._contexts.values()):
            context.put(error)

    def _closure(self, payload: bytes) -> ProviderError:
        """Why the connection ended, by what the vendor said while closing."""
        reason = payload[2:].decode("utf-8", "replace")
        if is_code(reason):
            return told(self.provider, reason, self._subject)
        code = int.from_bytes(payload[:2], "big") or 1005
        return ProviderError(self.provider, f"closed the connection ({code})")


class Context:
    """One clause on a connection. It keeps its place there until the vendor is done with it."""

    def __init__(self, wire: Wire, id: str) -> None:
        self.id = id
        self._wire = wire
        self._items: asyncio.Queue[_Item] = asyncio.Queue()
        self._waiting = 0
        self._said = False
        self._left = False
        self._over = False

    def put(self, item: _Item) -> None:
        """Never waits, so that a slow listener does not keep the other contexts; too much ends the clause."""
        if item is None or isinstance(item, ProviderError):
            self._wire.forget(self)
        if self._over or self._left:
            return
        if isinstance(item, bytes):
            self._waiting += len(item)
            if self._waiting > _MOST_WAITING:
                item = ProviderError(self._wire.provider, "sent more sound than its words can take")
        self._over = not isinstance(item, bytes)
        self._items.put_nowait(item)

    def say(self, text: str) -> None:
        """Send the whole clause, and that nothing follows."""
        self._said = True
        self._wire.send({"text": " ", "context_id": self.id})
        self._wire.send({"text": text + " ", "context_id": self.id, "flush": True})
        self._wire.send({"context_id": self.id, "close_context": True})

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The sound as it comes, to its end. Raises ProviderError."""
        while (item := await self._items.get()) is not None:
            if isinstance(item, ProviderError):
                raise item
            self._waiting -= len(item)
            yield item

    def leave(self) -> None:
        """Nobody listens any more: what still comes is dropped."""
        self._left = True
        if not self._said:
            self._wire.forget(self)
        elif not self._over:
            self._wire.expect(self)
