"""The people in one room: who comes and goes, whose sound is listened to, who has which leg of the call.

The first human is the caller; others are guests of the call, each with a leg of their own. Joins no room and
begins no call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from livekit import rtc

from offhook.channels.base import CallerListener, Party
from offhook.channels.livekit_ffi import FORMAT
from offhook.channels.livekit_peers import Peer, is_human
from offhook.foundation.errors import LimitError
from offhook.foundation.events import EndReason

DELIBERATE = frozenset(
    {
        rtc.DisconnectReason.CLIENT_INITIATED,
        rtc.DisconnectReason.PARTICIPANT_REMOVED,
        rtc.DisconnectReason.ROOM_DELETED,
        rtc.DisconnectReason.ROOM_CLOSED,
        rtc.DisconnectReason.USER_REJECTED,
    }
)
"""Why somebody left who is not waited for."""
_log = structlog.get_logger(__name__)


class Company:
    """`on_empty(lost)` is told when no human is here any more, `on_returned` when somebody came (again).
    `everyone`: the agent answers guests, too; `most` of them have a leg."""

    def __init__(
        self, everyone: bool, most: int, on_empty: Callable[[bool], None], on_returned: Callable[[], None]
    ) -> None:
        self._everyone = everyone
        self._most = most
        self._on_empty = on_empty
        self._on_returned = on_returned
        self._peers: dict[str, Peer] = {}
        self._call: CallerListener | None = None
        self._away = False
        self.news = asyncio.Event()
        self.begun = asyncio.Event()
        """Set once there is a call."""
        self.caller: Peer | None = None

    def attend(self, room: rtc.Room) -> None:
        """Look after this room's people from now on."""
        room.on("participant_connected", self.came)
        room.on("participant_disconnected", self._went)
        room.on("track_published", self._published)
        room.on("track_subscribed", self._subscribed)
        room.on("track_unsubscribed", self._unsubscribed)

    @property
    def here(self) -> list[Peer]:
        """Humans who are connected, in the order they came."""
        return sorted((peer for peer in self._peers.values() if peer.here), key=lambda peer: peer.joined)

    def find(self, identity: str) -> Peer | None:
        return self._peers.get(identity)

    def seated(self, seat: str) -> Peer | None:
        """Whose leg has this id."""
        return next((p for p in self._peers.values() if getattr(p.listener, "id", "") == seat), None)

    # The call.

    def begin(self, caller: Peer, call: CallerListener) -> None:
        """The caller's call is up: everybody else becomes a guest of it."""
        self.caller = caller
        self._call = caller.listener = call
        for peer in self.here:
            self._seat(peer)
        self.begun.set()

    def end(self, reason: EndReason) -> None:
        """The call is over, for guests as well. Idempotent."""
        call, self._call = self._call, None
        for peer in self._peers.values():
            listener, peer.listener = peer.listener, None
            if listener is not None and listener is not call:
                listener.on_closed(reason)

    def deafen(self) -> None:
        """Listen to nobody any more."""
        for peer in self._peers.values():
            peer.deafen()

    def _seat(self, peer: Peer) -> None:
        """A leg of their own for somebody besides the caller."""
        party: Party | None = getattr(self._call, "party", None)
        if party is None or peer is self.caller or peer.listener is not None or not peer.here:
            return
        if sum(one.listener is not None for one in self._peers.values()) > self._most:
            return
        try:
            peer.listener = party.welcome(peer.identity, peer.name, FORMAT, self._everyone)
        except LimitError as error:
            _log.info("somebody in a room is not heard", reason=error.reason)

    # People.

    def came(self, participant: rtc.RemoteParticipant) -> None:
        """Somebody is here, or is here again."""
        if not is_human(participant):
            return
        peer = self._peers.get(participant.identity)
        if peer is None:
            peer = self._peers[participant.identity] = Peer(participant)
        peer.here, peer.flooded = True, False
        self.news.set()
        for publication in tuple(participant.track_publications.values()):
            self._published(publication, participant)
        if peer is self.caller:
            self._away = False
        else:
            self._seat(peer)
        self._on_returned()

    def look(self, room: rtc.Room) -> None:
        """Who is here may have changed without a word: the server was away."""
        there = room.remote_participants
        for peer in tuple(self._peers.values()):
            if peer.identity not in there and peer.here:
                self._gone(peer, deliberate=False)
        for participant in tuple(there.values()):
            self.came(participant)

    def _went(self, participant: rtc.RemoteParticipant) -> None:
        peer = self._peers.get(participant.identity)
        if peer is not None and peer.here:
            self._gone(peer, deliberate=participant.disconnect_reason in DELIBERATE)

    def _gone(self, peer: Peer, *, deliberate: bool) -> None:
        peer.here = False
        peer.deafen()
        self.news.set()
        if peer is self.caller:
            self._away = not deliberate
        else:
            del self._peers[peer.identity]
            if peer.listener is not None:
                peer.listener.on_closed(EndReason.CALLER_HUNG_UP if deliberate else EndReason.PEER_LOST)
        if self._call is not None and not self.here:
            self._on_empty(self._away)

    # Tracks.

    def _published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        """Only voices are asked for: no video, no sound of a shared screen, no other agents."""
        sound = publication.kind == rtc.TrackKind.KIND_AUDIO
        if sound and publication.source != rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO and is_human(participant):
            publication.set_subscribed(True)

    def _subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        peer = self._peers.get(participant.identity)
        if peer is not None and track.kind == rtc.TrackKind.KIND_AUDIO:
            peer.hear(track)

    def _unsubscribed(
        self,
        track: rtc.Track | None,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        peer = self._peers.get(participant.identity)
        if peer is not None:
            peer.deafen(publication.sid)
