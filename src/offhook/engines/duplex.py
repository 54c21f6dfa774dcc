"""The contract of speech-to-speech engines: they hear everything and decide the turns. No turn table.

A vendor's model (OpenAI Realtime, an ElevenLabs agent) listens to the caller all the time and speaks when it
finds fit. Offhook keeps what only it can know: what the caller really heard, the recording, the limits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from offhook.audio.frame import AudioFormat
from offhook.foundation.agent import Agent
from offhook.foundation.errors import ProviderError
from offhook.speech.base import Message, ToolCall, ToolSpec


class DuplexListener(Protocol):
    """What the engine tells the call. Immediate; called on the event loop, in the vendor's order.

    An `item` is one utterance of the agent, or of the caller where it is said so, by the vendor's id (empty
    where the vendor gives none). What comes for an item that was interrupted is dropped by the listener.
    """

    def on_ready(self) -> None:
        """The session is configured: audio is heard, words can be said. Again after a reconnection."""

    def on_speech(self, began: bool, item: str = "") -> None:
        """The vendor's detector: the caller began to speak (the agent must fall silent), or stopped.
        `item` is the caller's utterance."""

    def on_words(self, text: str, final: bool, language: str = "", item: str = "") -> None:
        """The caller's words: so far of this turn, or all of it; final and empty when they could not be
        found. They may come late: after the agent's answer, even after the caller's next turn began."""

    def on_sound(self, item: str, audio: bytes) -> None:
        """More of the agent's speech, in the call's format. May come faster than it is heard."""

    def on_text(self, item: str, text: str) -> None:
        """More of the words that the agent speaks; joined as they are."""

    def on_spoken(self, item: str) -> None:
        """The utterance is complete; it may not have been heard yet."""

    def on_interrupted(self) -> None:
        """The vendor gave up what it was saying: what was not heard yet must not be played."""

    def on_tool(self, call: ToolCall) -> None:
        """The model wants a tool called; `DuplexEngine.answer_tool` takes the result. What the model said
        before the call has been told by then."""

    def on_trouble(self, error: ProviderError) -> None:
        """Something failed and the session goes on (a rate limit, a refused event, a reconnection)."""


class Nobody:
    """Listens to a session that was let go: nothing that it says counts."""

    def on_ready(self) -> None: ...

    def on_speech(self, began: bool, item: str = "") -> None: ...

    def on_words(self, text: str, final: bool, language: str = "", item: str = "") -> None: ...

    def on_sound(self, item: str, audio: bytes) -> None: ...

    def on_text(self, item: str, text: str) -> None: ...

    def on_spoken(self, item: str) -> None: ...

    def on_interrupted(self) -> None: ...

    def on_tool(self, call: ToolCall) -> None: ...

    def on_trouble(self, error: ProviderError) -> None: ...


NOBODY = Nobody()


@dataclass(frozen=True, slots=True)
class DuplexContext:
    """What a speech-to-speech engine knows of its call.

    `history()` gives what was heard so far, for a session that has to begin again; `tools` are what the
    vendor's model may have called; `text_only`: the caller reads and writes, and hears nothing.
    """

    call_id: str
    agent: Agent
    format: AudioFormat
    history: Callable[[], Sequence[Message]]
    variables: dict[str, Any] = field(default_factory=dict)
    tools: Sequence[ToolSpec] = ()
    text_only: bool = False


class DuplexEngine(Protocol):
    """One call's session. Methods without `async` are immediate; `hear` is on the media path."""

    async def run(self, listener: DuplexListener) -> None:
        """Hold the session, over reconnections, until cancelled or ended by the vendor (then it returns).

        Raises ProviderError when the session cannot be had, or be had again."""

    def hear(self, audio: bytes) -> None:
        """The caller's audio, every frame of it, silence too, in the call's format."""

    def type(self, text: str) -> None:
        """A line that the caller typed (or keys that were pressed)."""

    def greet(self, text: str) -> None:
        """Begin the conversation with this line, spoken by the vendor's voice, as an item of its own."""

    def say(self, text: str) -> None:
        """Speak this line now, as exactly as the vendor can."""

    def instruct(self, text: str) -> None:
        """Something that the model shall know and the caller does not hear."""

    def heard(self, item: str, heard_ms: int, text: str) -> None:
        """The agent was interrupted: of `item` this many ms, these words, were heard, and no more will be.
        A reply that the vendor is still making is given up."""

    def answer_tool(self, call_id: str, output: str, failed: bool = False, reply: bool = True) -> None:
        """What the tool call came to; `reply`: the model shall go on talking once it knows."""

    async def close(self) -> None: ...


@runtime_checkable
class DuplexFactory(Protocol):
    """Makes one session per call. Has no prepared lines: the vendor's voice speaks them.

    `isinstance` tells it from an EngineFactory.
    """

    name: str

    def converse(self, context: DuplexContext) -> DuplexEngine:
        """Raises ProviderError for an agent that it cannot serve."""

    async def close(self) -> None: ...
