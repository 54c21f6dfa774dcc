import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.pacer import Pacer


def run(pacer, times):
    """Sends whatever is due at each time; the numbers of frames."""
    numbers = []
    for now in times:
        due = pacer.due(now)
        if due:
            pacer.sent(now, due)
        numbers.append(due)
    return numbers


def test_fills_the_lead_then_one_frame_a_tick():
    pacer = Pacer(lead_ms=60)
    assert not pacer.running
    assert run(pacer, [100 + i * 0.02 for i in range(6)]) == [3, 1, 1, 1, 1, 1]
    assert pacer.running
    assert pacer.underruns == 0


def test_a_long_lead_is_filled_by_bursts():
    assert run(Pacer(lead_ms=200), [i * 0.02 for i in range(7)]) == [3, 3, 3, 3, 2, 1, 1]


def test_a_late_tick_is_caught_up_within_the_burst():
    pacer = Pacer(lead_ms=60)
    assert run(pacer, [0, 0.02, 0.075, 0.08, 0.1]) == [3, 1, 2, 1, 1]
    assert pacer.underruns == 0


def test_running_dry_is_an_underrun_and_time_starts_again():
    pacer = Pacer(lead_ms=60)
    assert run(pacer, [0, 0.5, 0.52, 0.54]) == [3, 3, 1, 1]
    assert pacer.underruns == 1
    assert pacer.ahead_ms(0.54) == pytest.approx(60)
    assert pacer.heard_ms(0.54) == pytest.approx(100)


def test_the_end_of_speech_is_no_underrun():
    pacer = Pacer(lead_ms=60)
    run(pacer, [0, 0.02])
    pacer.stop()
    assert pacer.ahead_ms(0.03) == 0
    assert pacer.heard_ms(0.03) == 0
    assert run(pacer, [5.0]) == [3]
    assert pacer.underruns == 0


def test_what_is_ahead_and_what_was_heard():
    pacer = Pacer(lead_ms=60)
    assert pacer.due(0) == 3
    pacer.sent(0, 3)
    assert (pacer.ahead_ms(0), pacer.heard_ms(0)) == (pytest.approx(60), 0)
    assert (pacer.ahead_ms(0.04), pacer.heard_ms(0.04)) == (pytest.approx(20), pytest.approx(40))
    assert (pacer.ahead_ms(9), pacer.heard_ms(9)) == (0, pytest.approx(60))


def test_more_sent_than_the_lead_means_nothing_is_due():
    pacer = Pacer(lead_ms=60)
    pacer.sent(0, 10)
    assert pacer.due(0.1) == 0


@given(st.lists(st.floats(0.001, 0.2), max_size=60), st.integers(20, 300), st.integers(1, 5))
def test_never_beyond_lead_or_burst(steps, lead, burst):
    pacer = Pacer(lead_ms=lead, burst=burst)
    now = 1000.0
    for step in steps:
        now += step
        due = pacer.due(now)
        assert 0 <= due <= burst
        if due:
            pacer.sent(now, due)
        assert pacer.ahead_ms(now) <= lead + 0.01
        assert due == burst or pacer.ahead_ms(now) > lead - 20 - 0.01


@pytest.mark.parametrize("wrong", [{"frame_ms": 0}, {"lead_ms": 10}, {"burst": 0}])
def test_wrong_settings(wrong):
    with pytest.raises(ValueError, match="at least one frame"):
        Pacer(**wrong)
