"""What keys look like, which settings need one, and to whom a key may be sent. Values only; no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from offhook.settings.models import Settings

SHORTEST_API_KEY = 16
VENDOR_HOSTS = {
    "openai": "api.openai.com",
    "elevenlabs": "api.elevenlabs.io",
    "deepgram": "api.deepgram.com",
    "cartesia": "api.cartesia.ai",
    "anthropic": "api.anthropic.com",
}
"""The vendors' own servers, which want a key. Another server with the same interface may do without."""
_BY_ID = ("elevenlabs", "cartesia")
"""Vendors whose voices have ids and no default."""
_KINDS: tuple[Literal["stt", "tts", "llm"], ...] = ("stt", "tts", "llm")

Path = tuple[str, ...]
KeyFault = tuple[Path, str, str]
"""Path of the setting, its value, and what it must be."""


def key_faults(settings: Settings) -> Iterator[KeyFault]:
    """Every key that cannot be right, and every key that is needed and missing. Empty is not set."""
    account, token = settings.twilio.account_sid, plain(settings.twilio.auth_token)
    if account and not re.fullmatch(r"AC[0-9a-fA-F]{32}", account):
        yield ("twilio", "account_sid"), account, "AC and 32 hex digits, as Twilio's console shows it"
    if token and not re.fullmatch(r"[0-9a-fA-F]{32}", token):
        yield ("twilio", "auth_token"), token, "32 hex digits, as Twilio's console shows them"
    key = plain(settings.api_key)
    if key and len(key) < SHORTEST_API_KEY:
        yield ("api_key",), key, f"at least {SHORTEST_API_KEY} characters; openssl rand -hex 24 makes one"
    for path, key in vendor_keys(settings):
        if not (key.isascii() and key.isprintable() and " " not in key):
            yield (
                path,
                key,
                "a key without spaces, line breaks and letters beyond ASCII, as the vendor shows it",
            )
    yield from missing_keys(settings)


def vendor_keys(settings: Settings) -> Iterator[tuple[Path, str]]:
    """Each setting of a vendor's key, and the key, empty where none is set."""
    for vendor in VENDOR_HOSTS:
        section: Any = getattr(settings, vendor)
        yield (vendor, "api_key"), plain(section.api_key)
    yield ("speech", "llm_key"), plain(settings.speech.llm_key)


def missing_keys(settings: Settings) -> Iterator[KeyFault]:
    """The choices of a provider whose key, or folder of weights, is not set."""
    for path, name in chosen(settings):
        if path[-1] in ("llm", "llm_fallback", "brain") and name == "openai":
            address, _, key = llm_endpoint(settings)
            if not key and _host(address) == VENDOR_HOSTS["openai"]:
                yield path, name, "set OPENAI_API_KEY, or a speech.llm_url that needs no key"
        elif name in VENDOR_HOSTS and not has_key(settings, name):
            yield path, name, f"set {name.upper()}_API_KEY"
        elif path[-1] == "tts" and name in _BY_ID and not _has_voice(settings, name):
            yield path, name, f"set {name}.voice to a voice's id, or voices of languages or agents"
        elif name == "whisper" and settings.whisper.weights is None:
            yield path, name, "set whisper.weights to a folder of CTranslate2 weights"
    if settings.coach.enabled and settings.coach.brain == "llm" and not coach_llm(settings):
        yield ("coach", "brain"), "llm", "set coach.llm to openai or anthropic"
    for path, name, agent in engines(settings):
        if name == "elevenlabs" and (missing := _agent_missing(settings, agent)):
            yield path, name, missing
        elif name == "openai-realtime" and not has_key(settings, "openai"):
            yield path, name, "set OPENAI_API_KEY, or an openai.url that needs no key"


def engines(settings: Settings) -> Iterator[tuple[Path, str, str]]:
    """Each setting that names an engine, the engine, and our agent that it is for."""
    for name, agent in settings.agents.items():
        yield (
            ("agents", name, "engine") if agent.engine else ("engine",),
            agent.engine or settings.engine,
            name,
        )


def _agent_missing(settings: Settings, agent: str) -> str:
    """What keeps an ElevenLabs agent from answering for ours, or nothing."""
    eleven = settings.elevenlabs
    if not (eleven.agents.get(agent) or eleven.agent_id):
        return "set AGENT_ID to the id of the agent at ElevenLabs"
    if eleven.private_agent and not plain(eleven.api_key):
        return "set ELEVENLABS_API_KEY, or elevenlabs.private_agent = false for a public agent"
    return ""


def _has_voice(settings: Settings, vendor: str) -> bool:
    """Whether any setting names a voice that could be the vendor's, who has none of its own."""
    languages = settings.speech.languages.values()
    named = [voice for agent in settings.agents.values() for voice in (agent.voice, *agent.voices.values())]
    named += [voice for language in languages for voice in (language.voice, *language.voices.values())]
    return bool(getattr(settings, vendor).voice or any(named))


def chosen(settings: Settings) -> Iterator[tuple[Path, str]]:
    """Each setting that names a provider of speech or models, and the name."""
    speech = settings.speech
    for kind in _KINDS:
        for name in getattr(speech, kind):
            yield ("speech", kind), name
        for code, language in speech.languages.items():
            for name in getattr(language, kind):
                yield ("speech", "languages", code, kind), name
    if speech.llm_fallback:
        yield ("speech", "llm_fallback"), speech.llm_fallback
    if settings.coach.enabled and settings.coach.brain == "llm" and (name := coach_llm(settings)):
        yield ("coach", "llm" if settings.coach.llm else "brain"), name
    if settings.coach.voice.provider:
        yield ("coach", "voice", "provider"), settings.coach.voice.provider


def coach_llm(settings: Settings) -> str:
    """The vendor whose model is the coach's brain, or nothing where none is named anywhere."""
    names = (settings.coach.llm, *settings.speech.names("llm"), settings.speech.llm_fallback)
    return next((name for name in names if name in ("openai", "anthropic")), "")


def has_key(settings: Settings, vendor: str) -> bool:
    """Whether the vendor's key is set, or its address is another server, which may need none."""
    section: Any = getattr(settings, vendor)
    return bool(plain(section.api_key)) or _host(section.url) != VENDOR_HOSTS[vendor]


def llm_endpoint(settings: Settings) -> tuple[str, str, str]:
    """Address, model and key of the language model with OpenAI's interface.

    OpenAI's own key never goes to another host than `openai.url`'s.
    """
    speech, openai = settings.speech, settings.openai
    address = speech.llm_url or openai.url
    model = speech.llm_model or openai.llm_model
    key = plain(speech.llm_key)
    if not key and _host(address) == _host(openai.url):
        key = plain(openai.api_key)
    return address, model, key


def plain(secret: SecretStr | None) -> str:
    """The secret's text, empty where none is set."""
    return secret.get_secret_value() if secret is not None else ""


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""
