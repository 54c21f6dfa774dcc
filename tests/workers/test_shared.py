"""Tokens, limits and transfers that two workers have in common."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from offhook.channels.base import Arrival
from offhook.foundation.clock import ManualClock
from offhook.foundation.errors import RefusedError
from offhook.foundation.events import Direction
from offhook.web.call_tokens import CallTokens
from offhook.web.commons import Commons
from offhook.workers.board import Board, make_board
from offhook.workers.scrape import merge
from offhook.workers.shared import SharedTransfers, shared_commons

KEY = bytes(range(32))
RINGING = Arrival(Direction.INBOUND, "sales", "+15550100", "+15550199", "CA1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
def pair(clock: ManualClock) -> Iterator[tuple[Commons, Commons]]:
    descriptor = make_board()
    boards = [Board(descriptor) for _ in range(2)]
    yield tuple(
        shared_commons(board, clock, worker, 3, KEY, SharedTransfers(clock, lambda *_: None))
        for worker, board in enumerate(boards)
    )  # type: ignore[misc]
    for board in boards:
        board.close()
    os.close(descriptor)


def test_a_phone_token_of_one_worker_is_redeemed_once_by_any(pair: tuple[Commons, Commons]) -> None:
    first, second = pair
    token = first.ledger.mint(RINGING)
    assert len(token) < 480
    with pytest.raises(RefusedError):
        second.ledger.redeem(token, "CA2")
    assert second.ledger.redeem(token, "CA1") == RINGING
    for ledger in (first.ledger, second.ledger):
        with pytest.raises(RefusedError):
            ledger.redeem(token, "CA1")


def test_a_call_announced_to_two_workers_is_taken_once(pair: tuple[Commons, Commons]) -> None:
    first, second = pair
    tokens = [first.ledger.mint(RINGING), second.ledger.mint(RINGING)]
    assert first.ledger.redeem(tokens[1], "CA1") == RINGING
    for ledger in (first.ledger, second.ledger):
        with pytest.raises(RefusedError):
            ledger.redeem(tokens[0], "CA1")


def test_a_phone_token_is_good_for_thirty_seconds_and_as_it_was_signed(
    pair: tuple[Commons, Commons], clock: ManualClock
) -> None:
    first, second = pair
    token = first.ledger.mint(RINGING)
    for forged in ("", ".", "a.b", token[:-1], "A" + token, token.replace(".", ""), "é" + token):
        with pytest.raises(RefusedError):
            second.ledger.redeem(forged, "CA1")
    clock.advance(30.1)
    with pytest.raises(RefusedError):
        second.ledger.redeem(token, "CA1")


def test_long_addresses_still_fit_a_parameter(pair: tuple[Commons, Commons]) -> None:
    first, second = pair
    long = Arrival(Direction.INBOUND, "a" * 64, "é" * 64, "ü" * 64, "CA" + "0" * 32)
    token = first.ledger.mint(long)
    assert len(token) < 493
    found = second.ledger.redeem(token, long.vendor_id)
    assert (found.agent, found.caller) == (long.agent, "é" * 24)


def test_call_tokens_limits_and_guesses_are_common(pair: tuple[Commons, Commons], clock: ManualClock) -> None:
    first, second = pair
    minting, redeeming = (CallTokens(KEY, clock, each.used) for each in pair)
    token = minting.mint("sales")
    assert redeeming.redeem(token) == "sales"
    with pytest.raises(RefusedError):
        minting.redeem(token)

    entered = [each.open.enter("10.0.0.1") for each in (first, second, first, second)]
    assert entered == [True, True, True, False]
    assert second.open.enter("10.0.0.1", limited=False)
    for each in (first, second, first):
        each.open.leave("10.0.0.1")
    assert first.open.enter("10.0.0.1")

    tries = [each.attempts.allow("2001:db8::1") for each in (first, second) * 4]
    assert tries == [True] * 6 + [False] * 2
    guesses = [each.guesses.allow("10.0.0.1") for each in (first, second) * 6]
    assert guesses == [True] * 10 + [False] * 2


def test_a_transfer_that_one_call_asked_for_is_known_to_all(clock: ManualClock) -> None:
    books: list[SharedTransfers] = []
    books.append(SharedTransfers(clock, lambda *asked: books[1].told(*asked)))
    books.append(SharedTransfers(clock, lambda *asked: books[0].told(*asked)))
    books[0].ask("CA1", "+1 (555) 0100")
    books[1].ask("CA2", "sip:desk@example.com")
    assert [book.destination_of("CA1") for book in books] == ["+15550100"] * 2
    assert [book.destination_of("CA2") for book in books] == ["sip:desk@example.com"] * 2


def test_one_text_for_all_workers() -> None:
    head = "# HELP a_total About.\n# TYPE a_total counter\n"
    own = head + 'a_total{k="v"} 1.0\n# HELP b B.\n# TYPE b gauge\nb 2.0\n'
    other = head + 'a_total{k="v"} 3.0\na_total{k="w"} 4.0\n'
    text = merge({1: other, 0: own}, {0: True, 1: True, 2: False}, {0: 0, 1: 2, 2: 0})
    assert text.splitlines()[:9] == [
        "# HELP a_total About.",
        "# TYPE a_total counter",
        'a_total{worker="0",k="v"} 1.0',
        'a_total{worker="1",k="v"} 3.0',
        'a_total{worker="1",k="w"} 4.0',
        "# HELP b B.",
        "# TYPE b gauge",
        'b{worker="0"} 2.0',
        "# HELP offhook_worker_up Whether a worker answered this scrape.",
    ]
    assert 'offhook_worker_up{worker="2"} 0' in text
    assert 'offhook_worker_restarts_total{worker="1"} 2' in text
