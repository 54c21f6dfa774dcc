"""Contracts of the speech floor: recognizer, language model, voice, voice activity, end of turn.

Providers are loaded once per process and shared by all calls; what is per call is opened from
them. Work that takes more than a few microseconds runs in the provider's own worker threads.
All of them raise ProviderError, and nothing else, when they fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from offhook.audio.frame import AudioFormat
from offhook.foundation.agent import Agent
from offhook.foundation.events import LegKind
from offhook.foundation.tools import ToolCall as ToolCall
from offhook.foundation.tools import ToolResult as ToolResult
from offhook.foundation.tools import ToolSpec as ToolSpec

Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words of one utterance; empty text means that nothing was said. `language` is ISO 639-1 or empty."""

    text: str
    language: str = ""
    confidence: float = 1.0


class Recognizer(Protocol):
    """Speech to text for one leg. Utterance by utterance: begin, push…, finish or drop."""

    def begin(self) -> None:
        """An utterance begins; what an unfinished one held is dropped."""

    def push(self, audio: bytes) -> None:
        """Audio of the utterance in the format given to `open`. Immediate; on the media path."""

    async def finish(self) -> Transcript:
        """The words of everything pushed since `begin`. May be called again after more was pushed
        (a pause that turned out not to be the end): the result then covers the whole utterance."""

    def drop(self) -> None:
        """Forget the utterance."""

    async def close(self) -> None: ...


@runtime_checkable
class TurnJudge(Protocol):
    """What a recognizer may be besides: one that hears by itself whether the turn is over."""

    async def turn_complete(self) -> float | None:
        """Probability that the caller, who paused, has finished; None: ask the TurnModel. Takes 0.3 s at
        most."""


class Stt(Protocol):
    """A speech-to-text provider.

    One that knows certain languages only may say so in an attribute `languages`; so may Llm and Tts.
    """

    name: str

    def open(
        self,
        format: AudioFormat,
        language: str,
        on_partial: Callable[[str], None] | None = None,
        languages: Sequence[str] = (),
    ) -> Recognizer:
        """A recognizer for one leg. An empty `language` is any, or any of `languages`: the caller may change
        it in mid-call, and the recognizer finds out. `on_partial` gets the words so far, on the event loop.
        Raises UnfitError for a language that it does not know."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Message:
    """One line of what was heard so far. `leg` is CALLER or AGENT, or a human colleague of the agent's who
    was on the call: OPERATOR or SUPERVISOR. These said it to the caller; or, `hidden`, to the agent alone,
    as an instruction that the caller did not hear.

    `tools` are the tools that the agent called after saying `text` (which may be empty), with what they
    came to; their ids are unique within the call. Two messages of the agent may follow each other.
    """

    leg: LegKind
    text: str
    tools: tuple[ToolResult, ...] = ()
    hidden: bool = False
    speaker: str = ""
    """Who it was by name, where several are at the caller's end; empty for the caller."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More words of the reply, to be spoken; joined as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model answers: the agent, what was heard so far, tools, and the language to answer in.

    The last message is the caller's, or the agent's with the results of tools that this very reply called:
    then the model goes on, or says nothing more.
    """

    agent: Agent
    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    language: str = "en"
    call_id: str = ""


class Chat(Protocol):
    """A language model in one call; it may keep dialogue state between replies."""

    def reply(self, request: ChatRequest) -> AsyncIterator[TextDelta | ToolCall]:
        """Stream one reply. Closing the iterator cancels it. State commits only when the
        stream is read to its end, so that a cancelled reply leaves no trace."""

    async def close(self) -> None: ...


class Llm(Protocol):
    """A language model provider."""

    name: str

    async def prepare(self, agents: Iterable[Agent]) -> None:
        """Load what the first reply would have to wait for."""

    def open(self, agent: Agent) -> Chat: ...

    async def close(self) -> None: ...


class Tts(Protocol):
    """A voice provider."""

    name: str

    def voices(self) -> Sequence[str]:
        """Names that `speak` takes; the first is the default."""

    def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        """Speech for a clause, in `format`, in pieces of whole samples. An empty `voice` is the default."""

    async def close(self) -> None: ...


class Vad(Protocol):
    """Voice activity for many streams of one rate in one inference. Synchronous: the media clock calls it.

    A stream is an integer slot that `open` gives and `close` takes back.
    """

    rate: int
    window: int

    def open(self) -> int: ...

    def reset(self, slot: int) -> None: ...

    def close(self, slot: int) -> None: ...

    def probabilities(self, slots: Sequence[int], windows: Pcm) -> npt.NDArray[np.float32]:
        """Speech probabilities [N] of windows [N, window] int16, advancing the N streams."""


class TurnModel(Protocol):
    """Judges from the sound alone whether a caller who paused has finished."""

    name: str

    async def complete(self, audio: bytes, format: AudioFormat) -> float:
        """Probability that the turn is complete, from its last seconds of audio (at most 8 are used)."""

    async def close(self) -> None: ...
