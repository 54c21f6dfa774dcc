"""How busy the loop that walks the calls was over the last seconds. It measures; others decide who waits.

Two things tell that another call would hurt the running ones: the loop's thread uses nearly all of a core, or
walks come late although it does not (the machine has no more to give). The media clock gives its totals
twice a second.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SPAN_S = 5.0
LATE_S = 0.02
"""A walk later than this eats a quarter of what playback sends ahead."""
LATE_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """Totals since the start: walks, those later than LATE_S, CPU seconds of the loop's thread."""

    at: float
    walks: int
    late: int
    cpu_s: float


class Load:
    """`level`: the loop thread's share of a core over SPAN_S, 0 to 1; 1 while over 5 % of walks are late."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()
        self.level = 0.0

    def add(self, sample: Sample) -> None:
        """The newest totals; `at` never runs back."""
        samples = self._samples
        samples.append(sample)
        while sample.at - samples[0].at > SPAN_S:
            samples.popleft()
        first = samples[0]
        walks, seconds = sample.walks - first.walks, sample.at - first.at
        if walks and seconds:
            late = sample.late - first.late > LATE_SHARE * walks
            self.level = 1.0 if late else min(1.0, (sample.cpu_s - first.cpu_s) / seconds)
