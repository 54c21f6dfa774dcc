"""A WebSocket to a vendor's recognizer: connects, sends from a bounded queue, keeps alive. No recognition."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from offhook.foundation.errors import ProviderError
from offhook.foundation.queues import BoundedQueue, Overflow, QueueClosed
from offhook.speech.stt.dialect import Dialect, Limits, Wire

MAX_MESSAGE = 262_144
_OUTBOX = 400
"""Messages: more than the replay buffer and as much again of live audio."""
_REPLAY_MS = 500
_MOST_PER_SECOND = 200
_CLOSE_SECONDS = 0.3
_STATUS = {
    400: "did not accept the request; check the model's name and its options",
    401: "refused the key",
    402: "wants to be paid first",
    403: "refused the key",
    404: "has no such model or address",
    422: "did not accept the request; check the model's name and its options",
    429: "is over its rate or spending limit",
}
_RETRYABLE = frozenset((408, 425, 429))
_REFUSED_CODES = frozenset((1003, 1007, 1008, 1009, 3000, 3003, 4000, 4001, 4003))
"""Close codes that say that the same session would be closed again."""


class _Straight(connect):
    """A connection that follows no redirects: the key is for one host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def opened(name: str, dialect: Dialect, limits: Limits) -> AsyncIterator[ClientConnection]:
    """A connection for the dialect, closed at the end. Raises ProviderError."""
    opening = _Straight(
        dialect.url(),
        additional_headers=dialect.headers(),
        user_agent_header="offhook",
        compression=None,
        open_timeout=limits.connect,
        close_timeout=_CLOSE_SECONDS,
        ping_interval=limits.silence / 2,
        ping_timeout=limits.silence / 2,
        max_size=MAX_MESSAGE,
        max_queue=32,
    )
    try:
        socket = await opening
    except InvalidStatus as error:
        raise refusal(name, error.response.status_code) from None
    except (InvalidURI, ValueError):
        raise ProviderError(name, "its address is not valid", retryable=False) from None
    except TimeoutError:
        raise ProviderError(name, "cannot be reached in time") from None
    except (OSError, InvalidHandshake) as error:
        raise ProviderError(name, "cannot be reached") from error
    try:
        yield socket
    finally:
        await socket.close()


def refusal(name: str, status: int) -> ProviderError:
    """The error for an HTTP status instead of a WebSocket."""
    retryable = status in _RETRYABLE or status >= 500
    return ProviderError(name, _STATUS.get(status, f"answered with HTTP {status}"), retryable=retryable)


def closure(name: str, code: int | None) -> ProviderError:
    """The error for a connection that the peer closed."""
    if code is None or code == 1006:
        return ProviderError(name, "lost the connection")
    return ProviderError(name, f"closed the connection ({code})", retryable=code not in _REFUSED_CODES)


class Line:
    """One connection's sending side, and the position up to which audio was sent, in milliseconds."""

    def __init__(self, name: str, dialect: Dialect, socket: ClientConnection, limits: Limits) -> None:
        self._name = name
        self._socket = socket
        self._limits = limits
        self._outbox: BoundedQueue[Wire] = BoundedQueue(_OUTBOX, Overflow.CLOSE)
        self._chunk = bytearray()
        self._sent = 0
        self.dialect = dialect
        self.error: ProviderError | None = None

    @property
    def sent_ms(self) -> float:
        """Audio that was sent or waits to be."""
        return self.dialect.format.ms(self._sent + len(self._chunk))

    def feed(self, audio: bytes) -> None:
        """More audio; sent once it makes a chunk."""
        self._chunk += audio
        if len(self._chunk) >= self.dialect.format.size(self.dialect.habits.chunk_ms):
            self.drain()

    def drain(self) -> None:
        """Send what is there, whole samples of it."""
        whole = len(self._chunk) - len(self._chunk) % self.dialect.format.width
        if whole:
            self._sent += whole
            self.send((self.dialect.audio(bytes(self._chunk[:whole])),))
            del self._chunk[:whole]

    def replay(self, audio: bytes) -> None:
        """Older audio, in larger pieces."""
        size = self.dialect.format.size(_REPLAY_MS)
        for start in range(0, len(audio), size):
            self._chunk += audio[start : start + size]
            self.drain()

    def forget(self) -> None:
        """Audio that was not sent yet shall not be."""
        self._chunk.clear()

    def send(self, messages: Iterable[Wire]) -> None:
        for message in messages:
            self._outbox.put(message)

    async def write(self) -> None:
        """Send until cancelled; a peer that takes nothing any more is cut off, with `error` saying so."""
        try:
            while True:
                await self._next()
        except QueueClosed:
            self.error = ProviderError(self._name, "does not keep up with the audio")
        except TimeoutError:
            self.error = ProviderError(self._name, "takes no more audio")
        except ConnectionClosed:
            return
        self._socket.transport.abort()

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(self._limits.keep_alive):
                message = await self._outbox.get()
        except TimeoutError:
            for message in self.dialect.keep_alive():
                await self._put(message)
            return
        await self._put(message)

    async def _put(self, message: Wire) -> None:
        async with asyncio.timeout(self._limits.send):
            await self._socket.send(message)


class Budget:
    """How many messages a peer may send: a burst of one second's worth, then so many a second."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = float(_MOST_PER_SECOND)
        self._at = 0.0

    def spend(self, now: float) -> None:
        """Count a message at monotonic second `now`. Raises ProviderError for a flood."""
        if self._at:
            gained = (now - self._at) * _MOST_PER_SECOND
            self._left = min(float(_MOST_PER_SECOND), self._left + gained)
        self._at = now
        self._left -= 1
        if self._left < 0:
            raise ProviderError(self._name, "sends far too many messages")
