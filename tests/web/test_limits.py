"""Throttles, occupancy, single-use tokens: what they let through, and that they stay small."""

from __future__ import annotations

import stat
from pathlib import Path

import jwt
import pytest

from offhook.channels.base import Arrival
from offhook.foundation.clock import ManualClock
from offhook.foundation.errors import LimitError, RefusedError, SettingsError
from offhook.web.call_tokens import AUDIENCE, CallTokens, UsedIds, load_secret
from offhook.web.throttle import Occupancy, Throttle, neighbourhood
from offhook.web.tokens import TokenLedger
from offhook.web.transfers import TransferBook

KEY = bytes(range(64))


def test_a_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    clock = ManualClock()
    throttle = Throttle(clock, rate=2, burst=3)
    assert [throttle.allow("10.0.0.1") for _ in range(4)] == [True, True, True, False]
    assert throttle.exhausted("10.0.0.1")
    assert throttle.allow("10.0.0.2")
    clock.advance(0.5)
    assert not throttle.exhausted("10.0.0.1")
    assert [throttle.allow("10.0.0.1") for _ in range(2)] == [True, False]
    clock.advance(100)
    assert [throttle.allow("10.0.0.1") for _ in range(4)] == [True, True, True, False]


def test_a_throttle_remembers_so_many_addresses_and_no_more() -> None:
    throttle = Throttle(ManualClock(), rate=1, burst=1, size=100)
    for number in range(1000):
        assert throttle.allow(f"10.0.{number // 250}.{number % 250}")
    assert len(throttle) == 100


def test_neighbours_in_one_ipv6_network_share() -> None:
    assert (
        neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:2") != neighbourhood("2001:db8:0:1::1")
    )
    assert neighbourhood("::ffff:10.0.0.1") == "10.0.0.1"
    assert neighbourhood("no address") == "no address"


def test_occupancy_counts_up_and_down() -> None:
    held = Occupancy(2)
    assert [held.enter("10.0.0.1") for _ in range(3)] == [True, True, False]
    held.leave("10.0.0.1")
    assert held.enter("10.0.0.1")
    for _ in range(2):
        held.leave("10.0.0.1")
    held.leave("10.0.0.1")
    assert len(held) == 0


def test_a_token_is_redeemed_once_within_its_life() -> None:
    clock = ManualClock()
    ledger = TokenLedger(clock, life=30)
    arrival = Arrival(vendor_id="CA1", agent="default")
    token = ledger.mint(arrival)
    assert len(token) == 43
    with pytest.raises(RefusedError):
        ledger.redeem(token, "CA2")  # of another call: refused, and not used up
    assert ledger.redeem(token, "CA1") == arrival
    for secret in (token, "", "x" * 10_000, "\ud800"):
        with pytest.raises(RefusedError):
            ledger.redeem(secret)
    late = ledger.mint(Arrival(vendor_id="CA3"))
    clock.advance(30)
    with pytest.raises(RefusedError):
        ledger.redeem(late)


def test_a_call_announced_twice_gets_one_token() -> None:
    clock = ManualClock()
    ledger = TokenLedger(clock)
    first = ledger.mint(Arrival(vendor_id="CA1"))
    assert ledger.mint(Arrival(vendor_id="CA1")) == first
    ledger.redeem(first)
    clock.advance(20)
    assert ledger.mint(Arrival(vendor_id="CA1")) == first, "a late duplicate opens no second socket"
    other = ledger.mint(Arrival(vendor_id="CA2"))
    clock.advance(31)
    assert ledger.mint(Arrival(vendor_id="CA2")) != other
    assert ledger.mint(Arrival()) != ledger.mint(Arrival())


def test_the_ledger_is_bounded_and_sweeps() -> None:
    clock = ManualClock()
    ledger = TokenLedger(clock, life=30, size=100)
    for number in range(100):
        ledger.mint(Arrival(vendor_id=f"CA{number}"))
    with pytest.raises(LimitError):
        ledger.mint(Arrival())
    clock.advance(31)
    ledger.mint(Arrival())
    assert len(ledger) == 1


