"""What can be set for each vendor of speech and models: keys, addresses, models, voices. Values only.

Model names change and retire faster than Offhook is released: every one of them is a setting.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from offhook.settings.addresses import http_address


def _listed(value: Any) -> Any:
    """A list, or names parted by commas (or, in the environment, JSON)."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("names parted by commas, or a list of them as JSON") from None
    return [part.strip() for part in value.split(",") if part.strip()]


Override = Literal["prompt", "first_message", "language", "voice", "text_only"]
Overrides = Annotated[list[Override], NoDecode, BeforeValidator(_listed)]
HttpAddress = Annotated[str, AfterValidator(http_address)]


class Section(BaseModel):
    """A table of the settings; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenAiRealtime(Section):
    """`engine = "openai-realtime"`: OpenAI's Realtime API, or a server that speaks it."""

    model: str = "gpt-realtime-2.1"
    voice: str = "marin"
    speed: float = Field(default=1.0, ge=0.25, le=1.5)
    turn_detection: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: float = Field(default=0.5, ge=0, le=1)
    prefix_padding_ms: int = Field(default=300, ge=0, le=5_000)
    silence_ms: int = Field(default=500, ge=100, le=5_000)
    eagerness: Literal["auto", "low", "medium", "high"] = "auto"
    noise_reduction: Literal["", "near_field", "far_field"] = ""
    transcription_model: str = "gpt-transcribe"
    """Empty: the caller's words are not transcribed."""
    session_seconds: int = Field(default=3_300, ge=60, le=86_400)
    """A session is begun again, with a summary, before the vendor ends it."""
    connect_seconds: float = Field(default=5.0, ge=0.5, le=30)


class OpenAi(Section):
    """OpenAI, or a server with its API. `OPENAI_API_KEY` sets the key."""

    api_key: SecretStr | None = None
    url: HttpAddress = "https://api.openai.com/v1"
    llm_model: str = "gpt-4.1-mini"
    stt_model: str = ""
    """Empty: one that tells words while they are spoken; for several languages, one that tells which."""
    stt_prompt: str = ""
    """What the recognizer should expect, in a sentence."""
    tts_model: str = "gpt-4o-mini-tts"
    tts_voice: str = "marin"
    realtime: OpenAiRealtime = Field(default_factory=OpenAiRealtime)


class ElevenLabs(Section):
    """ElevenLabs: agents (`engine = "elevenlabs"`), voices, recognizer. Key: `ELEVENLABS_API_KEY`."""

    api_key: SecretStr | None = None
    url: HttpAddress = "https://api.elevenlabs.io"
    agent_id: str = ""
    private_agent: bool = True
    """Whether the agent needs a signed URL, which needs the key."""
    agents: dict[str, str] = Field(default_factory=dict)
    """Ids for our agents, by their names, that another of the vendor's agents than `agent_id` speaks for."""
    overrides: Overrides = Field(default_factory=list)
    """What an agent's own settings take the place of; each must be allowed in the vendor's agent's security
    settings. Without them the vendor's agent is as it was set up there."""
    variables: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Dynamic variables of every conversation; a call's own go before them."""
    connect_seconds: float = Field(default=5.0, ge=0.5, le=30)
    model: str = "eleven_flash_v2_5"
    voice: str = ""
    stt_model: str = "scribe_v2_realtime"
    streaming: Literal["http", "websocket"] = "http"


class Deepgram(Section):
    """Deepgram: recognizer (`flux…` models bring their own end of turn) and voices. `DEEPGRAM_API_KEY`."""

    api_key: SecretStr | None = None
    url: HttpAddress = "https://api.deepgram.com"
    stt_model: str = "nova-3"
    eot_threshold: float = Field(default=0.7, ge=0.5, le=1)
    """Flux ends a turn when it is so sure; at 1 it leaves that to us."""
    eager_eot_threshold: float = Field(default=0.0, ge=0, le=0.9)
    """Flux says that a turn may be over when it is so sure, from 0.3 on; 0: it does not say so."""
    eot_timeout_ms: int = Field(default=5_000, ge=500, le=10_000)
    """Flux ends a turn after so much silence, however sure it is."""
    tts_model: str = "aura-2-thalia-en"

    @model_validator(mode="after")
    def _thresholds(self) -> Deepgram:
        if self.eager_eot_threshold and not 0.3 <= self.eager_eot_threshold <= self.eot_threshold:
            raise ValueError("eager_eot_threshold must be 0, or from 0.3 to eot_threshold")
        return self


class Cartesia(Section):
    """Cartesia's voices. `CARTESIA_API_KEY`."""

    api_key: SecretStr | None = None
    url: HttpAddress = "https://api.cartesia.ai"
    version: str = "2026-08-14"
    tts_model: str = "sonic-3"
    voice: str = ""


class Anthropic(Section):
    """Anthropic's language models. `ANTHROPIC_API_KEY`."""

    api_key: SecretStr | None = None
    url: HttpAddress = "https://api.anthropic.com"
    llm_model: str = "claude-haiku-4-5"


class Whisper(Section):
    """faster-whisper on this machine: a folder of CTranslate2 weights."""

    weights: Path | None = None
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    compute_type: str = "int8"
    threads: int = Field(default=2, ge=1, le=64)
