"""A WebSocket to a vendor's recognizer, with its bounds, and the place in the audio that it is at. No words.

All but waiting is synchronous, without a task or a queue of its own: `feed` is called on the
media path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog
from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport

from offhook.foundation.errors import DeniedError, ProviderError, UnfitError, WireError
from offhook.speech.stt.dialect import Dialect, Limits, Wire

log = structlog.get_logger(__name__)

MAX_MESSAGE = 262_144
_MAX_PARTS = 256
_MOST_QUEUED = 1 << 20
"""Bytes that the peer did not take yet: more than a replay of 10 s in any format."""
_PIECE_MS = 500
_MOST_PER_SECOND = 200.0
_STRIKES = 3
_CLOSE_SECONDS = 0.3
_DENIED_CODES = frozenset((3000, 3003, 4001, 4003))
_UNFIT_CODES = frozenset((1003, 1007, 1008, 1009, 4000))
"""Close codes that say that the same session would be closed again."""


class Line(WSListener):
    """One connection; `dial.dial` makes it. `on_message` gets whole messages, in order: a WireError that it
    raises is a strike against the peer, a ProviderError the end. `ready` is for who reads to set; `ended`
    comes to why the connection ended.
    """

    def __init__(
        self, name: str, dialect: Dialect, limits: Limits, on_message: Callable[[Line, Wire], None]
    ) -> None:
        self._name = name
        self._limits = limits
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._transport: WSTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._parts: list[bytes] = []
        self._budget = Budget()
        self._strikes = 0
        self._chunk = bytearray()
        self._sent = 0
        self._spoke_at = 0.0
        self.dialect = dialect
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[ProviderError] = self._loop.create_future()

    # Sending.

    @property
    def sent_ms(self) -> float:
        """Audio that was sent, or waits to make a chunk."""
        return self.dialect.format.ms(self._sent + len(self._chunk))

    def feed(self, audio: bytes) -> None:
        """More audio; sent once it makes a chunk."""
        self._chunk += audio
        if len(self._chunk) >= self.dialect.format.size(self.dialect.habits.chunk_ms):
            self.drain()

    def drain(self) -> None:
        """Send the audio that is there, whole samples of it."""
        format = self.dialect.format
        whole, size = len(self._chunk) - len(self._chunk) % format.width, format.size(_PIECE_MS)
        if whole:
            audio = bytes(self._chunk[:whole])
            del self._chunk[:whole]
            self._sent += whole
            self.send([self.dialect.audio(audio[at : at + size]) for at in range(0, whole, size)])

    def forget(self) -> None:
        """Audio that was not sent yet shall not be."""
        self._chunk.clear()

    def send(self, messages: Iterable[Wire]) -> None:
        """Send at once; a peer that does not take what it is sent is cut off."""
        transport = self._transport
        for message in messages:
            if transport is None or self.ended.done():
                return
            try:
                if isinstance(message, str):
                    transport.send(WSMsgType.TEXT, message.encode())
                else:
                    transport.send(WSMsgType.BINARY, message)
            except (OSError, RuntimeError):
                self.cut(ProviderError(self._name, "lost the connection"))
                return
            self._spoke_at = self._loop.time()
        if transport is not None and transport.underlying_transport.get_write_buffer_size() > _MOST_QUEUED:
            self.cut(ProviderError(self._name, "does not take the audio"))

    def cut(self, error: ProviderError) -> None:
        """End the connection at once, for a reason."""
        self._end(error)
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    async def greeted(self) -> None:
        """Until the session is ready. Raises ProviderError when it is over before, or takes too long."""
        await asyncio.wait(
            (self.ready, self.ended), timeout=self._limits.connect, return_when=asyncio.FIRST_COMPLETED
        )
        if not self.ready.done():
            raise (
                self.ended.result()
                if self.ended.done()
                else ProviderError(self._name, "did not get ready in time")
            )

    async def hang_up(self) -> None:
        """Close, politely if the peer answers soon; afterwards nothing of the connection is left."""
        transport = self._transport
        self._end(ProviderError(self._name, "was closed"))
        if transport is None or transport.is_disconnected:
            return
        try:
            if not transport.is_close_frame_sent:
                transport.send_close(WSCloseCode.OK)
            async with asyncio.timeout(_CLOSE_SECONDS):
                await transport.wait_disconnected()
        except (OSError, RuntimeError, TimeoutError, WSError):
            pass
        finally:
            transport.disconnect(graceful=False)

    # From picows.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._spoke_at = self._loop.time()
        self._timer = self._loop.call_later(self._limits.keep_alive, self._pulse)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if self.ended.done():
            if kind == WSMsgType.CLOSE:
                transport.disconnect()
        elif kind == WSMsgType.CLOSE:
            self._end(closure(self._name, int.from_bytes(frame.get_payload_as_bytes()[:2], "big") or 1005))
            transport.disconnect()
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._receive(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._end(ProviderError(self._name, "lost the connection"))

    def _receive(self, frame: WSFrame) -> None:
        if not self._budget.spend(self._loop.time()):
            self.cut(ProviderError(self._name, "sends far too many messages"))
            return
        self._parts.append(frame.get_payload_as_bytes())
        if len(self._parts) > _MAX_PARTS or sum(map(len, self._parts)) > MAX_MESSAGE:
            self.cut(ProviderError(self._name, "sends messages that are too big"))
        elif frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self._deliver(message)

    def _deliver(self, message: bytes) -> None:
        try:
            self._on_message(self, message)
        except WireError:
            self._strikes += 1
            if self._strikes >= _STRIKES:
                self.cut(ProviderError(self._name, "does not speak its protocol"))
        except ProviderError as error:
            self.cut(error)
        except Exception as error:  # a fault of ours must not end more than this connection
            log.exception("a recognizer's message could not be handled", provider=self._name)
            self.cut(ProviderError(self._name, f"met a fault of ours ({type(error).__name__})"))

    def _end(self, error: ProviderError) -> None:
        if not self.ended.done():
            self.ended.set_result(error)

    def _pulse(self) -> None:
        """Say something when nothing was said for a while."""
        quiet = self._loop.time() - self._spoke_at
        if quiet >= self._limits.keep_alive:
            self.send(self.dialect.keep_alive())
            quiet = 0.0
        if not self.ended.done():
            self._timer = self._loop.call_later(self._limits.keep_alive - quiet, self._pulse)


class Budget:
    """How many messages a peer may send: a burst of one second's worth, then so many a second."""

    def __init__(self) -> None:
        self._left = _MOST_PER_SECOND
        self._at = 0.0

    def spend(self, now: float) -> bool:
        """Count a message at monotonic second `now`; False for a flood."""
        self._left = min(_MOST_PER_SECOND, self._left + (now - self._at) * _MOST_PER_SECOND) - 1
        self._at = now
        return self._left >= 0


def closure(name: str, code: int) -> ProviderError:
    """The error for a connection that the peer closed with a code."""
    reason = f"closed the connection ({code})"
    if code in _DENIED_CODES:
        return DeniedError(name, reason)
    if code in _UNFIT_CODES:
        return UnfitError(name, reason)
    return ProviderError(name, reason)
