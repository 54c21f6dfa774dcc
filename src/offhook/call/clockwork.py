"""The media clock: one per process, walks all live calls. It owns the tick and the batches, not the calls.

Calls are spread over two phases, each walked every 20 ms, ten milliseconds apart. A walk judges
voice activity for all its calls in one inference per sample rate, then lets each call send
what is due. Nothing here awaits, locks or logs per call.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Protocol

import structlog

from offhook.audio.frame import AudioFormat
from offhook.call.legs import CallerLeg, stack
from offhook.call.load import LATE_S, Load, Sample
from offhook.foundation.clock import Clock
from offhook.speech.base import Vad

PHASES = 2
TICK_S = 0.010
MAX_ROUNDS = 6
"""Windows per leg and walk: a burst after a stall is worked off over a few walks."""
WALKS_PER_SAMPLE = 50
LATE_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)

_log = structlog.get_logger(__name__)


class Walked(Protocol):
    """What the clock needs of a call."""

    @property
    def leg(self) -> CallerLeg: ...

    def window(self, window: bytes, probability: float) -> None: ...

    def tick(self, now: float) -> None: ...

    def fail(self, error: BaseException) -> None: ...


class Lateness:
    """How late the clock's walks were: a histogram in plain integers."""

    def __init__(self) -> None:
        self.counts = [0] * (len(LATE_BOUNDS_S) + 1)
        self.total_s = 0.0
        self.worst_s = 0.0

    def add(self, late_s: float) -> None:
        self.counts[bisect_left(LATE_BOUNDS_S, late_s)] += 1
        self.total_s += late_s
        self.worst_s = max(self.worst_s, late_s)

    def later_than(self, bound_s: float) -> int:
        """How many walks were later than one of the bounds."""
        return sum(self.counts[LATE_BOUNDS_S.index(bound_s) + 1 :])


class MediaClock:
    """Walks the calls that were added, until `stop`."""

    def __init__(self, clock: Clock, vads: Mapping[int, Vad]) -> None:
        self._clock = clock
        self._vads = dict(vads)
        self._phases: tuple[dict[Walked, int], ...] = tuple({} for _ in range(PHASES))
        self._task: asyncio.Task[None] | None = None
        self.lateness = Lateness()
        self.load = Load()
        self.beat = clock.now()
        self.walks = 0
        self.faults = 0

    def __len__(self) -> int:
        return sum(len(phase) for phase in self._phases)

    def add(self, call: Walked) -> None:
        """Walk this call from now on. Its leg's rate must be one of the detectors'."""
        slot = self._vads[call.leg.format.rate].open()
        min(self._phases, key=len)[call] = slot

    def remove(self, call: Walked) -> None:
        """Walk it no more. Idempotent."""
        for phase in self._phases:
            slot = phase.pop(call, None)
            if slot is not None:
                self._vads[call.leg.format.rate].close(slot)

    def walk(self, phase: int) -> None:
        """One walk over a phase: listen to all its calls, then let each speak."""
        calls = self._phases[phase]
        self.walks += 1
        if not calls:
            return
        try:
            self._listen(calls)
        except Exception:  # a detector's fault: the calls go on to speak
            self._fault("voice activity detection failed")
        now = self._clock.now()
        for call in tuple(calls):
            try:
                call.tick(now)
            except Exception as error:  # one call's fault ends that call and no other
                call.fail(error)

    def _listen(self, calls: dict[Walked, int]) -> None:
        waiting: Iterable[Walked] = calls
        for _ in range(MAX_ROUNDS):
            batches: dict[AudioFormat, list[tuple[Walked, bytes]]] = {}
            for call in waiting:
                leg = call.leg
                window = leg.window()
                if window is not None:
                    batch = batches.get(leg.format)
                    if batch is None:
                        batch = batches[leg.format] = []
                    batch.append((call, window))
            if not batches:
                return
            for format, batch in batches.items():
                self._judge(format, batch, calls)
            waiting = [call for batch in batches.values() for call, _ in batch]

    def _judge(
        self, format: AudioFormat, batch: list[tuple[Walked, bytes]], slots: dict[Walked, int]
    ) -> None:
        windows = stack([window for _, window in batch], format.encoding)
        places = [slots[call] for call, _ in batch]
        probabilities = self._vads[format.rate].probabilities(places, windows)
        for (call, window), probability in zip(batch, probabilities.tolist(), strict=True):
            try:
                call.window(window, probability)
            except Exception as error:
                call.fail(error)

    def _fault(self, what: str) -> None:
        """Count it; of many in a row, log one in a thousand."""
        if self.faults % 1000 == 0:
            _log.exception(what, so_far=self.faults)
        self.faults += 1

    def start(self) -> None:
        """Begin to tick on the running loop."""
        self._task = asyncio.create_task(self._run(), name="media-clock")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        due = self._clock.now()
        phase = 0
        while True:
            now = self._clock.now()
            if due > now:
                await asyncio.sleep(due - now)
                now = self._clock.now()
            else:
                await asyncio.sleep(0)
            self.beat = now
            self.lateness.add(max(0.0, now - due))
            if self.walks % WALKS_PER_SAMPLE == 0:
                late = self.lateness.later_than(LATE_S)
                self.load.add(Sample(now, self.walks, late, time.thread_time()))
            try:
                self.walk(phase)
            except Exception:  # the clock serves all calls: it outlives any fault
                self._fault("a walk of the media clock failed")
            phase = (phase + 1) % PHASES
            due += TICK_S
            if now - due > PHASES * TICK_S:  # never race to catch up: playback sends what is due in one go
                due = now
