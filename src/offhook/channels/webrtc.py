"""The WebRTC callers of this process, by their sessions: offers answered, ways changed, all closed.

Who may offer is decided before (web/webrtc_door.py); what a call does is not known here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

from offhook.channels.base import Reception
from offhook.channels.bounds import SocketBounds
from offhook.channels.pacer import Pacer
from offhook.channels.resume import ResumeDesk
from offhook.channels.watch import Watch
from offhook.channels.webrtc_channel import Surroundings, WebRtcChannel
from offhook.channels.webrtc_ice import IcePlan, check_candidate
from offhook.channels.webrtc_peer import Peer
from offhook.channels.webrtc_sdp import Offer, read_offer
from offhook.channels.webrtc_sessions import Answered, Newcomer
from offhook.foundation.errors import ConflictError, NotFoundError, WireError
from offhook.foundation.events import EndReason
from offhook.protocols.trickle import read_fragment, write_fragment

CERTIFICATE_S = 86_400.0
_log = logging.getLogger(__name__)


class WebRtcDesk:
    """All sessions of one process. Implements RtcSessions. `new_call_id` names the calls; a connection may
    take `patience_s` to be made."""

    def __init__(
        self,
        reception: Reception,
        plan: IcePlan,
        bounds: SocketBounds,
        watch: Watch,
        new_call_id: Callable[[], str],
        prefix: str = "",
        patience_s: float = 15.0,
    ) -> None:
        self._plan = plan
        self._patience_s = patience_s
        self._new_call_id = new_call_id
        self._sessions: ResumeDesk[WebRtcChannel] = ResumeDesk(prefix)
        self._tasks: set[asyncio.Task[None]] = set()
        self._channels: set[WebRtcChannel] = set()
        self._certificate: tuple[float, RTCCertificate] | None = None
        self.pacer = Pacer()
        self._around = Surroundings(reception, bounds, watch, self.pacer, self._sessions, self._spawn)

    @property
    def waiting(self) -> int:
        """Sessions whose call has not begun."""
        return sum(1 for channel in self._channels if not channel.begun)

    def __len__(self) -> int:
        return len(self._channels)

    async def begin(self, sdp: str, newcomer: Newcomer) -> Answered:
        channel: WebRtcChannel | None = None

        def left() -> None:
            if channel is not None:
                self._channels.discard(channel)
            newcomer.gone()

        try:
            offer = read_offer(sdp)
        except BaseException:
            left()
            raise
        channel = WebRtcChannel(self._around, self._new_call_id(), newcomer, left)
        self._channels.add(channel)
        try:
            return await self._answer(channel, offer)
        except BaseException:
            channel.abandon()
            raise

    async def renew(self, session: str, sdp: str) -> Answered:
        channel = self._find(session)
        offer = read_offer(sdp)
        peer = channel.peer_now or channel.coming
        if peer is None or offer.fingerprints != peer.offer.fingerprints:
            return await self._answer(channel, offer)
        if offer.ufrag != peer.offer.ufrag:
            answer = await peer.restart(offer)
        else:
            answer = peer.repeat(offer)
        return Answered(channel.call_id, session, answer, peer.tag)

    async def trickle(self, session: str, fragment: str, tag: str = "") -> tuple[str, str]:
        channel = self._find(session)
        found = read_fragment(fragment)
        for candidate in found.candidates:
            check_candidate(candidate)
        peer = channel.coming or channel.peer_now
        if peer is None:
            raise NotFoundError("this session has no connection")
        if bool(found.password) != bool(found.ufrag):
            raise WireError("an ICE name comes with its password")
        if tag not in ("", peer.tag):
            raise ConflictError("this is not the ICE session that there is now")
        ours = await peer.trickle(found)
        return (write_fragment(ours, peer.mids) if ours is not None else ""), peer.tag

    async def leave(self, session: str) -> None:
        channel = self._find(session)
        if channel.begun:
            channel.hang_up(EndReason.CALLER_HUNG_UP)
        else:
            channel.abandon()

    async def close(self) -> None:
        """End what has not begun, and wait until nothing is left; calls are the house's to end."""
        for channel in tuple(self._channels):
            if channel.begun:
                channel.hang_up(EndReason.SERVER_STOPPED)
            else:
                channel.abandon()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _find(self, session: str) -> WebRtcChannel:
        channel = self._sessions.find(session)
        if channel is None or channel.over:
            raise NotFoundError("there is no such session")
        return channel

    async def _answer(self, channel: WebRtcChannel, offer: Offer) -> Answered:
        peer = Peer(channel, self._plan, self._own_certificate(), offer, self._patience_s)
        old, channel.coming = channel.coming, peer
        if old is not None:
            self._spawn(old.close(), "webrtc-close")
        try:
            answer = await peer.answer()
        except BaseException:
            if channel.coming is peer:
                channel.coming = None
                if not channel.begun:
                    channel.abandon()  # nothing else would end it
            raise
        return Answered(channel.call_id, channel.session, answer, peer.tag)

    def _own_certificate(self) -> RTCCertificate:
        """One for all callers of a day."""
        now = asyncio.get_running_loop().time()
        if self._certificate is None or now - self._certificate[0] > CERTIFICATE_S:
            self._certificate = now, RTCCertificate.generateCertificate()
        return self._certificate[1]

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a caller's connection did not end well", exc_info=error)
