"""People in a room as a call sees them: who they are, their sound and its time, how much they may send."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from livekit import rtc

from offhook.channels.base import CallerListener
from offhook.channels.bounds import Valve
from offhook.channels.livekit_ffi import FORMAT, RATE, Ear

MESSAGE_RATE, MESSAGE_BURST = 5.0, 20.0
"""Chat lines, data packets and calls of methods that one participant may send per second, and at once."""
HOLE_MS = 240
"""Who sent nothing for longer was silent meanwhile."""
HUMANS = frozenset(
    {
        rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
        rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
        rtc.ParticipantKind.PARTICIPANT_KIND_BRIDGE,
    }
)
_LONGEST_NAME = 80


def is_human(participant: rtc.RemoteParticipant) -> bool:
    """Whether somebody speaks there; others are programs: agents, recorders."""
    return participant.kind in HUMANS


def joined(participant: rtc.Participant) -> float:
    """When somebody entered, in seconds; 0 where it is not known."""
    return participant.joined_at.timestamp() if participant.joined_at is not None else 0.0


@dataclass(frozen=True, slots=True)
class PhoneFacts:
    """What LiveKit's telephony says of a participant who came by phone."""

    caller: str = ""
    called: str = ""
    call_id: str = ""


def phone_facts(participant: rtc.RemoteParticipant) -> PhoneFacts | None:
    """None for one who did not come by phone."""
    if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return None
    told = participant.attributes
    return PhoneFacts(
        told.get("sip.phoneNumber", "")[:_LONGEST_NAME],
        told.get("sip.trunkPhoneNumber", "")[:_LONGEST_NAME],
        told.get("sip.callID", "")[:_LONGEST_NAME],
    )


class Place:
    """A sender's sound on a media time of its own: samples count, and holes of time."""

    __slots__ = ("_begun", "_samples")

    def __init__(self) -> None:
        self._begun = -1.0
        self._samples = 0

    def take(self, size: int, now: float) -> int:
        """Media ms of the first of these bytes, which came at `now` (seconds)."""
        if self._begun < 0:
            self._begun = now
        due_ms = (now - self._begun) * 1000
        at_ms = self._samples * 1000 // RATE
        if due_ms - at_ms > HOLE_MS:
            at_ms = int(due_ms)
            self._samples = at_ms * RATE // 1000
        self._samples += size // FORMAT.width
        return at_ms


class Peer:
    """One human in the room. `listener` is the call's end of them, where they have one; `here` while they are
    connected."""

    def __init__(self, participant: rtc.RemoteParticipant) -> None:
        self.identity = participant.identity
        self.name = (participant.name or participant.identity)[:_LONGEST_NAME]
        self.phone = phone_facts(participant)
        self.joined = joined(participant)
        self.here = True
        self.flooded = False
        self.listener: CallerListener | None = None
        self.valve = Valve(MESSAGE_RATE, MESSAGE_BURST)
        self.track = ""
        self._place = Place()
        self._ear: Ear | None = None
        self._loop = asyncio.get_running_loop()

    def hear(self, track: rtc.Track) -> None:
        """Listen to this track, and no other, from now on."""
        self.deafen()
        self.track = track.sid
        self._ear = Ear(track, self._heard)

    def deafen(self, track: str = "") -> None:
        """Listen to nothing, where it was this track (or any)."""
        if self._ear is not None and track in ("", self.track):
            self._ear.close()
            self._ear = None

    def _heard(self, audio: bytes) -> None:
        if self.listener is not None:
            self.listener.on_audio(audio, self._place.take(len(audio), self._loop.time()))
