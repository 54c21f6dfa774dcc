"""Whether the models that the settings ask for are here, whole and loadable. Loads them for real."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

from offhook.cli.checks import Check, Mark
from offhook.foundation.errors import OffhookError
from offhook.settings import Settings


def check_models(settings: Settings) -> Iterator[Check]:
    """One line for each provider that works with a local model."""
    if settings.engine == "scripted":
        return
    speech = settings.speech
    chosen = [("speech to text", name) for name in speech.names("stt")]
    chosen += [("voice", name) for name in speech.names("tts")]
    chosen += [("voice activity", speech.vad), ("end of turn", speech.turn)]
    for purpose, name in chosen:
        if load := _LOADERS.get(name):
            yield _loaded(purpose, name, load)
    if "llama" in (*speech.names("llm"), speech.llm_fallback):
        yield _language_model()


def _loaded(purpose: str, name: str, load: Callable[[], Any]) -> Check:
    began = time.monotonic()
    try:
        provider = load()
        if hasattr(provider, "workers"):
            asyncio.run(provider.close())
    except OffhookError as error:
        return Check(purpose, Mark.WRONG, error.reason)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        finding = f"{name} cannot be loaded: {' '.join(str(error).split())[:200]}"
        return Check(purpose, Mark.WRONG, finding, "make setup")
    return Check(purpose, Mark.GOOD, f"{name} loads in {(time.monotonic() - began) * 1000:.0f} ms")


def _language_model() -> Check:
    from importlib.util import find_spec

    from offhook.speech.models import Place, find, locate

    model = find("qwen2.5-1.5b")
    if find_spec("xllamacpp") is None:
        return Check("language model", Mark.WRONG, "no runtime", "pip install 'offhook[llama]'")
    if locate(model)[0] is Place.MISSING:
        return Check("language model", Mark.WRONG, "not here", f"offhook models pull {model.name}")
    return Check("language model", Mark.GOOD, f"{model.name} is here")


def _moonshine() -> Any:
    from offhook.speech.stt.moonshine import MoonshineStt

    return MoonshineStt()


def _hibari() -> Any:
    from offhook.speech.tts.hibari import HibariTts

    return HibariTts()


def _silero() -> Any:
    from offhook.speech.vad.silero import SileroVad

    return SileroVad(8_000)


def _smart_turn() -> Any:
    from offhook.speech.turn.smart_turn import SmartTurn

    return SmartTurn()


_LOADERS: dict[str, Callable[[], Any]] = {
    "moonshine": _moonshine,
    "hibari": _hibari,
    "silero": _silero,
    "smart-turn": _smart_turn,
}
