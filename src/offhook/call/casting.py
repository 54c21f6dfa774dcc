"""Chooses how a call is conducted: by our own turns over a cascade, or by a speech-to-speech vendor's.

And what goes on with the call when such a vendor is gone for good. No calls are kept here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from offhook.call.conversation import Conversation
from offhook.call.dialogue import Dialogue, Line
from offhook.call.duplex import DuplexConversation
from offhook.call.legs import CallerLeg
from offhook.call.playback import Playback
from offhook.call.speaking import Spawn
from offhook.call.timeline import Timeline
from offhook.engines.base import Clause, Engine, EngineFactory
from offhook.engines.duplex import DuplexContext, DuplexFactory
from offhook.foundation.agent import Agent
from offhook.foundation.errors import OffhookError
from offhook.foundation.events import Notice
from offhook.speech.base import Message

_log = structlog.get_logger(__name__)


class Stage(Line, Protocol):
    """What of a session a conversation is built on."""

    leg: CallerLeg
    playback: Playback
    timeline: Timeline
    absent_ms: int

    @property
    def spawn(self) -> Spawn: ...

    def replace(self, dialogue: Dialogue) -> None:
        """From now on the call is this conversation's."""


Cast = Callable[[Stage], Dialogue]
"""Puts a conversation on a stage; its engine is open by then."""


def cascade(agent: Agent, factory: EngineFactory, engine: Engine) -> Cast:
    """Our own turns over this engine of the factory's."""

    def cast(stage: Stage) -> Conversation:
        def prepared(text: str) -> Sequence[Clause]:
            return factory.prepared(agent, text, stage.leg.format) or ()

        return Conversation(
            agent,
            engine,
            stage.timeline,
            stage.leg,
            stage.playback,
            stage,
            prepared,
            stage.spawn,
            stage.absent_ms,
        )

    return cast


def duplex(
    agent: Agent,
    factory: DuplexFactory,
    context: DuplexContext,
    fallback: EngineFactory | None,
    open_engine: Callable[[EngineFactory], Engine],
) -> Cast:
    """The vendor's turns; `fallback` goes on when it is lost. The context's history is set here.

    Raises ProviderError for an agent that the vendor cannot serve."""
    conversations: list[DuplexConversation] = []

    def history() -> Sequence[Message]:
        return conversations[0].history() if conversations else ()

    engine = factory.converse(replace(context, history=history))

    def cast(stage: Stage) -> DuplexConversation:
        def prepared(text: str) -> Sequence[Clause]:
            return (fallback.prepared(agent, text, stage.leg.format) or ()) if fallback is not None else ()

        def rescue(messages: Sequence[Message], turn: int) -> bool:
            return fallback is not None and _take_over(stage, agent, fallback, open_engine, messages, turn)

        conversation = DuplexConversation(
            agent,
            engine,
            stage.timeline,
            stage.leg,
            stage.playback,
            stage,
            prepared,
            stage.spawn,
            stage.absent_ms,
            rescue,
        )
        conversations.append(conversation)
        return conversation

    return cast


def _take_over(
    stage: Stage,
    agent: Agent,
    fallback: EngineFactory,
    open_engine: Callable[[EngineFactory], Engine],
    messages: Sequence[Message],
    turn: int,
) -> bool:
    """Go on with the cascade from here; False when it cannot be opened."""
    try:
        engine = open_engine(fallback)
    except OffhookError as error:
        _log.warning("a fallback engine did not open", engine=fallback.name, reason=error.reason)
        return False
    conversation = cascade(agent, fallback, engine)(stage)
    assert isinstance(conversation, Conversation)
    stage.timeline.emit(Notice(f"the call goes on with the engine {fallback.name}"))
    stage.replace(conversation)
    conversation.take_up(messages, turn)
    return True
