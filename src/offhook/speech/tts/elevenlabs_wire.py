"""One WebSocket of ElevenLabs' input streaming, shared by contexts: who gets which sound. Decodes nothing."""

from __future__ import annotations

import asyncio
import binascii
import json
from base64 import b64decode
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.refusals import find_code, is_code, refusal, retry_after

_CONTEXTS = 5
"""The vendor's bound on a connection."""
_MOST_MESSAGE = 1 << 20
_MOST_WAITING = 8 << 20
_SEND_SECONDS = 1.0
_CLOSE_SECONDS = 0.3
_PING_SECONDS = 20.0

_Item = bytes | ProviderError | None
"""Sound; why there will be no more; or None for the end."""


class _Straight(connect):
    """A connection that follows no redirects: the key is for one host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def dial(provider: str, url: str, headers: Mapping[str, str], seconds: float, subject: str) -> Wire:
    """An open connection. Raises ProviderError within about `seconds`, twice that for a slow handshake."""
    opening = _Straight(
        url,
        additional_headers=headers,
        user_agent_header="offhook",
        compression=None,
        open_timeout=2 * seconds,
        close_timeout=_CLOSE_SECONDS,
        ping_interval=_PING_SECONDS,
        ping_timeout=_PING_SECONDS,
        max_size=_MOST_MESSAGE,
    )
    try:
        return Wire(provider, await opening, subject)
    except InvalidStatus as error:
        response = error.response
        code = ""
        with suppress(ValueError, RecursionError):
            code = find_code(json.loads(response.body or b""))
        after = retry_after({name.lower(): value for name, value in response.headers.raw_items()})
        raise refusal(provider, response.status_code, code, subject, after) from None
    except (InvalidURI, ValueError):
        raise ProviderError(provider, "its address is not valid", retryable=False) from None
    except (OSError, InvalidHandshake) as error:
        raise ProviderError(provider, "cannot be reached") from error


class Wire:
    """An open connection with its contexts. `open` until either side closes it."""

    def __init__(self, provider: str, socket: ClientConnection, subject: str) -> None:
        self.provider = provider
        self.open = True
        self._socket = socket
        self._subject = subject
        self._contexts: dict[str, Context] = {}
        self._ids = count(1)
        self._reading = asyncio.create_task(self._read(), name=f"{provider}-voice-socket")

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

    async def send(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._socket.send(json.dumps(message))
        except (ConnectionClosed, TimeoutError) as error:
            raise ProviderError(self.provider, "lost the connection") from error

    async def close(self) -> None:
        self.open = False
        await self._socket.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        """Hands out what comes until the connection ends; then all contexts learn why."""
        end = ProviderError(self.provider, "lost the connection")
        try:
            async for message in self._socket:
                self._take(message)
            end = self._closure()
        except ConnectionClosed:
            end = self._closure()
        except ProviderError as error:
            end = error
        finally:
            self.open = False
            for context in list(self._contexts.values()):
                context.put(end)
        await self._socket.close()

    def _take(self, data: str | bytes) -> None:
        try:
            message = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ProviderError(self.provider, "sent something that is not JSON") from error
        if not isinstance(message, dict):
            raise ProviderError(self.provider, "sent something that is not a message")
        if message.get("error"):
            raise self._error(message["error"])
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

    def _closure(self) -> ProviderError:
        """Why the connection ended, by what the vendor said while closing."""
        reason = self._socket.close_reason or ""
        if is_code(reason):
            return self._error(reason)
        code = self._socket.close_code
        if code in (None, 1005, 1006):
            return ProviderError(self.provider, "lost the connection")
        return ProviderError(self.provider, f"closed the connection ({code})")

    def _error(self, error: Any) -> ProviderError:
        code = error if is_code(error) else ""
        told = f" ({code})" if code else ""
        if "voice" in code or "model" in code:
            return UnfitError(self.provider, f"does not know {self._subject}{told}")
        if "quota" in code or "credit" in code:
            return DeniedError(self.provider, f"is over its spending limit{told}")
        if "key" in code or "auth" in code:
            return DeniedError(self.provider, f"refused the key{told}")
        if "busy" in code or "rate" in code or "concurrent" in code:
            return BusyError(self.provider, f"is over its rate limit{told}")
        return ProviderError(self.provider, f"reported an error{told}")


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

    async def say(self, text: str) -> None:
        """Send the whole clause, and that nothing follows. Raises ProviderError."""
        await self._wire.send({"text": " ", "context_id": self.id})
        await self._wire.send({"text": text + " ", "context_id": self.id, "flush": True})
        await self._close()

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The sound as it comes, to its end. Raises ProviderError."""
        while (item := await self._items.get()) is not None:
            if isinstance(item, ProviderError):
                raise item
            self._waiting -= len(item)
            yield item

    async def leave(self) -> None:
        """Nobody listens any more: what still comes is dropped."""
        self._left = True
        if not self._said and self._wire.open:
            with suppress(ProviderError):
                await self._close()

    async def _close(self) -> None:
        self._said = True
        await self._wire.send({"context_id": self.id, "close_context": True})
