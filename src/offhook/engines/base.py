"""The contract of engines: what hears the caller, decides what the agent says, and gives it a voice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from offhook.audio.frame import AudioFormat
from offhook.foundation.agent import Agent
from offhook.speech.base import Message, ToolCall, ToolSpec, Transcript


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of the agent's speech: its words, and sound in the caller's format (whole samples).

    `more`: it goes on with the clause before it; its text, which may be empty, joins that one's as it is.
    `broken`: the clause's sound ends here, before its words do; this piece of it may have no sound.
    """

    text: str
    audio: bytes
    more: bool = False
    broken: bool = False


@dataclass(frozen=True, slots=True)
class CallContext:
    """What an engine knows of its call. `on_partial` takes the caller's words so far; `tools` are what
    the model of this call may have called."""

    call_id: str
    agent: Agent
    format: AudioFormat
    on_partial: Callable[[str], None]
    variables: dict[str, Any] = field(default_factory=dict)
    tools: Sequence[ToolSpec] = ()


@dataclass(slots=True)
class ReplyTimes:
    """Monotonic seconds of a reply's first token and first audio, 0.0 until then, and the language that it
    is in, empty where the engine does not say. The engine fills it."""

    first_token: float = 0.0
    first_audio: float = 0.0
    language: str = ""


class Engine(Protocol):
    """One call's engine. Methods without `async` are immediate and may run on the media path."""

    def hear_begin(self) -> None:
        """The caller began to speak."""

    def hear(self, audio: bytes) -> None:
        """Caller's audio, in the call's format, while the caller speaks (a little from before, too)."""

    async def heard(self) -> Transcript:
        """The caller's words since `hear_begin`; may be asked again when the caller goes on."""

    async def finished(self) -> float:
        """Probability that the caller, who paused, has finished the turn, by the sound since `hear_begin`."""

    def hear_drop(self) -> None:
        """What was heard since `hear_begin` was no speech; forget it."""

    def reply(self, history: Sequence[Message], times: ReplyTimes) -> AsyncGenerator[Clause | ToolCall, None]:
        """Answer the last message of `history`, or go on with the results of the tools that this reply
        called, which that message then carries. Closing the iterator cancels the reply."""

    def say(self, text: str, language: str = "") -> AsyncGenerator[Clause, None]:
        """Speak exactly this text, in a language of the agent; empty is the one of the call so far."""

    def revise(self, agent: Agent, tools: Sequence[ToolSpec] | None = None) -> None:
        """Be this agent, with these tools besides its own (None: the same), from the next reply on; its
        languages stay. Raises ProviderError for an agent that it cannot be."""

    async def close(self) -> None: ...


class EngineFactory(Protocol):
    """Makes one engine per call; what is costly is loaded once, here."""

    name: str

    def open(self, context: CallContext) -> Engine: ...

    def prepared(self, agent: Agent, text: str, format: AudioFormat) -> Sequence[Clause] | None:
        """A line that was spoken ahead of the call, or None: greeting, prompts, apology, goodbye."""

    async def warm(self, agents: Sequence[Agent]) -> None:
        """Load what the first call would have to wait for; raises ProviderError."""

    async def prepare(self, agent: Agent, format: AudioFormat) -> None:
        """Speak an agent's fixed lines ahead of any call; raises ProviderError."""

    async def close(self) -> None: ...