def test_redeemed_tokens_make_room_when_there_is_none() -> None:
    clock = ManualClock()
    ledger = TokenLedger(clock, life=30, size=10)
    for number in range(10):
        ledger.redeem(ledger.mint(Arrival(vendor_id=f"CA{number}")))
    clock.advance(31)
    ledger.mint(Arrival(vendor_id="new"))
    assert len(ledger) == 1


def test_call_tokens_are_for_one_call() -> None:
    clock = ManualClock()
    used = UsedIds(clock)
    tokens = CallTokens(KEY, clock, used)
    token = tokens.mint("sales")
    assert tokens.redeem(token) == "sales"
    with pytest.raises(RefusedError):
        tokens.redeem(token)
    late = tokens.mint("sales")
    clock.advance(91)
    with pytest.raises(RefusedError):
        tokens.redeem(late)
    assert tokens.redeem(tokens.mint("sales")) == "sales"
    assert len(used) == 1, "expired ids are forgotten"


@pytest.mark.parametrize("mark", range(0, 150, 7))
def test_changed_call_tokens_are_refused(mark: int) -> None:
    tokens = CallTokens(KEY, ManualClock())
    token = tokens.mint("default")
    at = mark % (len(token) - 1)
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    with pytest.raises(RefusedError):
        tokens.redeem(changed)


def test_foreign_call_tokens_are_refused() -> None:
    clock = ManualClock()
    tokens = CallTokens(KEY, clock)
    good = {"aud": AUDIENCE, "exp": clock.wall().timestamp() + 60, "jti": "1", "agent": "a"}
    bad = [
        jwt.encode(good, b"another key of thirty-two bytes!", algorithm="HS256"),
        jwt.encode(good, KEY, algorithm="HS384"),
        jwt.encode(good, None, algorithm="none"),
        jwt.encode({**good, "aud": "other"}, KEY, algorithm="HS256"),
        jwt.encode({**good, "exp": "soon"}, KEY, algorithm="HS256"),
        *(
            jwt.encode({name: value for name, value in good.items() if name != gone}, KEY, algorithm="HS256")
            for gone in good
        ),
        "",
        "a.b.c",
        "\ud800",
    ]
    for token in bad:
        with pytest.raises(RefusedError):
            tokens.redeem(token)
    assert tokens.redeem(jwt.encode(good, KEY, algorithm="HS256")) == "a"


def test_used_call_tokens_are_bounded() -> None:
    clock = ManualClock()
    tokens = CallTokens(KEY, clock, UsedIds(clock, size=3))
    for _ in range(3):
        tokens.redeem(tokens.mint("a"))
    with pytest.raises(LimitError):
        tokens.redeem(tokens.mint("a"))


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "call-token.key"
    secret = load_secret(path)
    assert len(secret) == 32
    assert load_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"short")
    with pytest.raises(SettingsError):
        load_secret(path)


def test_transfers_are_remembered_for_a_while() -> None:
    clock = ManualClock()
    book = TransferBook(clock, life=60, size=2)
    book.ask("CA1", "+1 (555) 0100-200")
    assert book.destination_of("CA1") == "+15550100200"
    assert book.destination_of("CA1") == "+15550100200"
    assert book.destination_of("CA2") == ""
    book.ask("CA2", "sip:desk@pbx.example:5060")
    book.ask("CA3", "200")
    assert len(book) == 2
    assert book.destination_of("CA1") == ""
    clock.advance(61)
    assert book.destination_of("CA3") == ""


@pytest.mark.parametrize(
    "to", ["", "call me", "sip:", "sip:a b@c", "sip:<x>@c", "tel:1", "1" * 16, "+1;ext=2"]
)
def test_transfers_go_nowhere_strange(to: str) -> None:
    with pytest.raises(RefusedError):
        TransferBook(ManualClock()).ask("CA1", to)
