"""Makes the speech providers and engines that the settings name. Nothing is loaded that they do not name."""

from __future__ import annotations

from collections.abc import Mapping

from offhook.call.tools import SPECS
from offhook.engines.base import EngineFactory
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.clock import Clock
from offhook.foundation.errors import SettingsError
from offhook.settings import Settings, Speech
from offhook.speech.base import Llm, Stt, Tts, TurnModel, Vad

SCRIPT = tuple(f"Hello, this is question {number} about your opening hours." for number in range(1, 1001))
"""What scripted callers say: never twice the same, which would be taken for a talking loop."""
VAD_RATES = (8_000, 16_000)
OPENAI_MODEL = "gpt-4.1-mini"
LLAMA_MODEL = "qwen2.5-1.5b"


def make_vads(speech: Speech) -> dict[int, Vad]:
    """A detector per sample rate that a caller's leg may have."""
    if speech.vad == "energy":
        from offhook.speech.vad.energy import EnergyVad

        return {rate: EnergyVad(rate) for rate in VAD_RATES}
    from offhook.speech.vad.gated import GatedVad
    from offhook.speech.vad.silero import SileroVad

    return {rate: GatedVad(SileroVad(rate)) for rate in VAD_RATES}


def make_engines(settings: Settings, clock: Clock) -> Mapping[str, EngineFactory]:
    """The engines that the settings or any agent name. Raises ProviderError, SettingsError."""
    wanted = {settings.engine, *(agent.engine or settings.engine for agent in settings.agents.values())}
    engines: dict[str, EngineFactory] = {}
    for name in sorted(wanted):
        if name == "cascade":
            engines[name] = _cascade(settings.speech, clock)
        elif name == "scripted":
            engines[name] = _scripted(clock)
        else:
            raise SettingsError(f"engine {name!r} is not known; choose cascade or scripted")
    return engines


def _scripted(clock: Clock) -> CascadeFactory:
    from offhook.speech.llm.fake import ScriptedLlm
    from offhook.speech.stt.fake import ScriptedStt
    from offhook.speech.tts.fake import ScriptedTts
    from offhook.speech.turn.silence import SilenceTurn

    return CascadeFactory(
        ScriptedStt(SCRIPT), ScriptedLlm(), ScriptedTts(2.0), SilenceTurn(), clock, SPECS, name="scripted"
    )


def _cascade(speech: Speech, clock: Clock) -> CascadeFactory:
    return CascadeFactory(_stt(speech), _llm(speech), _tts(speech), _turn(speech), clock, SPECS)


def _stt(speech: Speech) -> Stt:
    if speech.stt == "scripted":
        from offhook.speech.stt.fake import ScriptedStt

        return ScriptedStt()
    from offhook.speech.stt.moonshine import MoonshineStt

    return MoonshineStt()


def _tts(speech: Speech) -> Tts:
    if speech.tts == "scripted":
        from offhook.speech.tts.fake import ScriptedTts

        return ScriptedTts()
    from offhook.speech.tts.hibari import HibariTts

    return HibariTts()


def _turn(speech: Speech) -> TurnModel:
    if speech.turn == "silence":
        from offhook.speech.turn.silence import SilenceTurn

        return SilenceTurn()
    from offhook.speech.turn.smart_turn import SmartTurn

    return SmartTurn()


def _llm(speech: Speech) -> Llm:
    if speech.llm == "scripted":
        from offhook.speech.llm.fake import ScriptedLlm

        return ScriptedLlm()
    if speech.llm != "receptionist":
        return _model(speech.llm, speech)
    from offhook.speech.llm.receptionist import Receptionist

    return Receptionist(fallback=_model(speech.llm_fallback, speech) if speech.llm_fallback else None)


def _model(name: str, speech: Speech) -> Llm:
    if name == "openai":
        from offhook.speech.llm.openai import OpenAi

        seconds = speech.llm_first_token_seconds
        key = speech.llm_key.get_secret_value() if speech.llm_key is not None else ""
        return OpenAi(speech.llm_url, speech.llm_model or OPENAI_MODEL, key, first_token_seconds=seconds)
    from offhook.speech.llm.llama import Llama
    from offhook.speech.models import model_file

    return Llama(model_file(speech.llm_model or LLAMA_MODEL))
