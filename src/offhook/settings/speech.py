"""What can be set of speech: providers, their order, what a language has of its own. Values only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
)
from pydantic_settings import NoDecode

from offhook.settings.addresses import http_address
from offhook.settings.vendors import Section

SttName = Literal["moonshine", "openai", "deepgram", "elevenlabs", "whisper", "scripted"]
TtsName = Literal["hibari", "espeak", "openai", "elevenlabs", "deepgram", "cartesia", "scripted"]
LlmName = Literal["receptionist", "openai", "anthropic", "llama", "scripted"]
LOCAL = frozenset({"moonshine", "whisper", "hibari", "espeak", "receptionist", "llama", "scripted"})
"""Providers that work on this machine; the others are vendors, asked over the network."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*\Z")
_Name = TypeVar("_Name", bound=str)


def _split(value: Any) -> Any:
    """One name, names parted by commas (or, in the environment, JSON), or a list of them."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("names parted by commas, or a list of them as JSON") from None
    return [part.strip() for part in value.split(",")]


def _different(names: list[_Name]) -> list[_Name]:
    if len(set(names)) != len(names):
        raise ValueError("each provider once")
    return names


def _not_empty(names: list[_Name]) -> list[_Name]:
    if not names:
        raise ValueError("at least one provider")
    return names


_ORDER = (NoDecode, BeforeValidator(_split), AfterValidator(_different))
SttOrder = Annotated[list[SttName], *_ORDER]
TtsOrder = Annotated[list[TtsName], *_ORDER]
LlmOrder = Annotated[list[LlmName], *_ORDER]
Keyterm = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]
_Some = AfterValidator(_not_empty)


class Language(Section):
    """What is different for callers of one language. An empty order is the house's own.

    `voice` belongs to the first voice provider of the language's order that has it; `voices` names one for
    each provider.
    """

    stt: SttOrder = Field(default_factory=list)
    tts: TtsOrder = Field(default_factory=list)
    llm: LlmOrder = Field(default_factory=list)
    voice: str = ""
    voices: dict[TtsName, str] = Field(default_factory=dict)


class Speech(Section):
    """Which provider does what; `offhook doctor` lists what each needs.

    An order is tried from its first on: what fails is left aside, and probed until it is well again.
    """

    stt: Annotated[SttOrder, _Some] = Field(default=["moonshine"])
    tts: Annotated[TtsOrder, _Some] = Field(default=["hibari"])
    llm: Annotated[LlmOrder, _Some] = Field(default=["receptionist"])
    languages: dict[str, Language] = Field(default_factory=dict)
    llm_fallback: Literal["", "openai", "anthropic", "llama"] = ""
    """A model that speaks where the receptionist has no answer."""
    keyterms: Annotated[list[Keyterm], NoDecode, BeforeValidator(_split)] = Field(
        default_factory=list, max_length=100
    )
    """Names and words that callers say and a recognizer would not expect; for those that take hints."""
    vad: Literal["silero", "energy"] = "silero"
    turn: Literal["smart-turn", "silence"] = "smart-turn"
    llm_url: str = ""
    """Another server with OpenAI's interface; empty is `openai.url`."""
    llm_model: str = ""
    """The model at `llm_url`, or a pulled model's name or .gguf file; empty is the provider's usual one."""
    llm_key: SecretStr | None = None
    """The key of `llm_url`; without one, OpenAI's own key goes to OpenAI's own address and nowhere else."""
    llm_first_token_seconds: float = Field(default=1.5, ge=0.2, le=30)
    """How long a language model may think before the agent asks for a moment and the next model is tried."""
    tts_first_audio_seconds: float = Field(default=1.5, ge=0.2, le=10)
    """How long a voice may take to its first sound before the next one says the sentence."""

    @field_validator("llm_url")
    @classmethod
    def _llm_url(cls, value: str) -> str:
        return http_address(value)

    @field_validator("languages")
    @classmethod
    def _languages(cls, value: dict[str, Language]) -> dict[str, Language]:
        lower = {code.strip().lower(): language for code, language in value.items()}
        if not all(_LANGUAGE.match(code) for code in lower):
            raise ValueError('tables named by a language code, like "ar" or "pt-br"')
        return lower

    def names(self, kind: Literal["stt", "tts", "llm"]) -> list[str]:
        """Every provider of a kind that is named anywhere, the house's order first, each once."""
        orders: Iterable[Sequence[str]] = (
            getattr(self, kind),
            *(getattr(language, kind) for language in self.languages.values()),
        )
        return list(dict.fromkeys(name for order in orders for name in order))

    def orders(self, kind: Literal["stt", "tts", "llm"]) -> dict[str, list[str]]:
        """The order of each language that has its own; the house's own is at ""."""
        own = {code: list(getattr(language, kind)) for code, language in self.languages.items()}
        return {"": list(getattr(self, kind)), **{code: order for code, order in own.items() if order}}
