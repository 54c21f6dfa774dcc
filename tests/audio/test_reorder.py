"""Packets in order: what waits, what is lost, what wraps, what begins anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.reorder import PacketOrder, Slot


def push(order: PacketOrder, *sequences: int) -> list[tuple[int, bool]]:
    found: list[Slot] = []
    for sequence in sequences:
        found += order.push(sequence & 0xFFFF, sequence, b"")
    return [(slot.timestamp, slot.after_loss) for slot in found]


def test_a_packet_in_its_turn_waits_for_nothing() -> None:
    assert push(PacketOrder(), 65_534, 65_535, 65_536) == [(65_534, False), (65_535, False), (65_536, False)]


def test_what_overtakes_waits_for_its_turn() -> None:
    order = PacketOrder()
    assert push(order, 1, 3) == [(1, False)]
    assert push(order, 2) == [(2, False), (3, False)]
    assert push(order, 6, 5, 4) == [(4, False), (5, False), (6, False)]
    assert order.counts == {"late": 0, "reordered": 3, "lost": 0, "restarts": 0}


def test_what_does_not_come_is_lost_once_three_wait() -> None:
    order = PacketOrder()
    assert push(order, 65_533, 65_537, 65_538) == [(65_533, False)]
    assert push(order, 65_539) == [(65_537, True), (65_538, False), (65_539, False)]
    assert push(order, 65_540, 65_535) == [(65_540, False)]
    assert order.counts == {"late": 1, "reordered": 0, "lost": 3, "restarts": 0}


def test_a_second_gap_is_waited_for_anew() -> None:
    order = PacketOrder()
    assert push(order, 1, 3, 5, 6) == [(1, False), (3, True)]
    assert push(order, 4) == [(4, False), (5, False), (6, False)]


def test_duplicates_are_late() -> None:
    order = PacketOrder()
    assert push(order, 1, 1, 3, 3) == [(1, False)]
    assert order.counts["late"] == 2


def test_a_pause_gives_what_waits() -> None:
    order = PacketOrder()
    push(order, 1, 3)
    assert order.flush() == [Slot(3, b"", True)]
    assert order.flush() == []


def test_a_leap_begins_anew() -> None:
    order = PacketOrder()
    push(order, 1, 3)
    assert push(order, 5_000) == [(3, True), (5_000, True)]
    assert push(order, 10, 11) == [(10, True), (11, False)]
    assert order.counts["restarts"] == 2


@given(st.permutations(range(12)), st.integers(0, 65_535), st.sets(st.integers(1, 11), max_size=4))
def test_whatever_the_order_nothing_is_given_twice_or_backwards(
    places: list[int], base: int, lost: set[int]
) -> None:
    order = PacketOrder()
    found = [
        slot for each in places if each not in lost for slot in order.push(base + each & 0xFFFF, each, b"")
    ]
    times = [slot.timestamp for slot in found + order.flush()]
    assert times == sorted(set(times))
