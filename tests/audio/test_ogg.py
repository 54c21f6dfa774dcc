import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.ogg import OggReader
from offhook.foundation.errors import WireError


def page(body_sizes, body, flags=0, granule=0):
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 1, 0, 0, len(body_sizes))
    return head + bytes(body_sizes) + body


def test_packets_across_pages():
    big = bytes(range(256)) * 3
    stream = page([3], b"abc", flags=2) + page([255, 255], big[:510], granule=-1)
    stream += page([255, 3, 2], big[510:] + b"xy", flags=1 | 4, granule=77)
    got = OggReader().feed(stream)
    assert [packet.data for packet in got] == [b"abc", big, b"xy"]
    assert [packet.granule for packet in got] == [0, -1, 77]
    assert [(packet.first, packet.last) for packet in got] == [(True, False), (False, False), (False, True)]


def test_a_packet_whose_rest_never_comes_is_dropped():
    stream = page([255], bytes(255)) + page([2], b"ok")
    assert [packet.data for packet in OggReader().feed(stream)] == [b"ok"]


@given(st.lists(st.integers(0, 120), max_size=10))
def test_cut_anywhere(places):
    stream = page([3], b"abc") + page([20, 30], bytes(50)) + page([], b"")
    reader = OggReader()
    ends = [*sorted(min(place, len(stream)) for place in places), len(stream)]
    got, start = [], 0
    for end in ends:
        got += reader.feed(stream[start:end])
        start = end
    assert [len(packet.data) for packet in got] == [3, 20, 30]


def test_garbage_and_endless_packets_are_refused():
    with pytest.raises(WireError, match="no page"):
        OggReader().feed(page([3], b"abc") + b"Ogg?")
    reader = OggReader()
    endless = page([255] * 255, bytes(255 * 255), flags=1)
    with pytest.raises(WireError, match="too long"):
        reader.feed(endless * 20)
