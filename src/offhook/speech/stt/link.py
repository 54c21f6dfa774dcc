"""Keeps a leg's connection to its recognizer: opens, reads and reopens it when it is needed. No words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog

from offhook.foundation.errors import BusyError, ProviderError
from offhook.speech.stt.dial import dial
from offhook.speech.stt.dialect import Dialect, Heard, Limits, Ready, Wire
from offhook.speech.stt.line import Line

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """What the link tells its owner, on the event loop."""

    def on_ready(self, line: Line) -> None:
        """A session takes audio."""

    def on_heard(self, heard: Heard) -> None: ...

    def on_lost(self, error: ProviderError) -> bool:
        """The session is no more; whether another one is needed at once."""


class Link:
    """One connection at a time, opened when the link is made and again when it is needed.

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
                error = ProviderError(self._name, f"met a fault of ours ({type(raised).__name__})")
            if not error.retryable:
                self.refused = error
            again = self._listener.on_lost(error)
            log.warning("recognizer lost", provider=self._name, reason=error.reason, again=again)
            if again:
                least = error.after if isinstance(error, BusyError) else 0.0
                await asyncio.sleep(max(least, random.uniform(0.25, 1) * self._limits.pause))
            else:
                self._needed.clear()

    async def _connection(self) -> ProviderError:
        """One connection from its beginning to its end, and why it ended. Raises ProviderError."""
        line = await dial(self._name, self._dialects(), self._limits, self._read)
        try:
            if not line.dialect.habits.greets:
                self._begin(line)
            await line.greeted()
            return await line.ended
        finally:
            self.line = None
            await line.hang_up()

    def _begin(self, line: Line) -> None:
        if not line.ready.done() and not line.ended.done():
            line.ready.set_result(None)
            self.line = line
            self._listener.on_ready(line)

    def _read(self, line: Line, message: Wire) -> None:
        """Raises WireError, ProviderError."""
        heard, answers = line.dialect.read(message)
        line.send(answers)
        for one in heard:
            if isinstance(one, Ready):
                self._begin(line)
            elif self.line is line:
                self._listener.on_heard(one)


async def probe(name: str, dialect: Dialect, limits: Limits) -> None:
    """Open a session and close it again. Raises ProviderError when that does not work."""

    def read(line: Line, message: Wire) -> None:
        heard, answers = line.dialect.read(message)
        line.send(answers)
        if any(isinstance(one, Ready) for one in heard) and not line.ready.done():
            line.ready.set_result(None)

    line = await dial(name, dialect, limits, read)
    try:
        if dialect.habits.greets:
            await line.greeted()
    finally:
        await line.hang_up()
