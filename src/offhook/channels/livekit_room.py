"""One room that an agent of ours is in: joins it, brings its people to the call, and leaves it.

The people are livekit_company.py's, the sound livekit_ffi.py's, the texts livekit_words.py's and
livekit_talk.py's, the call the reception's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from livekit import rtc

from offhook.channels.base import Arrival, CallerListener, Party, Reception
from offhook.channels.livekit_channel import LiveKitChannel
from offhook.channels.livekit_company import DELIBERATE, Company
from offhook.channels.livekit_ffi import Mouth, switch
from offhook.channels.livekit_peers import Peer
from offhook.channels.livekit_server import NAMED, SINCE
from offhook.channels.livekit_talk import Talk
from offhook.channels.livekit_words import Speaker, Words
from offhook.foundation.errors import OffhookError, ProviderError
from offhook.foundation.events import EndReason, LegKind

CONNECT_S = 10.0
LEAVE_S = 3.0
HEARD_S = 3.0
"""So long the greeting waits for the first participant to hear our track."""
RETURN_S = 1.5
"""Clients that build their connection anew say goodbye first, and are back within this."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """How rooms are kept: who is answered (`everyone`, or the caller alone), how many guests have a leg, how
    long the first human is waited for, and one who was lost."""

    everyone: bool = True
    guests: int = 8
    wait_s: float = 60.0
    rejoin_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """Into which room to go, as whom, and what for. `agent` is of ours, empty for the default one."""

    room: str
    url: str
    token: str
    agent_name: str
    agent: str = ""
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Services:
    """What the server does for us: `remove(room, identity)` throws somebody out, `refer(room, identity, to)`
    puts them through; `tape(room, call_id, over)` has a call recorded by the server, too."""

    remove: Callable[[str, str], Awaitable[None]]
    refer: Callable[[str, str, str], Awaitable[None]]
    tape: Callable[[str, str, asyncio.Event], None] = lambda room, call_id, over: None


class RoomCall:
    """`run` once; `call_id` once there is a call."""

    def __init__(self, order: Order, reception: Reception, rules: Rules, services: Services) -> None:
        self.order = order
        self.call_id = ""
        self.words = Words(self._speaker)
        self.company = Company(rules.everyone, rules.guests, self._empty, self._returned)
        self._reception = reception
        self._rules = rules
        self._services = services
        self._room = rtc.Room()
        self._handle = 0
        self._mouth = Mouth()
        self._track = self._since = ""
        self._listener: CallerListener | None = None
        self._channel: LiveKitChannel | None = None
        self._reason: EndReason | None = None
        self._yields = False
        self._over = asyncio.Event()
        self._lost: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the call is over, or nobody came. Raises OffhookError: the room was not to be had, or the
        call was refused."""
        try:
            heard = await self._enter()
            if self._rival():
                _log.info("another agent of ours is in the room already", room=self.order.room)
                return
            caller = await self._first(heard)
            if caller is not None:
                self._begin(caller)
                await self._over.wait()
        finally:
            await self._leave()

    def end(self, reason: EndReason) -> None:
        """End the call, or the waiting for one, now."""
        if self._listener is not None:
            self._closed(reason)
        self._over.set()
        self.company.news.set()

    # In.

    async def _enter(self) -> rtc.LocalTrackPublication:
        room = self._room
        self.company.attend(room)
        room.on("participant_connected", self._met)
        room.on("reconnecting", self._parted)
        room.on("reconnected", self._rejoined)
        room.on("disconnected", self._thrown_out)
        try:
            async with asyncio.timeout(CONNECT_S):
                await room.connect(self.order.url, self.order.token, rtc.RoomOptions(auto_subscribe=False))
                self._handle = switch().keep(room)
                Talk(self).listen(room)
                for participant in tuple(room.remote_participants.values()):
                    self.company.came(participant)
                options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=True)
                published = await room.local_participant.publish_track(self._mouth.track, options)
        except TimeoutError:
            raise ProviderError("livekit", "the room did not answer in time") from None
        except Exception as error:  # the SDK raises plain exceptions, with addresses in them
            raise ProviderError("livekit", f"the room was not to be had ({type(error).__name__})") from None
        self._track = published.sid
        self._since = room.local_participant.attributes.get(SINCE, "")
        self.words.show(**{NAMED: self.order.agent_name, SINCE: self._since})
        self.spawn(self.words.run(room.local_participant), "words")
        return published

    def _rival(self) -> bool:
        """Whether another agent of this name is here, who was sent before us."""
        return any(self._is_older(other) for other in self._room.remote_participants.values())

    def _is_older(self, other: rtc.RemoteParticipant) -> bool:
        if other.attributes.get(NAMED) != self.order.agent_name:
            return False
        me = self._room.local_participant
        return (other.attributes.get(SINCE, ""), other.identity) < (self._since, me.identity)

    def _met(self, other: rtc.RemoteParticipant) -> None:
        """A room that was lost may have got another agent meanwhile: the first one stays."""
        if self._is_older(other):
            _log.info("another agent of ours was here first", room=self.order.room, call_id=self.call_id)
            self._yields = True  # the people in the room are that one's now
            self.end(EndReason.REFUSED)

    async def _first(self, track: rtc.LocalTrackPublication) -> Peer | None:
        """The first human, once they can hear us; None where nobody came."""
        company = self.company
        with suppress(TimeoutError):
            async with asyncio.timeout(self._rules.wait_s):
                while not self._over.is_set():
                    if company.here and await self._heard(track):
                        break
                    await self._news()
        if not company.here or self._over.is_set():
            _log.info("nobody came into the room", room=self.order.room)
            return None
        return company.here[0]

    async def _heard(self, track: rtc.LocalTrackPublication) -> bool:
        """Until somebody hears us; one who only writes does not, and is not waited for for long. False where
        they went."""
        hears = asyncio.ensure_future(track.wait_for_subscription())
        hears.add_done_callback(lambda done: self.company.news.set())
        try:
            async with asyncio.timeout(HEARD_S):
                while self.company.here and not self._over.is_set() and not hears.done():
                    await self._news()
        except TimeoutError:
            pass
        finally:
            hears.cancel()
        return bool(self.company.here)

    async def _news(self) -> None:
        """Until somebody came or went."""
        news = self.company.news
        news.clear()
        await news.wait()

    def _begin(self, caller: Peer) -> None:
        """The call begins. Raises what Reception.arrive raises."""
        order, phone = self.order, caller.phone
        number = phone.caller if phone is not None and phone.caller else caller.identity
        channel = self._channel = LiveKitChannel(number, self._mouth, self.words, self._closed)
        channel.refers = phone is not None
        arrival = Arrival(
            agent=order.agent,
            caller=number,
            called=phone.called if phone is not None else "",
            vendor_id=phone.call_id if phone is not None else "",
            variables={"room": order.room, "participant": caller.name, **order.variables},
        )
        self.company.caller = caller
        try:
            self.call_id, self._listener = self._reception.arrive(channel, arrival)
        except OffhookError:
            self._reason = EndReason.REFUSED
            raise
        self.words.call_id = self.call_id
        channel.listener = self._listener
        self.company.begin(caller, self._listener)
        self._services.tape(order.room, self.call_id, self._over)

    # Out.

    def _closed(self, reason: EndReason) -> None:
        """The call is over."""
        if self._lost is not None:
            self._lost.cancel()
        listener, self._listener = self._listener, None
        if listener is not None:
            self._reason = reason
            self.company.end(reason)
            listener.on_closed(reason)
        self._over.set()

    async def _leave(self) -> None:
        if self._listener is not None:
            self._closed(EndReason.FAILED)
        if self._channel is not None:
            self._channel.close()
        if self._reason not in (None, EndReason.CALLER_HUNG_UP) and not self._yields:
            for peer in self.company.here:
                # who came by phone is connected until the room lets go of them
                if peer.phone is not None and not await self._put_through(peer):
                    await self.throw_out(peer.identity)
        self.company.deafen()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._room.disconnect()
        except Exception as error:
            _log.warning("a room was not left in order", error=type(error).__name__)
        switch().let_go(self._handle)
        self._mouth.close()

    async def _put_through(self, peer: Peer) -> bool:
        """Whether a caller by phone went where the call was sent."""
        to = self._channel.referred if self._channel is not None else ""
        if self._reason is not EndReason.TRANSFERRED or not to or peer is not self.company.caller:
            return False
        try:
            await self._services.refer(self.order.room, peer.identity, to)
        except OffhookError as error:
            _log.warning("a caller could not be put through", call_id=self.call_id, reason=error.reason)
            return False
        return True

    async def throw_out(self, identity: str) -> None:
        """Have the server remove somebody."""
        try:
            await self._services.remove(self.order.room, identity)
        except OffhookError as error:
            _log.warning("somebody could not be removed from a room", reason=error.reason)

    # Connections that are lost.

    def _empty(self, lost: bool) -> None:
        """No human is here any more."""
        patience = self._rules.rejoin_s if lost else min(RETURN_S, self._rules.rejoin_s)
        self._wait(patience, EndReason.PEER_LOST if lost else EndReason.CALLER_HUNG_UP)

    def _wait(self, seconds: float, reason: EndReason) -> None:
        """The call stands still until somebody is here again, or is over for this reason."""
        if self._lost is not None or self._listener is None or self._channel is None:
            return
        self._channel.clear()
        self._listener.on_lost()
        self._lost = asyncio.get_running_loop().call_later(seconds, self._closed, reason)

    def _returned(self) -> None:
        """Somebody is here again."""
        if self._lost is not None and self._listener is not None:
            self._lost.cancel()
            self._lost = None
            self._listener.on_resumed()

    def _parted(self) -> None:
        """The server is lost; the SDK tries to come back."""
        _log.warning("a room is lost for now", room=self.order.room, call_id=self.call_id)
        self._wait(self._rules.rejoin_s, EndReason.PEER_LOST)

    def _rejoined(self) -> None:
        _log.info("a room is back", room=self.order.room, call_id=self.call_id)
        self.words.renew()
        self.company.look(self._room)
        if self.company.here:
            self._returned()

    def _thrown_out(self, reason: rtc.DisconnectReason.ValueType) -> None:
        """The room is gone for us, for good."""
        self.end(EndReason.CALLER_HUNG_UP if reason in DELIBERATE else EndReason.PEER_LOST)

    # For talk and words.

    @property
    def party(self) -> Party | None:
        """Of the call, while there is one."""
        return getattr(self._listener, "party", None)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Work that does not outlive the room."""
        task = asyncio.create_task(work, name=f"{self.order.room}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _speaker(self, leg: LegKind, seat: str) -> Speaker | None:
        """Who in the room a leg is; colleagues of the agent's speak with its track."""
        caller = self.company.caller
        if leg is LegKind.COACH:
            return None
        if leg is LegKind.CALLER:
            return Speaker(caller.identity, caller.track) if caller is not None else None
        if leg is LegKind.GUEST:
            guest = self.company.seated(seat)
            return Speaker(guest.identity, guest.track) if guest is not None else None
        return Speaker(self._room.local_participant.identity, self._track)
