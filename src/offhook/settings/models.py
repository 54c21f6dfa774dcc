"""What can be set: names, types, defaults and bounds. `sources.py` reads, `faults.py` words what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from offhook.foundation.agent import Agent
from offhook.settings.addresses import http_address, network
from offhook.settings.agents import check_agents, name_agents
from offhook.settings.coach import Coach, check_coach
from offhook.settings.demo import demo_agent
from offhook.settings.livekit import LiveKit
from offhook.settings.queues import QueueSettings, check_consults, check_queues
from offhook.settings.routing import Routing, check_routing
from offhook.settings.sentiment import Alert, Paging, Sentiment, check_alerts, default_alerts
from offhook.settings.speech import Speech
from offhook.settings.tools import ToolSettings, check_tools
from offhook.settings.vendors import Anthropic, Cartesia, Deepgram, ElevenLabs, OpenAi, Section, Whisper
from offhook.settings.warm import Warm
from offhook.settings.webrtc import WebRtc


class Limits(Section):
    """Bounds that keep one peer from hurting the others."""

    max_calls: int = Field(default=400, ge=1, le=10_000)
    max_load: float = Field(default=0.85, ge=0, le=1)
    """The share of a core that the media loop may use, over 5 s, before new calls are refused (also
    when over 5 % of its walks are 20 ms late, at any setting but 0, which never refuses)."""
    calls_per_address: int = Field(default=10, ge=1, le=10_000)
    max_call_seconds: int = Field(default=1800, ge=10, le=86_400)
    first_message_seconds: float = Field(default=5.0, ge=0.5, le=60)
    media_silence_seconds: float = Field(default=5.0, ge=1, le=60)
    resume_seconds: float = Field(default=10.0, ge=0, le=120)
    drain_seconds: float = Field(default=3600.0, ge=0, le=86_400)
    message_bytes: int = Field(default=65_536, ge=1024, le=1 << 20)
    body_bytes: int = Field(default=1 << 20, ge=1024, le=1 << 26)


class Sessions(Section):
    """How long somebody who logged in stays so."""

    idle_minutes: int = Field(default=480, ge=5, le=10_080)
    """Without a request, or a command on a live call."""
    hours: int = Field(default=24, ge=1, le=720)
    """In all."""


class AuditLog(Section):
    """What was done by whom."""

    keep_days: int = Field(default=0, ge=0, le=36_500)
    """Older entries are let go; 0 keeps all."""


class Twilio(Section):
    """The phone vendor's account. The webhook and media socket are open to loopback only without a token."""

    account_sid: str = ""
    auth_token: SecretStr | None = None
    from_number: str = ""
    signing_key: SecretStr | None = None
    """Secret of a Webhooks shared key; when set, signatures must be HMAC-SHA256 with it."""

    @field_validator("from_number")
    @classmethod
    def _from_number(cls, value: str) -> str:
        if value and not (value.startswith("+") and value[1:].isdigit() and 8 <= len(value) <= 16):
            raise ValueError("a phone number with its country code, like +15550100")
        return value


class Settings(BaseSettings):
    """Everything that can be set. `Settings(…)` takes only what it is given; `load` reads the sources."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8080, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that answer calls on this port; as many as the machine has cores for it."""
    data: Path = Path("data")
    database: SecretStr | None = None
    """`postgresql+psycopg://user:password@host/name` instead of a file in `data`; of this node alone."""
    public_url: str = ""
    api_key: SecretStr | None = None
    """Bearer key of the API and the console; without one they answer on this machine only."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    engine: Literal["cascade", "scripted", "openai-realtime", "elevenlabs"] = "cascade"
    use_websocket_audio: bool = True
    allowed_origins: list[str] = Field(default_factory=list)
    trusted_proxies: list[str] = Field(default_factory=list)
    """Addresses or networks of proxies whose X-Forwarded-For is believed."""
    require_call_tokens: bool = False
    """Whether a browser's call needs a token from `POST /api/call-tokens`."""
    default_agent: str = "default"
    record: bool = True
    hold_audio: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9_-]{0,47})?$")
    """The prepared clip that callers hear who wait; empty is two soft notes, generated."""
    speech: Speech = Field(default_factory=Speech)
    coach: Coach = Field(default_factory=Coach)
    limits: Limits = Field(default_factory=Limits)
    sessions: Sessions = Field(default_factory=Sessions)
    audit: AuditLog = Field(default_factory=AuditLog)
    twilio: Twilio = Field(default_factory=Twilio)
    openai: OpenAi = Field(default_factory=OpenAi)
    elevenlabs: ElevenLabs = Field(default_factory=ElevenLabs)
    deepgram: Deepgram = Field(default_factory=Deepgram)
    cartesia: Cartesia = Field(default_factory=Cartesia)
    anthropic: Anthropic = Field(default_factory=Anthropic)
    whisper: Whisper = Field(default_factory=Whisper)
    livekit: LiveKit = Field(default_factory=LiveKit)
    webrtc: WebRtc = Field(default_factory=WebRtc)
    routing: Routing = Field(default_factory=Routing)
    queues: dict[str, QueueSettings] = Field(default_factory=dict)
    warm: Warm = Field(default_factory=Warm)
    sentiment: Sentiment = Field(default_factory=Sentiment)
    alerts: list[Alert] = Field(default_factory=default_alerts, max_length=100)
    paging: Paging = Field(default_factory=Paging)
    tools: dict[str, ToolSettings] = Field(default_factory=dict)
    agents: dict[str, Agent] = Field(default_factory=lambda: {"default": demo_agent()})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the constructor is given: where values come from is decided by `load` alone."""
        return (init_settings,)

    @field_validator("database")
    @classmethod
    def _database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("postgresql+psycopg://"):
            raise ValueError("an address like postgresql+psycopg://user:password@host/name")
        return value

    @property
    def database_url(self) -> str:
        """Where calls, turns and people are kept; may hold a password."""
        if self.database is not None:
            return self.database.get_secret_value()
        return f"sqlite:///{self.data / 'offhook.db'}"

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        return http_address(value)

    @field_validator("allowed_origins")
    @classmethod
    def _allowed_origins(cls, value: list[str]) -> list[str]:
        return [_origin(item) for item in value]

    @field_validator("trusted_proxies")
    @classmethod
    def _trusted_proxies(cls, value: list[str]) -> list[str]:
        return [network(item) for item in value]

    @field_validator("tools")
    @classmethod
    def _check_tools(cls, value: dict[str, ToolSettings]) -> dict[str, ToolSettings]:
        check_tools(value)
        return value

    @field_validator("agents", mode="before")
    @classmethod
    def _name_agents(cls, value: Any) -> Any:
        return name_agents(value)

    @field_validator("agents")
    @classmethod
    def _check_agents(cls, value: dict[str, Agent]) -> dict[str, Agent]:
        check_agents(value)
        return value

    @model_validator(mode="after")
    def _check_coach(self) -> Settings:
        check_coach(self.coach, self.agents)
        return self

    @model_validator(mode="after")
    def _check_routing(self) -> Settings:
        check_queues(self.queues, self.agents.keys())
        check_consults(self.agents.values(), self.queues.keys())
        check_routing(self.routing, self.agents.keys(), self.queues.keys())
        check_alerts(self.alerts, self.agents.keys(), self.queues.keys())
        return self


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("origins like https://example.com, parted by commas")
    return value.rstrip("/").lower()
