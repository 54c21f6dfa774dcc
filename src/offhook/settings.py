"""Settings: from the environment, `.env` and `offhook.toml`, checked before anything starts. No defaults elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from offhook.foundation.agent import Agent, Facts, Question, Service
from offhook.foundation.errors import SettingsError


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Speech(_Section):
    """Which provider does what; `offhook doctor` lists what each needs."""

    stt: Literal["moonshine", "scripted"] = "moonshine"
    tts: Literal["hibari", "scripted"] = "hibari"
    llm: Literal["receptionist", "openai", "llama", "scripted"] = "receptionist"
    vad: Literal["silero", "energy"] = "silero"
    turn: Literal["smart-turn", "silence"] = "smart-turn"
    llm_url: str = "https://api.openai.com/v1"
    llm_model: str = "gpt-4.1-mini"
    llm_key: SecretStr | None = None


class Limits(_Section):
    """Bounds that keep one peer from hurting the others."""

    max_calls: int = Field(default=400, ge=1, le=10_000)
    calls_per_address: int = Field(default=10, ge=1, le=10_000)
    max_call_seconds: int = Field(default=1800, ge=10, le=86_400)
    first_message_seconds: float = Field(default=5.0, ge=0.5, le=60)
    media_silence_seconds: float = Field(default=5.0, ge=1, le=60)
    resume_seconds: float = Field(default=10.0, ge=0, le=120)
    drain_seconds: float = Field(default=3600.0, ge=0)
    message_bytes: int = Field(default=65_536, ge=1024, le=1 << 20)
    body_bytes: int = Field(default=1 << 20, ge=1024)


class Twilio(_Section):
    """The phone vendor's account. The webhook and media socket are open to loopback only without a token."""

    account_sid: str = ""
    auth_token: SecretStr | None = None
    from_number: str = ""
    signing_key: SecretStr | None = None
    """Secret of a Webhooks shared key; when set, signatures must be HMAC-SHA256 with it."""


def _demo_agent() -> Agent:
    """The agent of the first call: a receptionist for a made-up salon, so that there is something to ask."""
    weekday = "09:00-18:00"
    return Agent(
        name="default",
        persona="You are the friendly, brief receptionist of the Harbour Street hair salon.",
        greeting="Hello, Harbour Street Salon. How can I help you?",
        facts=Facts(
            business="Harbour Street Salon",
            about="We are a small hair salon by the harbour. We cut, colour and style hair for everyone.",
            address="12 Harbour Street, next to the old lighthouse",
            phone="555 0142",
            website="harbourstreet.example",
            hours={
                "monday": "closed",
                **dict.fromkeys(("tuesday", "wednesday", "thursday", "friday"), weekday),
                "saturday": "10:00-16:00",
                "sunday": "closed",
            },
            services=[
                Service("haircut", "35 dollars", 30),
                Service("colouring", "from 80 dollars", 90),
                Service("blow-dry", "25 dollars", 30),
                Service("children's haircut", "20 dollars", 20),
            ],
            questions=[
                Question(
                    ["where can I park", "is there parking", "parking"],
                    "There is free parking behind the lighthouse.",
                ),
                Question(
                    ["can I cancel", "cancel my appointment", "cancellation policy"],
                    "You can cancel free of charge up to one day before.",
                ),
                Question(
                    ["how can I pay", "do you take credit cards", "can I pay by card"],
                    "We take cash and all common cards.",
                ),
            ],
            booking=True,
        ),
    )


class Settings(BaseSettings):
    """Everything that can be set. Environment names are `OFFHOOK_<SECTION>__<NAME>` or the vendors' own."""

    model_config = SettingsConfigDict(
        env_prefix="OFFHOOK_",
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    data: Path = Path("data")
    public_url: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    engine: Literal["cascade", "scripted"] = "cascade"
    use_websocket_audio: bool = Field(
        default=True, validation_alias=AliasChoices("OFFHOOK_USE_WEBSOCKET_AUDIO", "USE_WEBSOCKET_AUDIO")
    )
    allowed_origins: list[str] = Field(default_factory=list)
    default_agent: str = "default"
    record: bool = True
    speech: Speech = Field(default_factory=Speech)
    limits: Limits = Field(default_factory=Limits)
    twilio: Twilio = Field(default_factory=Twilio)
    agents: dict[str, Agent] = Field(default_factory=lambda: {"default": _demo_agent()})

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        if value and not value.startswith("https://") and not value.startswith("http://"):
            raise ValueError("an http:// or https:// address without a path")
        return value.rstrip("/")
