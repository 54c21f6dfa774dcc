"""RTP packets, and RTCP reports about them (RFC 3550, RFC 4733), to and from bytes. No SRTP, no sockets.

Header extensions and padding are read over; of RTCP, reports and farewells are understood.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from offhook.foundation.errors import WireError

_HEAD = struct.Struct("!BBHII")
_BLOCK = struct.Struct("!IIIIII")
_SENDER = struct.Struct("!IIIIII")
_VERSION = 0x80
_SR, _RR, _SDES, _BYE = 200, 201, 202, 203
_NTP_EPOCH_S = 2_208_988_800
_DIGITS = "0123456789*#ABCD"
MOST_JITTER = 0xFFFF_FFFF


class RtpPacket(NamedTuple):
    """One packet, without what its header may have besides."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Reception:
    """What a receiver says of one stream: lost since its last report (0–1), and lost in all; jitter in the
    stream's units; `lsr` and `dlsr` tell its sender the round trip, in units of 1/65536 s."""

    ssrc: int
    fraction_lost: float
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int


@dataclass(frozen=True, slots=True)
class Report:
    """A sender's or receiver's report; `ntp` is the middle of the sender's time, 0 in a receiver's."""

    ssrc: int
    ntp: int
    blocks: tuple[Reception, ...]


@dataclass(frozen=True, slots=True)
class Bye:
    """These sources send no more."""

    ssrcs: tuple[int, ...]


def is_rtcp(raw: bytes) -> bool:
    """Whether a packet on a port of both is RTCP (RFC 5761)."""
    return len(raw) > 1 and 192 <= raw[1] <= 223


def read_rtp(raw: bytes) -> RtpPacket:
    """Raises WireError."""
    if len(raw) < 12:
        raise WireError("an RTP packet is shorter than its header")
    first, second, sequence, timestamp, ssrc = _HEAD.unpack_from(raw)
    if first & 0xC0 != _VERSION:
        raise WireError("an RTP packet has another version")
    start, end = 12 + 4 * (first & 15), len(raw)
    if first & 0x10:
        if end < start + 4:
            raise WireError("an RTP packet ends within its header")
        start += 4 + 4 * int.from_bytes(raw[start + 2 : start + 4], "big")
    if first & 0x20 and end > start:
        end -= raw[-1]
    if end < start:
        raise WireError("an RTP packet ends within its header")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, raw[start:end])


def write_rtp(packet: RtpPacket, marker: bool = False) -> bytes:
    second = packet.payload_type | (0x80 if marker else 0)
    return _HEAD.pack(_VERSION, second, packet.sequence, packet.timestamp, packet.ssrc) + packet.payload


def read_rtcp(raw: bytes) -> list[Report | Bye]:
    """The reports and farewells of a compound packet. Raises WireError."""
    found: list[Report | Bye] = []
    at = 0
    while at < len(raw):
        if len(raw) < at + 4 or raw[at] & 0xC0 != _VERSION:
            raise WireError("an RTCP packet has no header")
        count, kind = raw[at] & 31, raw[at + 1]
        end = at + 4 + 4 * int.from_bytes(raw[at + 2 : at + 4], "big")
        if end > len(raw):
            raise WireError("an RTCP packet is shorter than it says")
        body = raw[at + 4 : end]
        if kind in (_SR, _RR):
            found.append(_report(body, count, kind))
        elif kind == _BYE:
            if len(body) < 4 * count:
                raise WireError("an RTCP farewell is shorter than it says")
            found.append(Bye(struct.unpack_from(f"!{count}I", body)))
        at = end
    return found


def _report(body: bytes, count: int, kind: int) -> Report:
    head = _SENDER.size if kind == _SR else 4
    if len(body) < head + _BLOCK.size * count:
        raise WireError("an RTCP report is shorter than it says")
    ntp = 0
    if kind == _SR:
        _, seconds, fraction, *_ = _SENDER.unpack_from(body)
        ntp = (seconds & 0xFFFF) << 16 | fraction >> 16
    ssrc = int.from_bytes(body[:4], "big")
    return Report(ssrc, ntp, tuple(_reception(body, head + _BLOCK.size * each) for each in range(count)))


def _reception(body: bytes, at: int) -> Reception:
    ssrc, loss, highest, jitter, lsr, dlsr = _BLOCK.unpack_from(body, at)
    lost = loss & 0xFF_FFFF
    return Reception(
        ssrc, (loss >> 24) / 256, lost - (1 << 24) if lost >> 23 else lost, highest, jitter, lsr, dlsr
    )


