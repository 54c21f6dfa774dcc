"""The two halves of a leg's connection: what a call may ask of a channel, and what a channel tells a call.

Every method here is immediate. Nothing awaits, blocks or raises for a peer's fault: a peer that
cannot take audio is the channel's problem until it says `on_closed`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from offhook.audio.frame import AudioFormat
from offhook.foundation.agent import Agent
from offhook.foundation.events import ChannelKind, Direction, EndReason, Entry, LegKind
from offhook.foundation.tools import ToolCall, ToolSpec


class Channel(Protocol):
    """The outward half: towards the peer."""

    @property
    def kind(self) -> ChannelKind: ...

    @property
    def format(self) -> AudioFormat:
        """The format that the peer sends, and wants to hear."""

    @property
    def peer(self) -> str:
        """Who is at the other end, for records: a phone number, or an empty string."""

    def play(self, audio: bytes) -> None:
        """Send audio (whole samples in `format`) to be heard after what was sent before."""

    def clear(self) -> None:
        """Drop everything sent and not yet heard. Marks that come back for it are not reported."""

    def mark(self, name: str) -> None:
        """Ask for `on_mark(name)` once everything sent before has been heard."""

    def tell(self, entry: Entry) -> None:
        """Show an event to the peer, where it has a screen; others ignore it."""

    def hang_up(self, reason: EndReason) -> None:
        """End the connection after what was sent has left. Idempotent; `on_closed` still follows."""


class CallerListener(Protocol):
    """The inward half: what a channel tells the call about the caller. Called on the event loop."""

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        """Whole samples in the channel's format; `at_ms` is the peer's media time of the first one."""

    def on_mark(self, name: str) -> None:
        """Everything sent before the mark has been heard."""

    def on_digit(self, digit: str) -> None:
        """A DTMF digit: one of 0-9, *, #, A-D."""

    def on_text(self, text: str) -> None:
        """A line typed by the caller."""

    def on_lost(self) -> None:
        """The connection broke; the channel may come back (see `on_resumed`)."""

    def on_resumed(self) -> None:
        """The caller is back on the same call after `on_lost`."""

    def on_closed(self, reason: EndReason) -> None:
        """The connection is gone for good. Told once; nothing follows."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a steered call takes turns. `answers`: the end of a caller's turn is answered unasked;
    `interrupts`: speech over the agent stops it."""

    answers: bool = True
    interrupts: bool = True


class Steering(Protocol):
    """For callers that are programs and direct the conversation themselves: what they may ask of a call.

    A CallerListener that can be steered has it as `steering`. All methods are immediate.
    """

    def behave(self, manners: Manners, *, unsounded: bool) -> None:
        """Take turns like this from now on. `unsounded`: the caller reads, so that what is sent is heard."""

    def revise(self, agent: Agent) -> None:
        """Be this agent from the next reply on. Raises ProviderError for one that its engine cannot be."""

    def equip(self, tools: Sequence[ToolSpec], on_call: Callable[[ToolCall], None]) -> None:
        """Let the model call these tools of the caller's program besides the agent's own. `on_call` is told
        of a call, with an id of its own; the reply ends with it."""

    def answer(self, call_id: str, text: str) -> bool:
        """What a call came to, for the next reply; False when there is no such call."""

    def remember(self, call: ToolCall, text: str) -> None:
        """A call that was made in another session came to this: the model knows it, where it has tools."""

    def dictate(self, audio: bytes, at_ms: int) -> bool:
        """Audio of a turn whose end `commit` will tell; False, and it is lost, when too much of it waits."""

    def commit(self, known: Callable[[], None]) -> None:
        """What was dictated is a turn; `known` once its words are on the timeline, or cannot be found."""

    def forget(self) -> None:
        """What was dictated since the last turn was none."""

    def note(self, leg: LegKind, text: str) -> None:
        """Something that was said elsewhere: the model shall know it, nobody answers it."""

    def recall(self, lines: Sequence[tuple[LegKind, str]]) -> None:
        """What was said so far is this, as far as the model is concerned."""

    def respond(self, line: str = "") -> None:
        """Reply now to what was said so far, or say this line. A reply that was sent to its end was heard."""

    def silence(self) -> None:
        """Give up the reply."""

    def heard(self, heard_ms: float) -> None:
        """Since the reply began, or went on after an interruption, no more than this was heard of it."""

    def unheard(self) -> str:
        """The words of the reply that are still to be heard."""


class Party(Protocol):
    """For channels with several people at the caller's end: a CallerListener that takes more than one has it
    as `party`."""

    def welcome(self, identity: str, name: str, format: AudioFormat, answered: bool = True) -> CallerListener:
        """Somebody else is there; whom to tell about them (of them `on_audio`, `on_text` and `on_closed` are
        heard). `identity` is theirs alone on this call; `answered`: the agent answers them, too. Raises
        LimitError."""

    def interrupt(self) -> None:
        """Somebody there wants the agent to stop talking."""

    def say(self, text: str, identity: str, name: str) -> None:
        """Somebody there who may has the agent say exactly this. Raises RefusedError."""


def unchanged(agent: Agent) -> Agent:
    """The agent as it is configured."""
    return agent


@dataclass(frozen=True, slots=True)
class Arrival:
    """A caller at the door: what the channel knows before the call begins. `shape` makes of the agent what
    it shall be in this call; `call_id` is the id that was promised to the caller, empty for a new one."""

    direction: Direction = Direction.INBOUND
    agent: str = ""
    caller: str = ""
    called: str = ""
    vendor_id: str = ""
    address: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    shape: Callable[[Agent], Agent] = unchanged
    call_id: str = ""


class Reception(Protocol):
    """Takes callers in. A channel calls it once its peer has said all that a call needs."""

    def arrive(self, channel: Channel, arrival: Arrival) -> tuple[str, CallerListener]:
        """Begin a call; returns its id and whom to tell about the caller.

        Raises LimitError (no capacity), NotFoundError (no such agent), RefusedError. Nothing is
        constructed when it raises."""
