"""The caller's leg: peer time onto the call's timeline, windows, backlog."""

import numpy as np
import pytest

from offhook.audio.frame import PHONE, WIDEBAND, AudioFormat, Encoding
from offhook.call.legs import CallerLeg, stack

FRAME = b"\x80" * 160


def leg_with_tape():
    tape = []
    return CallerLeg(PHONE, lambda at, audio: tape.append((at, len(audio)))), tape


def test_first_frame_fixes_the_offset_and_samples_count_from_there():
    leg, tape = leg_with_tape()
    for n in range(3):
        leg.take(FRAME, 5000 + n * 20 + n % 2 * 3, 100 + n * 20)  # jittery timestamps do not tear audio
    assert tape == [(800, 160), (960, 160), (1120, 160)]
    assert leg.position_ms == 100
    assert leg.frames == 3


def test_a_hole_in_the_peers_time_becomes_a_gap():
    leg, tape = leg_with_tape()
    leg.take(FRAME, 0, 0)
    leg.take(FRAME, 500, 500)
    assert tape == [(0, 160), (4000, 160)]
    assert leg.position_ms == 500


def test_windows_leave_when_taken():
    leg, _ = leg_with_tape()
    assert leg.window() is None
    for n in range(4):
        leg.take(FRAME, n * 20, n * 20)
    window = leg.window()
    assert len(window) == 256
    leg.taken(window)
    assert leg.position_ms == 32
    assert leg.pre_roll() == window
    for n in range(40):
        leg.take(FRAME, 80 + n * 20, 80 + n * 20)
    while (window := leg.window()) is not None:
        leg.taken(window)
    assert len(leg.pre_roll()) == PHONE.size(480)


def test_backlog_is_bounded_by_dropping_the_oldest():
    leg, _ = leg_with_tape()
    for n in range(150):
        leg.take(FRAME, n * 20, 0)
    assert leg.position_ms == 1000
    assert leg.window() is not None


@pytest.mark.parametrize(
    ("format", "quiet"),
    [(PHONE, b"\xff" * 256), (AudioFormat(Encoding.ALAW, 8000), b"\xd5" * 256), (WIDEBAND, bytes(1024))],
)
def test_stack_decodes_each_encoding(format, quiet):
    stacked = stack([quiet, quiet], format.encoding)
    assert stacked.shape == (2, len(quiet) // format.width)
    assert stacked.dtype == np.int16
    assert np.abs(stacked.astype(int)).max() <= 8
