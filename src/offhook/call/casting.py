"""Chooses how a call is conducted: by our own turns over a cascade, or by a speech-to-speech vendor's.

And what goes on with the call when such a vendor is gone for good. No calls are kept here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import structlog

from offhook.call.conversation import Conversation
from offhook.call.dialogue import Dialogue, Handing, Stage
from offhook.call.duplex import DuplexConversation
from offhook.call.speaking import Spawn
from offhook.call.tools.box import Toolbox
from offhook.engines.base import Clause, Engine, EngineFactory
from offhook.engines.duplex import DuplexContext, DuplexFactory
from offhook.foundation.agent import Agent
from offhook.foundation.errors import OffhookError
from offhook.foundation.events import Notice
from offhook.speech.base import Message

_log = structlog.get_logger(__name__)

_Dialogue = TypeVar("_Dialogue", bound=Dialogue, covariant=True)


class Cast(Protocol[_Dialogue]):
    """Puts a conversation on a stage; its engine is open by then."""

    def __call__(self, stage: Stage) -> _Dialogue: ...


def cascade(
    agent: Agent, factory: EngineFactory, engine: Engine, toolbox: Callable[[Spawn], Toolbox]
) -> Cast[Conversation]:
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
            toolbox(stage.spawn),
        )

    return cast


def duplex(
    agent: Agent,
    factory: DuplexFactory,
    context: DuplexContext,
    fallback: EngineFactory | None,
    open_engine: Callable[[EngineFactory], Engine],
    toolbox: Callable[[Spawn], Toolbox],
) -> Cast[DuplexConversation]:
    """The vendor's turns; `fallback` goes on when it is lost. The context's history is set here.

    Raises ProviderError for an agent that the vendor cannot serve."""
    conversations: list[DuplexConversation] = []

    def history() -> Sequence[Message]:
        return conversations[0].history() if conversations else ()

    engine = factory.converse(replace(context, history=history))

    def cast(stage: Stage) -> DuplexConversation:
        def prepared(text: str) -> Sequence[Clause]:
            return (fallback.prepared(agent, text, stage.leg.format) or ()) if fallback is not None else ()

        def rescue(left: Handing, line: str) -> bool:
            if fallback is None:
                return False
            try:
                over = cascade(agent, fallback, open_engine(fallback), toolbox)
            except OffhookError as error:
                _log.warning("a fallback engine did not open", engine=fallback.name, reason=error.reason)
                return False
            stage.timeline.emit(Notice(f"the call goes on with the engine {fallback.name}"))
            conversation = over(stage)
            stage.replace(conversation)
            conversation.take_up(left, line)
            return True

        conversation = DuplexConversation(
            agent,
            engine,
            stage,
            prepared,
            rescue if fallback is not None else None,
            toolbox(stage.spawn),
            context.text_only,
        )
        conversations.append(conversation)
        return conversation

    return cast
