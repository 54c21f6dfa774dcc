"""Finds whose each voice is that the settings and agents name. Asks no vendor."""

from __future__ import annotations

import re
from collections.abc import Iterator

from offhook.settings import Settings
from offhook.speech.base import Tts
from offhook.speech.fallback import Lineup
from offhook.speech.fallback_tts import Casting

_FORMS = {
    "deepgram": re.compile(r"aura-"),
    "openai": re.compile(r"voice_"),
    "cartesia": re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"),
    "elevenlabs": re.compile(r"[A-Za-z0-9]{15,40}\Z"),
}
"""What ids look like of those who have more voices than they can list."""


def cast(settings: Settings, lineup: Lineup[Tts]) -> Casting:
    """Which provider speaks with which voice, in every language."""
    chosen: dict[str, dict[str, str]] = {}
    owners = {
        voice: owner for language, voice in _named(settings) if (owner := _owner(voice, language, lineup))
    }
    for code, language in settings.speech.languages.items():
        chosen[code] = {str(name): voice for name, voice in language.voices.items()}
        if language.voice and (owner := _owner(language.voice, code, lineup)):
            chosen[code].setdefault(owner, language.voice)
    return Casting(chosen, owners)


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    """The voices that agents ask for, each with the language to speak."""
    for agent in settings.agents.values():
        if agent.voice:
            yield agent.language, agent.voice
        yield from agent.voices.items()


def _owner(voice: str, language: str, lineup: Lineup[Tts]) -> str:
    """The first provider that lists the voice, else whose ids look like it, else the only one there is."""
    order = lineup.order(language)
    for place in (*order, *lineup.places):
        if voice in list(place.provider.voices()):
            return place.name
    for place in (*order, *lineup.places):
        if place.name in _FORMS and _FORMS[place.name].match(voice):
            return place.name
    alone = order[0]
    return alone.name if len(order) == 1 and alone.name in _FORMS else ""
