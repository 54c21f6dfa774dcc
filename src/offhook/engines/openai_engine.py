"""A call's conversation with a Realtime server: sessions begun again when they end, and what is owed.

One call holds one session at a time. Nothing here plays sound or decides who has the floor.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from offhook.engines.duplex import NOBODY, DuplexContext, DuplexListener
from offhook.engines.openai_memory import CallerMemory, story
from offhook.engines.openai_replies import Ask
from offhook.engines.openai_session import RealtimeSession
from offhook.engines.vendor_socket import VendorBounds
from offhook.foundation.clock import Clock
from offhook.foundation.errors import ProviderError
from offhook.protocols import openai_realtime as wire

CHECK_S = 0.25
GIVE_UP_S = 10.0
"""So long a lost session is tried to be had again, before the call has to do without."""
MAX_LOSSES = 5
LOSSES_S = 60.0
RENEW_AGAIN_S = 30.0
_BACKOFF_S = (0.0, 0.1, 0.25, 0.5, 1.0)
_CLOSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where sessions are had. One is begun again after `session_s` seconds, before the vendor ends it."""

    url: str
    headers: Mapping[str, str]
    bounds: VendorBounds
    clock: Clock
    session_s: float


class OpenAiRealtimeEngine:
    """One call's conversation with the vendor, over as many sessions as it takes."""

    def __init__(self, server: Server, config: wire.SessionConfig, context: DuplexContext) -> None:
        self._server = server
        self._context = context
        self._config = config
        self._listener: DuplexListener = NOBODY
        self._session: RealtimeSession | None = None
        self._memory = CallerMemory(context.format)
        self._asks: list[Ask] = []
        self._notes: deque[bytes] = deque(maxlen=16)
        self._losses: deque[float] = deque(maxlen=MAX_LOSSES)

    # The life of the conversation.

    async def run(self, listener: DuplexListener) -> None:
        """Hold a session until cancelled. Raises ProviderError when none can be had."""
        self._listener = listener
        session = await self._open_again()
        try:
            while True:
                self._adopt(session)
                try:
                    session = await self._hold(session)
                except ProviderError as lost:
                    self._let_go(session, lost)
                    session = await self._open_again()
        finally:
            session.close()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await session.wait_closed()
            session.cut("was let go")

    async def _hold(self, session: RealtimeSession) -> RealtimeSession:
        """Watch over a session; returns its successor in due time. Raises ProviderError when it is lost."""
        renew_at = self._now() + self._server.session_s
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await session.wait_closed()
            if not session.is_open:
                raise session.lost()
            session.check()
            if self._now() >= renew_at and session.is_quiet:
                try:
                    return await self._successor(session)
                except ProviderError as error:
                    self._listener.on_trouble(error)
                    renew_at = self._now() + RENEW_AGAIN_S

    async def _successor(self, session: RealtimeSession) -> RealtimeSession:
        """Another session, opened while the old one still serves, and begun in a quiet moment."""
        successor = await self._open()
        try:
            while session.is_open and not session.is_quiet:
                await asyncio.sleep(CHECK_S)
                session.check()
                if not successor.is_open:
                    raise successor.lost()
        except BaseException:
            successor.close()
            raise
        self._asks = session.unfinished()
        session.close()
        return successor

    def _let_go(self, session: RealtimeSession, lost: ProviderError) -> None:
        """A session is lost: remember what it owed. Raises `lost` when that happens too often."""
        self._session = None
        session.listen(None)
        self._asks = session.unfinished()
        if open_item := session.open_item:
            self._listener.on_spoken(open_item)
        self._memory.lost()
        now = self._now()
        self._losses.append(now)
        if session.fatal is not None:
            raise lost
        if len(self._losses) == MAX_LOSSES and now - self._losses[0] < LOSSES_S:
            raise lost
        self._listener.on_trouble(lost)

    async def _open_again(self) -> RealtimeSession:
        """A session, tried for some seconds. Raises the last ProviderError."""
        until = self._now() + GIVE_UP_S
        attempt = 0
        while True:
            try:
                return await self._open()
            except ProviderError as error:
                attempt += 1
                wait_s = _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]
                if not error.retryable or self._now() + wait_s >= until:
                    raise
                if attempt == 1:
                    self._listener.on_trouble(error)
                await asyncio.sleep(wait_s)

    async def _open(self) -> RealtimeSession:
        server = self._server
        session = RealtimeSession(
            self._config, self._context.format, server.bounds, self._memory, server.clock.now
        )
        await session.open(server.url, server.headers)
        return session

    def _adopt(self, session: RealtimeSession) -> None:
        """Go on in this session: tell it what was said so far, ask for what is owed, let it hear the rest."""
        self._session = session
        session.listen(self._listener)
        history = self._context.history()
        if history:
            session.post(wire.message("system", story(history)))
        while self._notes:
            session.post(self._notes.popleft())
        asks, self._asks = self._asks, []
        if not asks and self._memory.owes_words:
            asks = [Ask()]
        for ask in asks:
            session.replies.ask(ask)
        for audio in self._memory.replay():
            session.hear(audio)
        self._listener.on_ready()

    def _now(self) -> float:
        return self._server.clock.now()

    # What the call asks.

    def hear(self, audio: bytes) -> None:
        self._memory.keep(audio)
        session = self._session
        if session is not None:
            session.hear(audio)

    def type(self, text: str) -> None:
        if self._session is not None:  # without one, the story that the next one is told has it
            self._session.post(wire.message("user", text))
        self._give_up()
        self._ask(Ask())

    def greet(self, text: str) -> None:
        self._ask(Ask(system=_GREETING.format(text=text), tools=False))

    def say(self, text: str) -> None:
        self._give_up()
        self._ask(Ask(_EXACTLY.format(text=text), alone=True, tools=False))

    def instruct(self, text: str) -> None:
        self._post(wire.message("system", text))

    def heard(self, item: str, heard_ms: int, text: str) -> None:
        session = self._session
        if session is not None:
            session.replies.give_up()
            session.truncate(item, heard_ms)

    def answer_tool(self, call_id: str, output: str, failed: bool = False, reply: bool = True) -> None:
        output = f"failed: {output}" if failed else output
        if self._session is not None and self._session.awaits(call_id):
            self._session.answer_tool(call_id, output, reply)
            return
        self._post(wire.message("system", f"A tool that you called came to: {output}"))
        if reply:
            self._ask(Ask())

    def _post(self, raw: bytes) -> None:
        """Now, or when there is a session again."""
        if self._session is not None:
            self._session.post(raw)
        else:
            self._notes.append(raw)

    def _give_up(self) -> None:
        self._asks.clear()
        if self._session is not None:
            self._session.replies.give_up()

    def _ask(self, ask: Ask) -> None:
        if self._session is not None:
            self._session.replies.ask(ask)
        else:
            self._asks.append(ask)


_GREETING = (
    "A call has just been answered. Greet the caller now: say exactly this, word for word, and nothing else: "
    "<<{text}>>"
)
_EXACTLY = "Say exactly this, word for word, in its own language, and nothing else: <<{text}>>"
