"""DTLS and SCTP of one WebRTC caller on whatever ICE connection there is now. No SDP, no sound.

aiortc does the work. Ours: the way under DTLS may change (an ICE restart), SRTP is unlocked without a task
per packet, and a peer that breaks SCTP's rules, or its bounds, is told of, not taken for a fault of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.rtcsctptransport import RTCSctpTransport
from OpenSSL.SSL import Error as SslError
from pylibsrtp import Error as SrtpError
from pylibsrtp import Session

from offhook.channels.bounds import Valve
from offhook.channels.webrtc_ice import IceConnection

MOST_WAITING = 128
"""Datagrams for DTLS that wait to be read; more are lost, as datagrams are."""
DATA_RATE, DATA_BURST = 200.0, 400.0
MOST_UNREAD = 262_144
"""Bytes of messages that are not whole yet."""
MOST_GAPS = 1_024
MOST_CHANNELS = 8


class Link:
    """Stands below DTLS for an ICE transport; `use` says by which connection its bytes go. What comes by any
    connection of the call is read."""

    def __init__(self) -> None:
        self._connection: IceConnection | None = None
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        self._valve = Valve(DATA_RATE, DATA_BURST)
        self._now = asyncio.get_running_loop().time
        self.closed = False
        self.lost = 0

    def use(self, connection: IceConnection) -> None:
        self._connection = connection

    def send_now(self, data: bytes) -> None:
        """Send; nothing while there is no way."""
        if self._connection is not None:
            self._connection.send_now(data)

    def take(self, data: bytes) -> None:
        """A datagram for DTLS."""
        if self.closed or self._waiting.full() or not self._valve.admit(self._now()):
            self.lost += 1
        else:
            self._waiting.put_nowait(data)

    @property
    def flooded(self) -> bool:
        """Whether the peer keeps on sending far more than it may."""
        return self._valve.flooding

    def close(self) -> None:
        """Nothing more is read: DTLS ends."""
        if not self.closed:
            self.closed = True
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put_nowait(None)

    # What aiortc asks of an ICE transport.

    role = "controlled"

    async def _recv(self) -> bytes:
        if self.closed and self._waiting.empty():
            raise ConnectionError
        data = await self._waiting.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self.send_now(data)


class Dtls(RTCDtlsTransport):
    """DTLS over a link. `active`: we greet first."""

    def __init__(self, link: Link, certificate: RTCCertificate, active: bool) -> None:
        super().__init__(cast(RTCIceTransport, link), [certificate])
        self._set_role("client" if active else "server")

    async def _send_data(self, data: bytes) -> None:
        """What cannot leave now is lost: SCTP sends it again, or gives up by itself."""
        with suppress(ConnectionError, SslError):
            await super()._send_data(data)

    def unlock(self, data: bytes, rtcp: bool) -> bytes | None:
        """What an SRTP or SRTCP packet holds; None for what the peer did not send, or not now."""
        session: Session | None = self._rx_srtp
        if session is None:
            return None
        try:
            found: bytes = session.unprotect_rtcp(data) if rtcp else session.unprotect(data)
        except SrtpError:
            return None
        return found

    def lock(self, data: bytes, rtcp: bool) -> bytes | None:
        """The SRTP or SRTCP packet of an RTP or RTCP one; None before the handshake is done."""
        session: Session | None = self._tx_srtp
        if session is None:
            return None
        try:
            locked: bytes = session.protect_rtcp(data) if rtcp else session.protect(data)
        except SrtpError:
            return None
        return locked


class Sctp(RTCSctpTransport):
    """Messages. `broken` is told once, in one phrase, when the peer does what it must not."""

    def __init__(self, dtls: Dtls, broken: Callable[[str], None]) -> None:
        super().__init__(dtls)
        self._advertised_rwnd = MOST_UNREAD
        self._broken: Callable[[str], None] | None = broken

    async def _handle_data(self, data: bytes) -> None:
        try:
            await super()._handle_data(data)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:  # the parser trusts its peer: anything may be raised for bytes that are wrong
            self._tell("the data channel's peer breaks its protocol")

    async def _receive_data_chunk(self, chunk: Any) -> None:
        if self._advertised_rwnd <= 0 or len(self._sack_misordered) > MOST_GAPS:
            self._tell("the data channel is flooded")
            return
        await super()._receive_data_chunk(chunk)
        if len(self._data_channels) > MOST_CHANNELS or len(self._inbound_streams) > MOST_CHANNELS:
            self._tell("too many data channels")

    def _tell(self, what: str) -> None:
        broken, self._broken = self._broken, None
        if broken is not None:
            broken(what)
