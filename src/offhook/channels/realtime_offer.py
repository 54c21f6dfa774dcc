"""What a Realtime client is offered: an agent, its engine and voices. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from offhook.foundation.agent import Agent
from offhook.protocols.realtime_door_session import SessionConfig


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client gets: an agent, as which `model`, on which engine (empty: the agent's own).

    `voices` are those it may have; `reads`: whether the agent's model follows instructions."""

    agent: Agent
    model: str
    engine: str = ""
    voices: tuple[str, ...] = ()
    reads: bool = True
    address: str = ""


def first_config(offer: Offer) -> SessionConfig:
    """What is in effect before the client said anything."""
    own = offer.voices[0] if offer.voices else "default"
    agent = offer.agent
    return SessionConfig(offer.model, agent.persona, agent.voice or own, offer.voices)
