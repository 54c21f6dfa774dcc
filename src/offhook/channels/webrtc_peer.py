"""One WebRTC connection of a caller: ICE, DTLS, sound and data, from an offer to its end. Knows no call.

A call may have several in turn (a client that begins anew), and one may change its way (an ICE restart).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from aiortc.rtcdatachannel import RTCDataChannel
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities

from offhook.channels.bounds import TokenBucket
from offhook.channels.webrtc_ice import IceConnection, IcePlan
from offhook.channels.webrtc_sdp import MESSAGE_BYTES, Offer, Side, write_answer
from offhook.channels.webrtc_transport import Dtls, Link, Sctp
from offhook.foundation.errors import NotFoundError, OffhookError, WireError
from offhook.protocols.rtp import Bye, Report, RtpPacket, is_rtcp, read_rtcp, read_rtp, write_report
from offhook.protocols.trickle import Fragment

LABEL = "offhook"
PACKET_RATE, PACKET_BURST = 250.0, 500.0
MOST_TRICKLED = 64
CLOSE_S = 2.0
_log = logging.getLogger(__name__)


class Caller(Protocol):
    """Whom a connection tells."""

    def up(self, peer: Peer) -> None:
        """Sound may go both ways."""

    def down(self, peer: Peer, why: str) -> None:
        """It will not come up, or the other side closed it (`why` is empty then). Told once."""

    def sound(self, packet: RtpPacket) -> None: ...

    def report(self, report: Report) -> None: ...

    def opened(self, peer: Peer) -> None:
        """The data channel is there."""

    def said(self, message: str | bytes) -> None:
        """A message of the data channel."""

    def drained(self, peer: Peer) -> None:
        """What was queued for the data channel has left."""


class Peer:
    """`received` counts what can only have come from the peer itself."""

    def __init__(
        self, caller: Caller, plan: IcePlan, certificate: RTCCertificate, offer: Offer, patience_s: float
    ) -> None:
        self._caller = caller
        self._plan = plan
        self._certificate = certificate
        self._patience_s = patience_s
        self._bucket = TokenBucket(PACKET_RATE, PACKET_BURST)
        self._loop = asyncio.get_running_loop()
        self._link = Link()
        self._dtls = Dtls(self._link, certificate, active=offer.setup == "active")
        self._sctp: Sctp | None = None
        self._channel: RTCDataChannel | None = None
        self._ice: IceConnection | None = None
        self._next: IceConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._candidates: tuple[str, ...] = ()
        self._trickled = 0
        self._version = 0
        self._closed = False
        self.offer = offer
        self.ssrc = secrets.randbits(32)
        self.is_up = False
        self.received = 0

    # Signalling.

    async def answer(self) -> str:
        """Our answer, and from now on the connection is being made. Raises LimitError."""
        self._ice = await self._gather(self.offer)
        text = self._written(self.offer, self._ice)
        self._spawn(self._connect(self._ice), "connect")
        return text

    async def restart(self, offer: Offer) -> str:
        """The answer to an offer to go on by another way; the old one is used until the new one stands."""
        ice = await self._gather(offer)
        self.offer = offer
        await self._change(ice)
        return self._written(offer, ice)

    def repeat(self, offer: Offer) -> str:
        """The answer to an offer that changes neither certificate nor way."""
        ice = self._next or self._ice
        if ice is None:
            raise WireError("the first offer is still being answered")
        self.offer = offer
        return self._written(offer, ice)

    async def trickle(self, fragment: Fragment) -> Fragment | None:
        """Candidates of the client. With another ICE name it is a restart: our side of it is returned."""
        current = self._next or self._ice
        known = fragment.ufrag in ("", current.remote_username if current is not None else "")
        self._trickled = (self._trickled if known else 0) + len(fragment.candidates)
        if self._trickled > MOST_TRICKLED:
            raise WireError("too many candidates")
        if known:
            if current is not None:
                await current.take(fragment.candidates)
            return None
        ice = await self._gather(self.offer, fragment)
        await self._change(ice)
        return Fragment(ice.local_username, ice.local_password, self._candidates, ended=True)

    @property
    def tag(self) -> str:
        """The name of the ICE session that is the newest: our side's."""
        newest = self._next or self._ice
        return newest.local_username if newest is not None else ""

    @property
    def mids(self) -> list[str]:
        """Of the media that were taken, the sound's first."""
        offer = self.offer
        return [offer.media[place].mid for place in (offer.audio, offer.data) if place >= 0]

    async def _gather(self, offer: Offer, fragment: Fragment | None = None) -> IceConnection:
        ice = IceConnection(self._plan, offer.lite, self._media, self._link.take, self._prove)
        try:
            self._candidates = tuple(await ice.gather())
            ice.remote_is_lite = offer.lite
            ice.remote_username = fragment.ufrag if fragment is not None else offer.ufrag
            ice.remote_password = fragment.password if fragment is not None else offer.password
            await ice.take(fragment.candidates if fragment is not None else offer.candidates)
            if self._closed:
                raise NotFoundError("this connection is over")
        except BaseException:
            await ice.close()
            raise
        return ice

    def _written(self, offer: Offer, ice: IceConnection) -> str:
        self._version += 1
        prints = [(each.algorithm, each.value) for each in self._certificate.getFingerprints()[:1]]
        name, password = ice.local_username, ice.local_password
        return write_answer(offer, Side(name, password, self._candidates, prints, self.ssrc, self._version))

    # Coming up, and changing the way.

    async def _connect(self, ice: IceConnection) -> None:
        why = "the connection could not be made in time"
        try:
            async with asyncio.timeout(self._patience_s):
                await self._first_way(ice)
                why = "the encryption could not be agreed on in time"
                await self._dtls.start(self._parameters())
        except (ConnectionError, TimeoutError):
            self._fail(why)
            return
        if self._dtls.state != "connected":
            self._fail("the encryption could not be agreed on")
            return
        self._dtls.on("statechange", self._changed)
        self.is_up = True
        self._caller.up(self)
        if self.offer.data >= 0 and not self._closed:
            await self._open_data()

    async def _first_way(self, ice: IceConnection) -> None:
        """Until there is a way: the offer's, or that of a restart that was faster. Raises ConnectionError."""
        try:
            await ice.connect()
        except ConnectionError:
            if self._ice is ice:
                raise
        if self._ice is ice:
            self._link.use(ice)

    def _parameters(self) -> RTCDtlsParameters:
        prints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in self.offer.fingerprints]
        return RTCDtlsParameters(prints)

    async def _change(self, ice: IceConnection) -> None:
        old, self._next = self._next, ice
        if old is not None:
            await old.close()  # its attempt ends
        self._spawn(self._move(ice), "restart")

    async def _move(self, ice: IceConnection) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await ice.connect()
        except (ConnectionError, TimeoutError):
            if self._next is ice:
                self._next = None
            await ice.close()
            return
        if self._next is not ice:  # another restart was begun at this very moment
            await ice.close()
            return
        old, self._ice, self._next = self._ice, ice, None
        self._link.use(ice)
        self._prove()
        if old is not None:
            await old.close()

    def _changed(self) -> None:
        if self._dtls.state == "closed":
            self._fail("")

    def _fail(self, why: str) -> None:
        if not self._closed:
            self._closed = True
            self._caller.down(self, why)

    def _prove(self) -> None:
        self.received += 1

    # Sound.

    def _media(self, data: bytes) -> None:
        """An SRTP or SRTCP packet, as it comes from a socket."""
        now = self._loop.time()
        if self._closed or not self._bucket.take(now):
            return
        rtcp = is_rtcp(data)
        plain = self._dtls.unlock(data, rtcp)
        if plain is None:
            return
        self.received += 1
        try:
            if not rtcp:
                self._caller.sound(read_rtp(plain))
                return
            for each in read_rtcp(plain):
                if isinstance(each, Report):
                    self._caller.report(each)
                elif isinstance(each, Bye):
                    continue  # of one stream; the call ends by other words
        except WireError:
            return  # encrypted by the peer and malformed all the same: nothing of it is used

    def send(self, packet: bytes) -> None:
        """An RTP packet."""
        locked = self._dtls.lock(packet, rtcp=False)
        if locked is not None:
            self._link.send_now(locked)

    def send_report(self, report: bytes) -> None:
        """An RTCP packet."""
        locked = self._dtls.lock(report, rtcp=True)
        if locked is not None:
            self._link.send_now(locked)

    # Data.

    async def _open_data(self) -> None:
        sctp = self._sctp = Sctp(self._dtls, self._fail)
        sctp.on("datachannel", self._announced)
        most = min(self.offer.message_bytes, MESSAGE_BYTES)
        await sctp.start(RTCSctpCapabilities(most), self.offer.sctp_port)

    def _announced(self, channel: RTCDataChannel) -> None:
        if channel.label != LABEL or self._channel is not None:
            channel.close()
            return
        self._channel = channel
        channel.bufferedAmountLowThreshold = MESSAGE_BYTES // 4
        channel.on("message", self._heard)
        channel.on("bufferedamountlow", lambda: self._caller.drained(self))
        self._caller.opened(self)

    def _heard(self, message: str | bytes) -> None:
        if self._closed:
            return
        try:
            self._caller.said(message)
        except Exception:
            _log.exception("a caller's message failed")
            self._fail("something went wrong on our side")

    def tell(self, message: bytes) -> None:
        """A text message; nothing while there is no data channel."""
        channel = self._channel
        if channel is not None and channel.readyState == "open":
            channel.send(message.decode())

    @property
    def buffered(self) -> int:
        """Bytes of messages that have not left."""
        return self._channel.bufferedAmount if self._channel is not None else 0

    @property
    def flooded(self) -> bool:
        return self._link.flooded

    # The end.

    async def close(self) -> None:
        """Close all of it; what does not close in time is left behind."""
        self._closed = True
        self.is_up = False
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._close()
        except TimeoutError:
            _log.warning("a caller's connection did not close in time")

    async def _close(self) -> None:
        own = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not own]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._dtls.remove_all_listeners()
        if self._sctp is not None:
            await self._sctp.stop()
        await self._dtls.stop()
        self._link.close()
        for ice in (self._ice, self._next):
            if ice is not None:
                await ice.close()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = self._loop.create_task(work, name=f"webrtc-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if not isinstance(error, OffhookError):
                _log.error("a caller's connection failed", exc_info=error)
            self._fail("something went wrong on our side")


def written_report(
    peer: Peer, block: Any, sent: tuple[int, int, int], name: str, wall: Callable[[], float] = time.time
) -> bytes:
    """Our report to the peer: what came of its stream, and where ours is (timestamp, packets, bytes)."""
    return write_report(peer.ssrc, name, block, (wall(), *sent))
