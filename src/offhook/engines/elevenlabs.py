"""An ElevenLabs agent as an engine: conversations begun again when they are lost, and what each is told.

One call holds one conversation at a time. Nothing here plays sound or decides who has the floor.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from offhook.audio.frame import PHONE
from offhook.engines.duplex import NOBODY, DuplexContext, DuplexListener
from offhook.engines.elevenlabs_ends import PROVIDER
from offhook.engines.elevenlabs_link import AgentLink
from offhook.engines.elevenlabs_session import AgentSession, Setup
from offhook.engines.openai_memory import CallerMemory, story
from offhook.engines.vendor_socket import VendorBounds
from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock
from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.foundation.events import LegKind
from offhook.protocols import elevenlabs as wire
from offhook.speech.dialing import tls
from offhook.speech.llm.prompt import system

GIVE_UP_S = 10.0
"""So long a lost conversation is tried to be had again, before the call has to do without."""
MAX_LOSSES = 5
LOSSES_S = 60.0
_BACKOFF_S = (0.0, 0.1, 0.25, 0.5, 1.0)
_CLOSE_S = 1.0


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """What the settings say (`elevenlabs`). `agents` maps our agents' names to the vendor's ids where they
    are not `agent_id`; `overrides` names what our agent's settings take the place of."""

    key: str = field(default="", repr=False)
    url: str = "https://api.elevenlabs.io"
    agent_id: str = ""
    agents: Mapping[str, str] = field(default_factory=dict)
    private: bool = True
    overrides: tuple[str, ...] = ()
    variables: Mapping[str, wire.Value] = field(default_factory=dict)
    voice: str = ""
    connect_seconds: float = 5.0


class ElevenLabsFactory:
    """Makes one conversation per call."""

    name = PROVIDER

    def __init__(self, options: AgentOptions, clock: Clock) -> None:
        """Raises ProviderError for an address or a key that cannot be one."""
        self.options = options
        self.clock = clock
        self.bounds = VendorBounds(connect_s=options.connect_seconds)
        self.link = AgentLink(options.url, options.key, options.connect_seconds)
        if self.link.is_secure:
            tls()

    def converse(self, context: DuplexContext) -> ElevenLabsEngine:
        if not self.agent_id(context):
            raise UnfitError(PROVIDER, "has no agent for this call: set AGENT_ID")
        if self.options.private and not self.options.key:
            raise DeniedError(PROVIDER, "needs a key for a private agent: set ELEVENLABS_API_KEY")
        return ElevenLabsEngine(self, context)

    def agent_id(self, context: DuplexContext) -> str:
        return self.options.agents.get(context.agent.name) or self.options.agent_id

    async def probe(self, agent: Agent) -> None:
        """Ask for a private agent's address; a conversation would cost. Raises ProviderError."""
        if self.options.private:
            await self.link.address(self.agent_id(DuplexContext("check", agent, PHONE, tuple)), True)

    async def close(self) -> None:
        await self.link.close()

    def overrides(self, context: DuplexContext, greeting: str, again: bool) -> wire.Overrides:
        """What of the vendor's own configuration a conversation leaves out. `again`: the call goes on."""
        agent, wanted = context.agent, self.options.overrides
        voice = agent.voice_in(agent.language) or self.options.voice
        return wire.Overrides(
            prompt=system(agent) if "prompt" in wanted else None,
            first_message=("" if again else greeting) if "first_message" in wanted else None,
            language=wire.language_code(agent.language) if "language" in wanted else None,
            voice=voice if voice and "voice" in wanted else None,
            text_only=context.text_only and "text_only" in wanted,
        )


