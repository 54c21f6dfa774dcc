"""Makes the speech providers and engines that the settings name. Nothing is loaded that they do not name."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from offhook.call.tools import SPECS
from offhook.engines.base import EngineFactory
from offhook.engines.cascade import CascadeFactory
from offhook.engines.duplex import DuplexFactory
from offhook.foundation.clock import Clock
from offhook.foundation.errors import ProviderError, SettingsError
from offhook.providers.speech import Board as Board
from offhook.providers.speech import make_llm, make_stt, make_tts
from offhook.settings import ElevenLabs, OpenAi, Settings, Speech
from offhook.settings.keys import plain
from offhook.speech.base import Stt, TurnModel, Vad

_log = structlog.get_logger(__name__)
SCRIPT = tuple(f"Hello, this is question {number} about your opening hours." for number in range(1, 1001))
"""What scripted callers say: never twice the same, which would be taken for a talking loop."""
VAD_RATES = (8_000, 16_000)


def make_vads(speech: Speech) -> dict[int, Vad]:
    """A detector per sample rate that a caller's leg may have."""
    if speech.vad == "energy":
        from offhook.speech.vad.energy import EnergyVad

        return {rate: EnergyVad(rate) for rate in VAD_RATES}
    from offhook.speech.vad.gated import GatedVad
    from offhook.speech.vad.silero import SileroVad

    return {rate: GatedVad(SileroVad(rate)) for rate in VAD_RATES}


def make_engines(
    settings: Settings, clock: Clock, board: Board | None = None
) -> Mapping[str, EngineFactory | DuplexFactory]:
    """The engines that the settings or any agent name; `board` is told of their providers.
    Raises ProviderError, SettingsError."""
    agents = settings.agents.values()
    wanted = {settings.engine, *(agent.engine or settings.engine for agent in agents)}
    wanted |= {agent.fallback_engine for agent in agents if agent.fallback_engine}
    engines: dict[str, EngineFactory | DuplexFactory] = {}
    for name in sorted(wanted):
        if name == "cascade":
            engines[name] = _cascade(settings, clock, board or Board())
        elif name == "scripted":
            engines[name] = _scripted(clock)
        elif name == "elevenlabs":
            engines[name] = _elevenlabs(settings.elevenlabs, clock)
        elif name == "openai-realtime":
            engines[name] = _openai_realtime(settings.openai, clock)
        else:
            raise SettingsError(
                f"engine {name!r} is not known; choose cascade, scripted, openai-realtime or elevenlabs"
            )
    return engines


def make_ears(
    settings: Settings, engines: Mapping[str, EngineFactory | DuplexFactory], board: Board
) -> tuple[Stt | None, bool]:
    """The recognizer of what humans on a call say: the cascade's, or, where only vendors' engines answer, one
    of its own; and whether it is that, to be closed by itself. None, with a word in the log, when it cannot
    be had."""
    for engine in engines.values():
        if isinstance(engine, CascadeFactory):
            return engine.stt, False
    try:
        return make_stt(settings, board), True
    except ProviderError as error:
        _log.warning("what humans say on calls is not written down", reason=error.reason)
        return None, False


def _scripted(clock: Clock) -> CascadeFactory:
    from offhook.speech.llm.fake import ScriptedLlm
    from offhook.speech.stt.fake import ScriptedStt
    from offhook.speech.tts.fake import ScriptedTts
    from offhook.speech.turn.silence import SilenceTurn

    return CascadeFactory(
        ScriptedStt(SCRIPT), ScriptedLlm(), ScriptedTts(2.0), SilenceTurn(), clock, SPECS, name="scripted"
    )


def _elevenlabs(settings: ElevenLabs, clock: Clock) -> DuplexFactory:
    from offhook.engines.elevenlabs import AgentOptions, ElevenLabsFactory

    options = AgentOptions(
        key=plain(settings.api_key),
        url=settings.url,
        agent_id=settings.agent_id,
        agents=settings.agents,
        private=settings.private_agent,
        overrides=tuple(settings.overrides),
        variables=settings.variables,
        voice=settings.voice,
        connect_seconds=settings.connect_seconds,
    )
    return ElevenLabsFactory(options, clock)


def _openai_realtime(settings: OpenAi, clock: Clock) -> DuplexFactory:
    from offhook.engines.openai_realtime import OpenAiRealtimeFactory, RealtimeOptions

    said = settings.realtime.model_dump()
    return OpenAiRealtimeFactory(
        RealtimeOptions(key=plain(settings.api_key), url=settings.url, **said), clock
    )


def _cascade(settings: Settings, clock: Clock, board: Board) -> CascadeFactory:
    stt, llm, tts = make_stt(settings, board), make_llm(settings, board), make_tts(settings, board)
    return CascadeFactory(stt, llm, tts, _turn(settings.speech), clock, SPECS)


def _turn(speech: Speech) -> TurnModel:
    if speech.turn == "silence":
        from offhook.speech.turn.silence import SilenceTurn

        return SilenceTurn()
    from offhook.speech.turn.smart_turn import SmartTurn

    return SmartTurn()
