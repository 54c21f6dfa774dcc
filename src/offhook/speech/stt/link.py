"""Keeps a leg's connection to its recognizer: opens, reads and reopens it when it is needed. No words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from offhook.foundation.errors import ProviderError, WireError
from offhook.protocols.base import Strikes
from offhook.speech.stt.dialect import Dialect, Heard, Limits, Ready, Wire
from offhook.speech.stt.line import Budget, Line, closure, opened

log = structlog.get_logger(__name__)

_RETRY_SECONDS = (0.05, 0.2)


class Listener(Protocol):
    """What the link tells its owner, on the event loop."""

    def on_ready(self, line: Line) -> None:
        """A session takes audio."""

    def on_heard(self, heard: Heard) -> None: ...

    def on_lost(self, error: ProviderError) -> bool:
        """The session is no more; whether another one is needed at once."""


class Link:
    """One connection at a time, opened when it is made and again when it is needed.

    `line` is set while the session takes audio. `refused` is an error that another try would only repeat.
    """

    def __init__(
        self, name: str, dialects: Callable[[], Dialect], limits: Limits, listener: Listener
    ) -> None:
        self._name = name
        self._dialects = dialects
        self._limits = limits
        self._listener = listener
        self._needed = asyncio.Event()
        self._needed.set()
        self.line: Line | None = None
        self.refused: ProviderError | None = None
        self._task = asyncio.create_task(self._run(), name=f"stt-{name}")

    def need(self) -> None:
        """There shall be a connection."""
        self._needed.set()

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while self.refused is None:
            await self._needed.wait()
            try:
                error = await self._connection()
            except ProviderError as raised:
                error = raised
            except Exception as raised:
                log.exception("recognizer failed", provider=self._name)
                error = ProviderError(self._name, f"failed ({type(raised).__name__})")
            if not error.retryable:
                self.refused = error
            again = self._listener.on_lost(error)
            log.warning("recognizer lost", provider=self._name, reason=error.reason, again=again)
            if again:
                await asyncio.sleep(random.uniform(*_RETRY_SECONDS))
            else:
                self._needed.clear()

    async def _connection(self) -> ProviderError:
        """One connection from its beginning to its end, and why it ended. Raises ProviderError."""
        dialect = self._dialects()
        async with opened(self._name, dialect, self._limits) as socket:
            line = Line(self._name, dialect, socket, self._limits)
            writer = asyncio.create_task(line.write(), name=f"stt-{self._name}-writer")
            try:
                await self._listen(line, socket)
            except ConnectionClosed:
                pass
            finally:
                self.line = None
                writer.cancel()
                with suppress(asyncio.CancelledError):
                    await writer
            return line.error or closure(self._name, socket.close_code)

    async def _listen(self, line: Line, socket: ClientConnection) -> None:
        """Read until the connection closes. Raises ProviderError for a peer not worth listening to."""
        now = asyncio.get_running_loop().time
        budget, strikes = Budget(self._name), Strikes()
        try:
            async with asyncio.timeout(self._limits.connect) as patience:
                if not line.dialect.habits.greets:
                    self._ready(line, patience)
                async for message in socket:
                    budget.spend(now())
                    for heard in self._read(line, message, strikes):
                        if isinstance(heard, Ready):
                            self._ready(line, patience)
                        elif self.line is not None:
                            self._listener.on_heard(heard)
        except TimeoutError:
            raise ProviderError(self._name, "did not get ready in time") from None

    def _ready(self, line: Line, patience: asyncio.Timeout) -> None:
        if self.line is None:
            patience.reschedule(None)
            self.line = line
            self._listener.on_ready(line)

    def _read(self, line: Line, message: Wire, strikes: Strikes) -> Sequence[Heard]:
        try:
            heard, answers = line.dialect.read(message)
        except WireError as error:
            if strikes.strike(error):
                raise ProviderError(self._name, "does not speak its protocol") from error
            return ()
        line.send(answers)
        return heard
