"""A human's place on a live call: the connection, the voice, the ear. Who hears it is the bridge's to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from offhook.call.blend import Blend
from offhook.call.ear import Ear
from offhook.call.human_hearing import HumanHearing
from offhook.call.modes import Part, part_of
from offhook.call.sources import Source
from offhook.channels.base import Channel
from offhook.foundation.events import EndReason, LegKind
from offhook.foundation.people import Person, Stance

if TYPE_CHECKING:
    from offhook.call.bridge import Bridge


class Seat:
    """Implements CallerListener for its channel. `muted`: nobody hears it, whatever the stance.

    `ear` is where the coach's voice goes; `hearing` finds the words, while there are any to find.
    """

    def __init__(
        self, bridge: Bridge, id: str, person: Person, leg: LegKind, channel: Channel, stance: Stance
    ) -> None:
        self._bridge = bridge
        self.id = id
        self.person = person
        self.leg = leg
        self.channel = channel
        self.format = channel.format
        self.stance = stance
        self._muted = False
        self.gone = False
        self.ear = Ear(channel.format)
        self.source = Source(Part.OPERATOR, leg, channel.format)
        self.blend = Blend(channel.format.rate)
        self.hearing: HumanHearing | None = None
        self.on_private: Callable[[str], None] = lambda text: None
        """Told what this human says while consulted: nobody else is."""

    @property
    def part(self) -> Part:
        """What this human is in the table of modes."""
        return part_of(self.stance)

    @property
    def muted(self) -> bool:
        return self._muted

    @muted.setter
    def muted(self, on: bool) -> None:
        if on is not self._muted:
            self._muted = on
            self._bridge.muted(self)

    @property
    def speaking(self) -> bool:
        """Whether the human speaks, by voice activity."""
        return self.hearing is not None and self.hearing.voice.speaking

    def leave(self) -> None:
        """Let go of the call. The channel is hung up. Idempotent."""
        self._bridge.leave(self)

    # What the channel tells.

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        if not self.gone:
            self.source.push(audio)

    def on_mark(self, name: str) -> None: ...

    def on_digit(self, digit: str) -> None: ...

    def on_text(self, text: str) -> None: ...

    def on_lost(self) -> None:
        """A human whose connection broke is not waited for: the caller is."""
        self._bridge.leave(self, lost=True)

    def on_resumed(self) -> None: ...

    def on_closed(self, reason: EndReason) -> None:
        self._bridge.leave(self, lost=reason is not EndReason.CALLER_HUNG_UP)
