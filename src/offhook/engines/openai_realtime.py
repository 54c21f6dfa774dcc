"""OpenAI's Realtime API as an engine: its settings, and what each session is told. No sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

import structlog

from offhook.audio.frame import PHONE
from offhook.engines.duplex import DuplexContext
from offhook.engines.openai_engine import OpenAiRealtimeEngine, Server
from offhook.engines.openai_memory import CallerMemory
from offhook.engines.openai_notes import PROVIDER
from offhook.engines.openai_session import RealtimeSession
from offhook.engines.openai_speech import wire_format
from offhook.engines.vendor_socket import VendorBounds
from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock
from offhook.protocols import openai_realtime as wire
from offhook.protocols.openai_models import retirement
from offhook.speech.dialing import tls
from offhook.speech.llm.prompt import system

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RealtimeOptions:
    """What the settings say (`openai.realtime`); `url` ends before "/realtime"."""

    key: str = field(default="", repr=False)
    url: str = "https://api.openai.com/v1"
    model: str = "gpt-realtime-2.1"
    voice: str = "marin"
    speed: float = 1.0
    turn_detection: str = "server_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500
    eagerness: str = "auto"
    noise_reduction: str = ""
    transcription_model: str = "gpt-transcribe"
    session_seconds: float = 3_300.0
    connect_seconds: float = 5.0


class OpenAiRealtimeFactory:
    """Makes one session per call. Warns at the start of models that are, or will be, gone."""

    name = PROVIDER

    def __init__(self, options: RealtimeOptions, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.bounds = VendorBounds(connect_s=options.connect_seconds)
        base = options.url.rstrip("/").replace("http", "ws", 1)
        self.url = f"{base}/realtime?{urlencode({'model': options.model})}"
        self.headers = {"Authorization": f"Bearer {options.key}"} if options.key else {}
        if base.startswith("wss:"):
            tls()
        self._warn(clock.wall())

    def converse(self, context: DuplexContext) -> OpenAiRealtimeEngine:
        server = Server(self.url, self.headers, self.bounds, self.clock, self.options.session_seconds)
        return OpenAiRealtimeEngine(server, self.config(context), context)

    async def probe(self, agent: Agent) -> None:
        """Begin a session as for a call, and end it; without audio it costs nothing. Raises ProviderError."""
        config = self.config(DuplexContext("check", agent, PHONE, tuple))
        session = RealtimeSession(config, PHONE, self.bounds, CallerMemory(PHONE), self.clock.now)
        await session.open(self.url, self.headers)
        session.close()
        await session.wait_closed()

    async def close(self) -> None:
        """Nothing is shared by the calls."""

    def config(self, context: DuplexContext) -> wire.SessionConfig:
        """What the session of a call is told."""
        options, agent = self.options, context.agent
        return wire.SessionConfig(
            model=options.model,
            voice=agent.voice_in(agent.language) or options.voice,
            instructions=system(agent),
            format=wire_format(context.format),
            speed=options.speed,
            turn_detection=options.turn_detection,
            threshold=options.threshold,
            prefix_padding_ms=options.prefix_padding_ms,
            silence_ms=options.silence_ms,
            eagerness=options.eagerness,
            noise_reduction=options.noise_reduction,
            transcription_model=options.transcription_model,
            languages=tuple(language.partition("-")[0] for language in agent.spoken),
            text_only=context.text_only,
            tools=tuple(context.tools),
        )

    def _warn(self, now: datetime) -> None:
        for model in (self.options.model, self.options.transcription_model):
            if (until := retirement(model)) is not None:
                gone = now.astimezone(UTC).date() >= until
                what = "a model was shut down" if gone else "a model will be shut down"
                _log.warning(what, provider=self.name, model=model, date=until.isoformat())
