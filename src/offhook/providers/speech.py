"""Makes the recognizers, language models and voices that the settings name, and puts them in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from offhook.providers import vendors
from offhook.providers.casting import cast
from offhook.settings import Settings
from offhook.settings.speech import LOCAL
from offhook.speech.base import Llm, Stt, Tts
from offhook.speech.breaker import Health
from offhook.speech.fallback import Lineup, Place, Provider
from offhook.speech.fallback_llm import FallbackLlm
from offhook.speech.fallback_stt import FallbackStt
from offhook.speech.fallback_tts import FallbackTts

_UNATTENDED = ("receptionist", "scripted")
"""Models that answer at once or not at all: alone, nothing can be done for them."""
P = TypeVar("P", bound=Provider)


class Board:
    """How every provider of the process is doing."""

    def __init__(self) -> None:
        self.lineups: list[Callable[[], Sequence[Health]]] = []

    def health(self) -> list[Health]:
        """Recognizers, models, voices, each kind in the order of the settings."""
        return [health for lineup in self.lineups for health in lineup()]


def make_stt(settings: Settings, board: Board) -> Stt:
    """The house's recognizer. Raises ProviderError."""
    speech = settings.speech
    names = speech.names("stt")
    lineup: Lineup[Stt] = _lineup("stt", names, settings, vendors.stt, speech.orders("stt"), board)
    return lineup.places[0].provider if _is_local(names) else FallbackStt(lineup)


def make_tts(settings: Settings, board: Board) -> Tts:
    """The house's voice. Raises ProviderError."""
    speech = settings.speech
    names, orders = speech.names("tts"), speech.orders("tts")
    lineup: Lineup[Tts] = _lineup("tts", names, settings, vendors.tts, orders, board)
    if _is_local(names):
        return lineup.places[0].provider
    return FallbackTts(lineup, cast(settings, lineup), speech.tts_first_audio_seconds)


def make_llm(settings: Settings, board: Board) -> Llm:
    """The house's language model. Raises ProviderError."""
    speech = settings.speech
    names = speech.names("llm")
    lineup: Lineup[Llm] = _lineup("llm", names, settings, vendors.llm, speech.orders("llm"), board)
    if len(names) == 1 and names[0] in _UNATTENDED:
        return lineup.places[0].provider
    return FallbackLlm(lineup, speech.llm_first_token_seconds)


def _lineup(
    kind: str,
    names: Sequence[str],
    settings: Settings,
    make: Callable[[str, Settings, bool], P],
    orders: dict[str, list[str]],
    board: Board,
) -> Lineup[P]:
    places = []
    for name in names:
        provider = make(name, settings, len(names) == 1)
        places.append(Place(kind, name, provider, getattr(provider, "probe", None)))
    board.lineups.append(lambda: [place.health for place in places])
    return Lineup(places, orders)


def _is_local(names: Sequence[str]) -> bool:
    """Whether there is one provider only, on this machine: it needs no watching over."""
    return len(names) == 1 and names[0] in LOCAL
