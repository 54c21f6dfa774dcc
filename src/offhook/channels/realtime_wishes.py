"""What a Realtime client's settings make of an agent. Values only."""

from __future__ import annotations

from dataclasses import replace

from offhook.foundation.agent import Agent, Patience
from offhook.protocols.realtime_door import ResponseCreate
from offhook.protocols.realtime_door_session import SessionConfig, TurnDetection

NEVER_MS = 86_400_000
_EAGER = {"high": (200, 600), "low": (600, 2_500)}
"""Silence that ends a finished-sounding turn, and any turn, by eagerness."""


def shaped(
    agent: Agent, engine: str, config: SessionConfig, systems: str, wish: ResponseCreate | None
) -> Agent:
    """The agent as the client wants it: speaks when spoken to, as instructed, with that voice, as patient."""
    persona = config.instructions if config.told else agent.persona
    if wish is not None and wish.instructions is not None:
        persona = wish.instructions
    if systems:
        persona = f"{persona}\n\n{systems}"
    voice = agent.voice
    if config.voices and config.voice != (voice or config.voices[0]):
        voice = config.voice
    return replace(
        agent,
        persona=persona,
        greeting="",
        voice=voice,
        voices={} if voice != agent.voice else agent.voices,
        engine=engine or agent.engine,
        patience=patience(agent.patience, config.turns),
    )


def patience(own: Patience, turns: TurnDetection | None) -> Patience:
    """The agent's own times, changed by what the client said of turns."""
    if turns is None:
        return replace(own, no_input_ms=NEVER_MS)
    idle = replace(own, no_input_ms=turns.idle_ms or NEVER_MS, reprompts=1_000)
    if not turns.semantic:
        return replace(idle, endpoint_ms=turns.silence_ms, endpoint_max_ms=turns.silence_ms)
    if turns.eagerness in _EAGER:
        endpoint, most = _EAGER[turns.eagerness]
        return replace(idle, endpoint_ms=endpoint, endpoint_max_ms=most)
    return idle
