"""Makes the desk's voices from the settings: those that callers hear, others when they are first wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from offhook.desk.clips import ClipShelf
from offhook.desk.ear import EarMemory, EarWishes
from offhook.desk.narration import Narrator
from offhook.desk.studio import Studio
from offhook.desk.voices import VoiceBook
from offhook.engines.base import EngineFactory
from offhook.engines.cascade import CascadeFactory
from offhook.engines.duplex import DuplexFactory
from offhook.providers import vendors
from offhook.providers.speech import Board, make_tts
from offhook.settings import Settings
from offhook.settings.keys import VENDOR_HOSTS, has_key
from offhook.settings.speech import LOCAL
from offhook.speech.base import Tts


def make_studio(
    settings: Settings, engines: Mapping[str, EngineFactory | DuplexFactory], board: Board
) -> Studio:
    """Loads nothing: a voice that no engine has is made when somebody wants to hear it."""
    usual = settings.coach.voice
    book = VoiceBook(
        _house_voice(settings, engines.items()),
        _names(settings),
        LOCAL,
        lambda name: vendors.tts(name, settings, alone=True),
        lambda: make_tts(settings, board),
    )
    wishes = EarWishes(usual.provider, usual.voice, usual.speed, usual.volume, usual.duck_db, usual.auto_play)
    return Studio(book, Narrator(book), EarMemory(wishes), ClipShelf(settings.data / "clips"))


def _house_voice(
    settings: Settings, engines: Iterable[tuple[str, EngineFactory | DuplexFactory]]
) -> Tts | None:
    """What callers hear, the default engine's first; None where no engine has a voice of ours."""
    found = sorted(engines, key=lambda item: (item[0] != settings.engine, item[0]))
    return next((engine.tts for _, engine in found if isinstance(engine, CascadeFactory)), None)


def _names(settings: Settings) -> list[str]:
    """Providers that the settings name, and vendors whose own key is set."""
    usual = settings.coach.voice.provider
    keyed = [name for name in VENDOR_HOSTS if name != "anthropic" and has_key(settings, name)]
    return list(dict.fromkeys((*settings.speech.names("tts"), *((usual,) if usual else ()), *keyed)))