class ElevenLabsEngine:
    """One call's conversation with the vendor's agent, over as many sessions as it takes."""

    def __init__(self, parts: ElevenLabsFactory, context: DuplexContext) -> None:
        self._parts = parts
        self._context = context
        self._listener: DuplexListener = NOBODY
        self._session: AgentSession | None = None
        self._memory = CallerMemory(context.format)
        self._notes: deque[bytes] = deque(maxlen=16)
        self._lines: deque[str] = deque(maxlen=4)
        self._losses: deque[float] = deque(maxlen=MAX_LOSSES)
        self._sessions = 0
        self._greeting = context.agent.greeting
        self._first_words = ""

    # The life of the conversation.

    async def run(self, listener: DuplexListener) -> None:
        """Hold a conversation until cancelled or ended by the agent. Raises ProviderError without one."""
        self._listener = listener
        while True:
            session = await self._open_again()
            try:
                await session.wait_closed()
                if session.talk is not None:
                    session.talk.end()
            finally:
                session.close()
            self._session = None
            if session.is_over:
                return
            self._let_go(session)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await session.wait_closed()
            session.cut("was let go")

    def _let_go(self, session: AgentSession) -> None:
        """A conversation is lost. Raises why, when another would not help or it happens too often."""
        lost = session.lost()
        if session.talk is not None:
            self._first_words = self._first_words or session.talk.first_words
        self._memory.lost()
        now = self._parts.clock.now()
        self._losses.append(now)
        too_often = len(self._losses) == MAX_LOSSES and now - self._losses[0] < LOSSES_S
        if too_often or not lost.retryable:
            raise lost
        self._listener.on_trouble(lost)

    async def _open_again(self) -> AgentSession:
        """A conversation, tried for some seconds. Raises the last ProviderError."""
        until = self._parts.clock.now() + GIVE_UP_S
        attempt = 0
        while True:
            try:
                return await self._open()
            except ProviderError as error:
                attempt += 1
                wait_s = _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]
                if isinstance(error, BusyError):
                    wait_s = max(wait_s, error.after)
                if not error.retryable or self._parts.clock.now() + wait_s >= until:
                    raise
                if attempt == 1:
                    self._listener.on_trouble(error)
                await asyncio.sleep(wait_s)

    async def _open(self) -> AgentSession:
        parts, context = self._parts, self._context
        url = await parts.link.address(parts.agent_id(context), parts.options.private)
        again = bool(context.history())
        overrides = parts.overrides(context, self._greeting, again)
        given = wire.variables({**context.variables, "call_id": context.call_id})
        self._sessions += 1
        setup = Setup(
            format=context.format,
            overrides=overrides,
            named=_named(overrides),
            variables={**parts.options.variables, **given},
            prefix=f"{self._sessions}.",
            greeting=self._first_words if again and overrides.first_message is None else "",
        )
        session = AgentSession(setup, self._listener, parts.bounds, self._memory, parts.clock.now)
        await session.open(url, lambda: self._adopt(session))
        return session

    def _adopt(self, session: AgentSession) -> None:
        """Go on in this conversation: it is told what was said, asked for what is owed, hears the rest."""
        self._session = session
        history = self._context.history()
        if history:
            session.post(wire.contextual_update(story(history)))
        self._listener.on_ready()
        while self._notes:
            session.post(self._notes.popleft())
        if not self._lines and self._memory.owes_words and history and history[-1].leg is LegKind.CALLER:
            self._lines.append(history[-1].text)
        while self._lines:
            session.post(wire.user_message(self._lines.popleft()))
        for audio in self._memory.replay():
            session.hear(audio)

    # What the call asks.

    def hear(self, audio: bytes) -> None:
        self._memory.keep(audio)
        session = self._session
        if session is not None:
            session.hear(audio)

    def type(self, text: str) -> None:
        self._memory.committed()
        self._memory.understood()
        self._write(text)

    def greet(self, text: str) -> None:
        """Said as the first message, where that may be overridden; otherwise the agent's own is."""
        self._greeting = text

    def say(self, text: str) -> None:
        self._write(_EXACTLY.format(text=text))

    def instruct(self, text: str) -> None:
        self._post(wire.contextual_update(text))

    def heard(self, item: str, heard_ms: int, text: str) -> None:
        if self._session is not None and self._session.talk is not None:
            self._session.talk.heard(item, text)

    def answer_tool(self, call_id: str, output: str, failed: bool = False, reply: bool = True) -> None:
        talk = self._session.talk if self._session is not None else None
        if talk is None or not talk.answer_tool(call_id, output, failed, reply):
            what = "failed" if failed else "came to"
            self._post(wire.contextual_update(f"A tool that you called {what}: {output}"))

    def _post(self, raw: bytes) -> None:
        """Now, or when there is a conversation again."""
        if self._session is not None:
            self._session.post(raw)
        else:
            self._notes.append(raw)

    def _write(self, text: str) -> None:
        if self._session is not None:
            self._session.post(wire.user_message(text))
        else:
            self._lines.append(text)


def _named(overrides: wire.Overrides) -> tuple[str, ...]:
    """The overrides that are asked for."""
    found = [
        name
        for name in ("prompt", "first_message", "language", "voice")
        if getattr(overrides, name) is not None
    ]
    return (*found, "text_only") if overrides.text_only else tuple(found)


_EXACTLY = (
    "[Not from the caller: a note of the phone system.] Say exactly this to the caller now, word for word, "
    "in the language that it is written in, and nothing else: <<{text}>>"
)
