"""The board that workers share, seen by two of them, and by processes that are killed while they write."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator

import pytest

from offhook.foundation.errors import LimitError
from offhook.workers.board import CLAIMS, PLACES, Board, make_board


@pytest.fixture
def descriptor() -> Iterator[int]:
    made = make_board()
    yield made
    os.close(made)


@pytest.fixture
def boards(descriptor: int) -> Iterator[tuple[Board, Board]]:
    first, second = Board(descriptor), Board(descriptor)
    yield first, second
    first.close()
    second.close()


def test_a_claim_holds_for_all_until_it_expires(boards: tuple[Board, Board]) -> None:
    first, second = boards
    assert first.claim("token", 60, now=100)
    assert not second.claim("token", 60, now=159)
    assert second.claim("other", 60, now=159)
    assert second.claim("token", 60, now=161)
    assert not first.claim("token", 60, now=162)


def test_nine_tenths_of_the_size_are_used_and_none_is_forgotten_when_full(
    boards: tuple[Board, Board],
) -> None:
    first, second = boards
    for at in range(CLAIMS):
        if at % 10:
            first._expires[at] = 1000.0
    claimed = [f"{number}" for number in range(300) if _claimed_if_room(first, f"{number}")]
    assert len(claimed) > 270
    for at in range(CLAIMS):
        first._expires[at] = max(first._expires[at], 100.0)
    with pytest.raises(LimitError):
        second.claim("one more", 60, now=2)
    assert not any(second.claim(name, 60, now=2) for name in claimed)
    assert second.claim("one more", 60, now=1001)


def test_places_are_counted_together_and_freed_with_their_worker(boards: tuple[Board, Board]) -> None:
    first, second = boards
    entered = [
        board.enter("a", worker, 3, now=1) for worker, board in enumerate([first, second, first, second])
    ]
    assert entered == [True, True, True, False]
    first.leave("a", 0)
    assert second.enter("a", 1, 3, now=2)
    assert not first.enter("a", 0, 3, now=2)
    assert first.enter("b", 0, 3, now=2)
    first.report(1, 7, 5)
    assert (first.calls(), first.calls(but=1), first.room(but=0)) == (7, 0, 5)
    first.forget(1)
    assert (first.calls(), first.room()) == (0, 0)
    assert first.enter("a", 0, 3, now=3)


def test_buckets_are_emptied_together_and_fill_again(boards: tuple[Board, Board]) -> None:
    first, second = boards
    allowed = [board.allow("a", 0.5, 3, now=10) for board in (first, second, first, second)]
    assert allowed == [True, True, True, False]
    assert not first.allow("a", 0.5, 3, now=11.9)
    assert second.allow("a", 0.5, 3, now=12.1)
    assert not second.allow("a", 0.5, 3, now=12.1)
    assert first.allow("b", 0.5, 3, now=12.1)


def test_a_held_place_is_never_taken_for_another(boards: tuple[Board, Board]) -> None:
    first, _ = boards
    assert first.enter("held", 0, 1, now=1)
    for number in range(PLACES * 2):
        first.allow(f"{number}", 1, 1, now=2)
    assert not first.enter("held", 0, 1, now=3)
    first.leave("held", 0)
    assert first.enter("held", 0, 1, now=4)


def _claimed_if_room(board: Board, name: str) -> bool:
    try:
        return board.claim(name, 60, now=1)
    except LimitError:
        return False


def _claim_all(descriptor: int, names: int, won: multiprocessing.Queue[int]) -> None:
    board = Board(descriptor)
    won.put(sum(_claimed(board, f"{name}") for name in range(names)))
    board.close()


def _claimed(board: Board, name: str) -> bool:
    while True:
        try:
            return board.claim(name, 600, time.monotonic())
        except LimitError:
            continue


def test_of_processes_that_race_one_wins_each_claim(descriptor: int) -> None:
    fork = multiprocessing.get_context("fork")
    won = fork.Queue()
    racers = [fork.Process(target=_claim_all, args=(descriptor, 2_000, won)) for _ in range(3)]
    for racer in racers:
        racer.start()
    results = [won.get(timeout=20) for _ in racers]
    for racer in racers:
        racer.join(5)
        racer.close()
    won.close()
    won.join_thread()
    assert sum(results) == 2_000


def _hold(descriptor: int, held: multiprocessing.synchronize.Event) -> None:
    board = Board(descriptor)
    with board._alone():
        held.set()
        signal.pause()


def test_who_stays_too_long_costs_others_milliseconds_and_dies_with_the_lock(descriptor: int) -> None:
    fork = multiprocessing.get_context("fork")
    held = fork.Event()
    holder = fork.Process(target=_hold, args=(descriptor, held))
    holder.start()
    board = Board(descriptor)
    assert held.wait(5)
    began = time.monotonic()
    with pytest.raises(LimitError):
        board.claim("a", 60, 1)
    assert time.monotonic() - began < 0.1
    holder.kill()
    holder.join(5)
    holder.close()
    assert board.claim("a", 60, 1)
    board.close()
