"""The load of the loop: its thread's share of a core, late walks, and who is refused then."""

from __future__ import annotations

import pytest

from offhook.call.clockwork import Lateness
from offhook.call.load import LATE_S, Load, Sample
from offhook.channels.base import Arrival
from offhook.foundation.errors import LimitError


def after(
    load: Load, seconds: float, late: int = 0, share: float = 0.0, start: Sample | None = None
) -> Sample:
    """Twice a second for so long: 100 walks a second, of which `late` are, and a share of a core."""
    last = start or Sample(0.0, 0, 0, 0.0)
    for _ in range(round(seconds * 2)):
        last = Sample(last.at + 0.5, last.walks + 50, last.late + late, last.cpu_s + share * 0.5)
        load.add(last)
    return last


def test_the_level_is_the_share_of_a_core_over_the_last_seconds() -> None:
    load = Load()
    load.add(Sample(0.0, 0, 0, 0.0))
    assert load.level == 0.0
    calm = after(load, 10, share=0.3)
    assert load.level == pytest.approx(0.3)
    busy = after(load, 1, share=0.9, start=calm)
    assert 0.3 < load.level < 0.9, "one busy second is not yet a busy house"
    after(load, 6, share=0.9, start=busy)
    assert load.level == pytest.approx(0.9)


def test_many_late_walks_are_full_load_and_few_are_not() -> None:
    load = Load()
    few = after(load, 10, late=2, share=0.2)
    assert load.level == pytest.approx(0.2)
    many = after(load, 3, late=10, share=0.2, start=few)
    assert load.level == 1.0
    after(load, 6, late=0, share=0.2, start=many)
    assert load.level == pytest.approx(0.2)


def test_lateness_tells_how_many_were_later_than_a_bound() -> None:
    lateness = Lateness()
    for late_s in (0.0, 0.004, 0.02, 0.021, 0.3, 2.0):
        lateness.add(late_s)
    assert lateness.later_than(LATE_S) == 3


async def test_a_busy_house_takes_no_call_but_an_empty_one_always(stage_of) -> None:
    stage = stage_of()
    after(stage.media.load, 6, share=0.99)
    assert stage.directory.capacity() == 2, "nobody is there to be hurt"
    await stage.answer()
    assert stage.directory.capacity() == 0
    with pytest.raises(LimitError):
        stage.directory.arrive(stage.line, Arrival())
    assert stage.directory.totals.refused == {"load": 1}
    stage.media.load.level = 0.84
    assert stage.directory.capacity() == 1
