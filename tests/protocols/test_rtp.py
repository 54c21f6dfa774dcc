"""RTP and RTCP to and from bytes, against aiortc's own reading of the same bytes; counts of a stream."""

from __future__ import annotations

import struct

import pytest
from aiortc import rtp as theirs
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import WireError
from offhook.protocols.rtp import (
    Bye,
    Reception,
    ReceptionCount,
    Report,
    RtpPacket,
    is_rtcp,
    ntp_time,
    read_digit,
    read_rtcp,
    read_rtp,
    round_trip_s,
    write_report,
    write_rtp,
)

PACKET = RtpPacket(96, 65_535, 4_000_000_000, 7, b"sound")
BLOCK = Reception(7, 0.25, 3, 70_000, 12, 99, 65_536)


def test_a_packet_is_written_as_others_read_it() -> None:
    raw = write_rtp(PACKET, marker=True)
    found = theirs.RtpPacket.parse(raw)
    assert (found.payload_type, found.sequence_number, found.timestamp, found.ssrc) == PACKET[:4]
    assert found.marker == 1
    assert found.payload == b"sound"
    assert read_rtp(raw) == PACKET
    assert not is_rtcp(raw)


def test_what_a_header_has_besides_is_read_over() -> None:
    extension = b"\xbe\xde\x00\x01\x10\xff\x00\x00"
    raw = struct.pack("!BBHIIII", 0x80 | 0x20 | 0x10 | 2, 96, 1, 2, 3, 11, 12) + extension + b"abc\x00\x02"
    assert read_rtp(raw) == RtpPacket(96, 1, 2, 3, b"abc")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x80" * 11,
        b"\x40" + bytes(11),
        b"\x90" + bytes(11),
        b"\x90" + bytes(13) + b"\x00\xff",
        b"\x8f" + bytes(11),
        b"\xa0" + bytes(11) + b"\x05\x09",
    ],
)
def test_a_packet_that_is_none(raw: bytes) -> None:
    with pytest.raises(WireError):
        read_rtp(raw)


def test_a_packet_may_be_empty() -> None:
    assert read_rtp(b"\xa0" + bytes(11)).payload == b""


@given(st.binary(max_size=80))
def test_whatever_comes_is_read_or_refused(raw: bytes) -> None:
    for read in (read_rtp, read_rtcp, read_digit):
        try:
            read(raw)
        except WireError:
            continue


def test_a_report_is_written_as_others_read_it() -> None:
    raw = write_report(5, "offhook", BLOCK, (1_700_000_000.5, 960, 10, 600))
    assert is_rtcp(raw)
    report, names = theirs.RtcpPacket.parse(raw)
    assert (report.ssrc, report.sender_info.rtp_timestamp, report.sender_info.packet_count) == (5, 960, 10)
    (block,) = report.reports
    assert (block.ssrc, block.fraction_lost, block.packets_lost, block.highest_sequence) == (7, 64, 3, 70_000)
    assert (block.jitter, block.lsr, block.dlsr) == (12, 99, 65_536)
    assert names.chunks[0].items == [(1, b"offhook")]
    seconds, fraction = ntp_time(1_700_000_000.5)
    assert read_rtcp(raw) == [Report(5, (seconds & 0xFFFF) << 16 | fraction >> 16, (BLOCK,))]


def test_a_report_of_one_who_only_listens() -> None:
    (report,) = read_rtcp(write_report(5, "x", Reception(7, 0.0, -2, 1, 0, 0, 0)))
    assert report == Report(5, 0, (Reception(7, 0.0, -2, 1, 0, 0, 0),))
    assert read_rtcp(write_report(5, "x", None)) == [Report(5, 0, ())]


def test_a_farewell() -> None:
    raw = bytes(theirs.RtcpByePacket(sources=[1, 2]))
    assert read_rtcp(raw) == [Bye((1, 2))]


@pytest.mark.parametrize(
    "raw",
    [
        b"\x80\xc9",
        b"\x00\xc9\x00\x00",
        b"\x80\xc9\x00\x09",
        b"\x81\xc9\x00\x01" + bytes(4),
        b"\x82\xcb\x00\x01" + bytes(4),
        b"\x80\xc8\x00\x01" + bytes(4),
    ],
)
def test_a_report_that_is_none(raw: bytes) -> None:
    with pytest.raises(WireError):
        read_rtcp(raw)


def test_digits() -> None:
    assert read_digit(b"\x05\x0a\x00\xa0") == ("5", False)
    assert read_digit(b"\x0b\x8a\x00\xa0") == ("#", True)
    assert read_digit(b"\x10\x00\x00\x00") == ("", False)
    with pytest.raises(WireError):
        read_digit(b"\x05")


def _packet(sequence: int, timestamp: int, ssrc: int = 7) -> RtpPacket:
    return RtpPacket(96, sequence & 0xFFFF, timestamp, ssrc, b"")


def test_what_was_lost_is_counted_between_reports() -> None:
    count = ReceptionCount(48_000)
    assert count.block(0.0) is None
    for at in range(10):
        if at not in (3, 4):
            count.add(_packet(65_530 + at, at * 960), at * 0.02)
    first = count.block(1.0)
    assert first is not None
    assert (first.lost, first.highest, first.jitter) == (2, 65_539, 0)
    assert first.fraction_lost == pytest.approx(0.2)
    count.add(_packet(65_540, 10 * 960), 0.2)
    again = count.block(1.0)
    assert again is not None
    assert (again.fraction_lost, again.lost) == (0.0, 2)
    count.add(_packet(65_533, 3 * 960), 0.21)  # late, and nothing new
    late = count.block(1.0)
    assert late is not None
    assert (late.fraction_lost, late.lost) == (0.0, 1)


def test_jitter_is_of_arrival_and_not_of_a_new_timeline() -> None:
    count = ReceptionCount(48_000)
    count.add(_packet(1, 0), 0.0)
    count.add(_packet(2, 960), 0.03)
    count.add(_packet(3, 96_000_000), 0.05)
    count.add(_packet(4, 96_000_000), 0.25, paced=False)  # a key's: it has the time at which it was pressed
    found = count.block(1.0)
    assert found is not None
    assert (found.jitter, found.lost) == (480 // 16, 0)
    count.add(_packet(50, 0, ssrc=8), 0.1)
    found = count.block(1.0)
    assert found is not None
    assert (found.ssrc, found.jitter, found.highest) == (8, 0, 50)


def test_the_round_trip_goes_by_the_other_sides_clock() -> None:
    count = ReceptionCount(48_000)
    count.add(_packet(1, 0), 0.0)
    count.heard(Report(7, 0, ()), 1.0)
    silent = count.block(2.0)
    assert silent is not None
    assert round_trip_s(silent, 100.0) is None
    wall = 1_700_000_000.0
    (report,) = read_rtcp(write_report(7, "x", None, (wall, 0, 0, 0)))
    assert isinstance(report, Report)
    count.heard(report, 1.0)
    told = count.block(3.0)
    assert told is not None
    assert round_trip_s(told, wall + 2.125) == pytest.approx(0.125, abs=1e-4)
    assert round_trip_s(told, wall + 1.0) is None  # sooner than it can be: the wrapped rest is no time