def write_report(
    ssrc: int,
    cname: str,
    block: Reception | None,
    sent: tuple[float, int, int, int] | None = None,
) -> bytes:
    """A compound packet: a report with one stream's reception, and who we are. With `sent` a sender's report:
    the wall time in seconds since 1970, the stream's timestamp then, packets and bytes sent so far."""
    blocks = b"" if block is None else _block(block)
    if sent is None:
        body, kind = struct.pack("!I", ssrc) + blocks, _RR
    else:
        wall, timestamp, packets, size = sent
        seconds, fraction = ntp_time(wall)
        counts = (timestamp, packets & MOST_JITTER, size & MOST_JITTER)
        body, kind = _SENDER.pack(ssrc, seconds, fraction, *counts) + blocks, _SR
    name = cname.encode()[:255]
    item = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    item += bytes(-len(item) % 4)
    return _packed(kind, 1 if blocks else 0, body) + _packed(_SDES, 1, item)


def _block(block: Reception) -> bytes:
    lost = min(max(block.lost, -(1 << 23)), (1 << 23) - 1) & 0xFF_FFFF
    loss = min(255, int(block.fraction_lost * 256)) << 24 | lost
    jitter = min(block.jitter, MOST_JITTER)
    return _BLOCK.pack(block.ssrc, loss, block.highest, jitter, block.lsr, block.dlsr)


def _packed(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", _VERSION | count, kind, len(body) // 4) + body


def ntp_time(wall: float) -> tuple[int, int]:
    """Seconds since 1970 as NTP's seconds and fraction."""
    seconds = int(wall)
    return (seconds + _NTP_EPOCH_S) & 0xFFFF_FFFF, int((wall - seconds) * (1 << 32)) & 0xFFFF_FFFF


def read_digit(payload: bytes) -> tuple[str, bool]:
    """A telephone event's digit (none for other events), and whether it has ended. Raises WireError."""
    if len(payload) < 4:
        raise WireError("a telephone event is shorter than four bytes")
    event = payload[0]
    return (_DIGITS[event] if event < len(_DIGITS) else ""), bool(payload[1] & 0x80)


class ReceptionCount:
    """Counts one incoming stream for reports (RFC 3550, A.3 and A.8). `clock` is the stream's rate in Hz."""

    def __init__(self, clock: int) -> None:
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._ssrc = 0
        self._base = self._highest = -1
        self._received = 0
        self._before = (0, 0)
        self._transit: float | None = None
        self._jitter = 0.0
        self._heard: tuple[int, float] | None = None

    def add(self, packet: RtpPacket, now: float, *, paced: bool = True) -> None:
        """A packet that came at `now` (s); `paced`: its timestamp says when it left."""
        if packet.ssrc != self._ssrc or self._base < 0:
            self._begin()
            self._ssrc, self._base, self._highest = packet.ssrc, packet.sequence, packet.sequence
        self._received += 1
        ahead = (packet.sequence - self._highest + 0x8000 & 0xFFFF) - 0x8000
        if ahead > 0:
            self._highest += ahead
        if not paced:
            return
        transit = now * self._clock - packet.timestamp
        if self._transit is not None:
            jump = abs(transit - self._transit)
            if jump < self._clock:  # more than a second is a new timeline, no jitter
                self._jitter += (jump - self._jitter) / 16
        self._transit = transit

    def heard(self, report: Report, now: float) -> None:
        """A sender's report came."""
        if report.ntp:
            self._heard = (report.ntp, now)

    def block(self, now: float) -> Reception | None:
        """What to report now, since the last time; None before anything came."""
        if self._base < 0:
            return None
        expected = self._highest - self._base + 1
        more, came = expected - self._before[0], self._received - self._before[1]
        self._before = (expected, self._received)
        fraction = max(0.0, (more - came) / more) if more > 0 else 0.0
        lsr, dlsr = 0, 0
        if self._heard is not None:
            lsr, dlsr = self._heard[0], min(MOST_JITTER, int((now - self._heard[1]) * 65536))
        lost, highest = expected - self._received, self._highest & 0xFFFF_FFFF
        return Reception(self._ssrc, fraction, lost, highest, int(self._jitter), lsr, dlsr)


def round_trip_s(block: Reception, wall: float) -> float | None:
    """The round trip that a report about our stream tells, at the wall time that it came; None for none."""
    if not block.lsr:
        return None
    seconds, fraction = ntp_time(wall)
    now = (seconds & 0xFFFF) << 16 | fraction >> 16
    trip = (now - block.lsr - block.dlsr & 0xFFFF_FFFF) / 65536
    return trip if trip < 60 else None
