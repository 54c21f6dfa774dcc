"""One socket to an ElevenLabs agent: opened, begun, spoken into, closed. Never reconnects, plays nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from offhook.audio.convert import Converter
from offhook.audio.frame import AudioFormat, Encoding
from offhook.engines.duplex import DuplexListener
from offhook.engines.elevenlabs_ends import IN_ORDER, PROVIDER, ended
from offhook.engines.elevenlabs_talk import AgentTalk
from offhook.engines.elevenlabs_turns import Memory
from offhook.engines.vendor_socket import VendorBounds, VendorSocket, dial
from offhook.foundation.errors import ProviderError
from offhook.protocols import elevenlabs as wire
from offhook.protocols import elevenlabs_events as events

FAILURE_S = 1.0
"""A session that is still there so long after an error goes on."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a session is told, and what it is part of; `named` are the overrides that are asked for, `prefix`
    and `greeting` as in AgentTalk."""

    format: AudioFormat
    overrides: wire.Overrides
    named: tuple[str, ...]
    variables: Mapping[str, wire.Value]
    prefix: str = ""
    greeting: str = ""


class AgentSession:
    """All but `open` and `wait_closed` is immediate. `talk` is the conversation, once it is up."""

    def __init__(
        self,
        setup: Setup,
        listener: DuplexListener,
        bounds: VendorBounds,
        memory: Memory,
        now: Callable[[], float],
    ) -> None:
        self._setup = setup
        self._listener = listener
        self._bounds = bounds
        self._memory = memory
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._socket: VendorSocket | None = None
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._on_begun: Callable[[], None] = lambda: None
        self._failure: events.Failure | None = None
        self._into: Converter | None = None
        self.talk: AgentTalk | None = None

    # Opening and closing.

    async def open(self, url: str, on_begun: Callable[[], None]) -> None:
        """Connect and begin; `on_begun` is told before anything is heard. Raises ProviderError."""
        self._on_begun = on_begun
        try:
            self._socket = await dial(
                PROVIDER, url, {}, self._receive, self._bounds, self._closed, subject="the agent"
            )
            self.post(wire.initiation(self._setup.overrides, self._setup.variables))
            if not self._socket.is_open:
                await asyncio.sleep(0)  # what came with the handshake is delivered first: it says why
                self._closed()
            async with asyncio.timeout(self._bounds.connect_s):
                await self._ready
        except TimeoutError:
            self.cut("did not begin the conversation in time")
            raise self.lost() from None
        except BaseException:
            self.cut("was not begun")
            raise

    @property
    def is_over(self) -> bool:
        """Whether the agent ended the conversation, in order."""
        return self._failure is None and self._socket is not None and self._socket.code == IN_ORDER

    async def wait_closed(self) -> None:
        if self._socket is not None:
            await self._socket.wait_closed()

    def lost(self) -> ProviderError:
        """Why it is over."""
        if self.is_over:
            return ProviderError(PROVIDER, "ended the conversation")
        socket = self._socket
        code, said, fault = (socket.code, socket.said, socket.fault) if socket is not None else (0, "", "")
        return ended(self._failure, code, said, fault, self._setup.named)

    def close(self) -> None:
        """Close politely; nothing more is told."""
        if self.talk is not None:
            self.talk.let_go()
        if self._socket is not None:
            self._socket.close()

    def cut(self, why: str) -> None:
        if self.talk is not None:
            self.talk.let_go()
        if self._socket is not None:
            self._socket.cut(why)

    # What the call says.

    def post(self, raw: bytes) -> None:
        if self._socket is not None:
            self._socket.send(raw)

    def hear(self, audio: bytes) -> None:
        """The caller's sound, on the media path."""
        if self._into is not None and (sound := self._into.process(audio)):
            self.post(wire.audio(sound))

    # What the agent says.

    def _receive(self, raw: bytes) -> None:
        event = events.parse(raw)
        match event:
            case events.Ping(event_id):
                self.post(wire.pong(event_id))
            case events.Begun():
                self._begin(event)
            case events.Failure():
                self._failure = event
                self._loop.call_later(FAILURE_S, self._survived, event)
            case _ if event is not None and self.talk is not None:
                self.talk.take(event)

    def _begin(self, event: events.Begun) -> None:
        if self.talk is not None:
            return
        setup, text_only = self._setup, self._setup.overrides.text_only
        speaks, hears = (AudioFormat(Encoding(f.encoding), f.rate) for f in (event.output, event.input))
        self._into = None if text_only else Converter(setup.format, hears)
        self.talk = AgentTalk(
            self._listener,
            self.post,
            self._memory,
            self._now,
            Converter(speaks, setup.format),
            setup.prefix,
            text_only,
            setup.greeting,
        )
        _log.info(
            "an agent's conversation is up",
            conversation=event.conversation_id,
            speaks=f"{speaks.encoding} {speaks.rate}",
            hears=f"{hears.encoding} {hears.rate}",
            call=f"{setup.format.encoding} {setup.format.rate}",
            overrides=list(setup.named),
            variables=sorted(setup.variables),
            text_only=text_only,
        )
        if not self._ready.done():
            self._ready.set_result(None)
        self._on_begun()

    def _survived(self, event: events.Failure) -> None:
        """A close follows an error, with words of its own. Where none came, the conversation goes on."""
        open_still = self._socket is not None and self._socket.is_open
        if open_still and self._failure is event and self.talk is not None:
            self._failure = None
            self._listener.on_trouble(ended(event, 0, "", "", self._setup.named))

    def _closed(self) -> None:
        if self._socket is not None and not self._ready.done():
            self._ready.set_exception(self.lost())
            self._ready.exception()  # one that was cancelled does not ask
