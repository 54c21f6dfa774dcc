"""The breaker: open after three failures in a row, at once for a refused key, half-open after a probe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.foundation.errors import BusyError, DeniedError, ProviderError, UnfitError
from offhook.speech.breaker import COOL_S, LAST_CHANCE_S, TRIAL_S, UNFIT_S, Breaker, State

FAULT = ProviderError("x", "cannot be reached")


def opened() -> Breaker:
    breaker = Breaker()
    for _ in range(3):
        breaker.failed(FAULT, 0.0)
    return breaker


def test_three_failures_in_a_row_open_it() -> None:
    breaker = Breaker()
    assert breaker.state is State.UP
    for _ in range(2):
        breaker.failed(FAULT, 0.0)
    assert (breaker.state, breaker.allows(0.0), breaker.wants_probe) == (State.FAILING, True, False)
    breaker.failed(FAULT, 0.0)
    assert (breaker.state, breaker.allows(1e9), breaker.wants_probe) == (State.DOWN, False, True)
    assert (breaker.failures, breaker.reason) == (3, "x: cannot be reached")


def test_a_success_in_between_begins_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(5):
        breaker.failed(FAULT, 0.0)
        breaker.failed(BusyError("x", "answered with HTTP 500"), 0.0)
        breaker.worked()
    assert (breaker.state, breaker.reason, breaker.failures) == (State.UP, "", 10)


def test_a_refused_key_opens_it_at_once() -> None:
    breaker = Breaker()
    breaker.failed(DeniedError("x"), 0.0)
    assert (breaker.state, breaker.allows(0.0), breaker.wants_probe) == (State.REFUSED, False, True)
    assert not breaker.last_chance(1e9)
    breaker.probed(DeniedError("x"))
    assert breaker.state is State.REFUSED
    breaker.probed(FAULT)
    assert breaker.state is State.DOWN
    breaker.probed(None)
    assert breaker.state is State.TRYING


def test_after_a_probe_one_request_at_a_time_tries_it() -> None:
    breaker = opened()
    breaker.probed(FAULT)
    assert (breaker.state, breaker.allows(10.0)) == (State.DOWN, False)
    breaker.probed(None)
    assert (breaker.state, breaker.allows(10.0), breaker.wants_probe) == (State.TRYING, True, False)
    breaker.asked(10.0)
    assert not breaker.allows(10.0)
    assert breaker.allows(10.0 + TRIAL_S)  # the one who tried hung up
    breaker.worked()
    assert (breaker.state, breaker.allows(10.0)) == (State.UP, True)


@pytest.mark.parametrize("error", [FAULT, DeniedError("x")])
def test_a_trial_that_fails_opens_it_again_at_once(error: ProviderError) -> None:
    breaker = opened()
    breaker.probed(None)
    breaker.asked(10.0)
    breaker.failed(error, 10.5)
    assert not breaker.allows(1e9)
    assert breaker.wants_probe


def test_one_that_just_failed_cools_unless_another_request_succeeds() -> None:
    breaker = Breaker()
    breaker.failed(FAULT, 10.0)
    assert breaker.cooling(10.0 + COOL_S - 0.1)
    assert not breaker.cooling(10.0 + COOL_S)
    breaker.failed(FAULT, 20.0)
    breaker.worked()
    assert not breaker.cooling(20.0)


def test_the_last_one_left_has_a_chance_now_and_then() -> None:
    breaker = opened()
    breaker.asked(10.0)
    assert not breaker.last_chance(10.0 + LAST_CHANCE_S - 0.1)
    assert breaker.last_chance(10.0 + LAST_CHANCE_S)
    assert not Breaker().last_chance(0.0)  # it needs none


def test_what_it_is_not_fit_for_opens_nothing_and_is_not_asked_of_it() -> None:
    breaker = Breaker()
    for _ in range(3):
        assert breaker.suits("ar", 0.0)
        breaker.failed(UnfitError("x", "speaks English only"), 0.0, "ar")
    assert breaker.allows(0.0)
    assert not breaker.suits("ar", UNFIT_S - 1)
    assert breaker.suits("ar", UNFIT_S)
    assert breaker.suits("en", 0.0)
    breaker.worked("en")
    assert (breaker.state, breaker.reason) == (State.FAILING, "x: speaks English only")
    breaker.worked("ar")
    assert (breaker.state, breaker.reason) == (State.UP, "")


def test_a_probe_of_one_that_recovered_by_itself_changes_nothing() -> None:
    breaker = opened()
    breaker.worked()
    breaker.probed(FAULT)
    assert (breaker.state, breaker.reason) == (State.UP, "")


Step = tuple[str, float]
STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "work", "fail", "deny", "unfit", "well", "ill"]), st.floats(0, 5)),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_it_can_be_asked_again(steps: list[Step]) -> None:
    """No order of events locks a provider out for good, and an open one is never simply asked."""
    breaker, now = Breaker(), 0.0
    for step, seconds in steps:
        now += seconds
        match step:
            case "ask":
                if breaker.allows(now):
                    assert breaker.state not in (State.DOWN, State.REFUSED)
                    breaker.asked(now)
            case "work":
                breaker.worked()
                assert breaker.allows(now)
            case "fail":
                breaker.failed(FAULT, now)
            case "deny":
                breaker.failed(DeniedError("x"), now)
                assert not breaker.allows(now)
            case "unfit":
                breaker.failed(UnfitError("x", "no"), now)
            case "well":
                breaker.probed(None)
            case "ill":
                breaker.probed(FAULT)
        assert breaker.allows(now + TRIAL_S) or breaker.wants_probe
    breaker.probed(None)
    assert breaker.allows(now + TRIAL_S)
