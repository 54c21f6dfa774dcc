"""Level meters: now and then, only when something moved."""

from offhook.audio.frame import Encoding
from offhook.audio.level import SILENCE_DB
from offhook.call.meters import PERIOD_TICKS, Meters

LOUD = b"\x00\x40" * 320


def test_levels_come_every_period_and_only_when_they_move():
    meters = Meters(Encoding.PCM16)
    assert [meters.tick() for _ in range(PERIOD_TICKS)] == [None] * PERIOD_TICKS
    meters.caller(LOUD)
    shown = [meters.tick() for _ in range(PERIOD_TICKS)][-1]
    assert (shown.caller, shown.agent) == (-6.0, SILENCE_DB)
    meters.agent(LOUD)
    shown = [meters.tick() for _ in range(PERIOD_TICKS)][-1]
    assert (shown.caller, shown.agent) == (SILENCE_DB, -6.0)
