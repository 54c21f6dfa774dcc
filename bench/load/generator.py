"""Runs the callers of a plan: brings them up, ticks them in real time, measures, hangs up."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from dataclasses import dataclass, field

from picows import ws_connect

from load.caller import Caller
from load.machine import Usage, family, machine_busy, usage
from load.plan import FRAME_S, Plan, Voices
from load.playout import Pacing

_SLOTS = 20
"""The calls are spread over the 20 ms, a slot of 1 ms each."""
_SPREAD = 7
"""Has no divisor in common with the slots: neighbours land far apart."""
_STALL = 0.010
_now = time.monotonic


@dataclass(slots=True)
class Reading:
    """The state of things at one moment."""

    at: float
    server: Usage
    machine: float
    own: float

    @classmethod
    def take(cls, pids: list[int]) -> Reading:
        return cls(_now(), usage(pids), machine_busy(), time.process_time())


@dataclass(slots=True)
class Run:
    """All that was seen. `stalls`: (since, until) of moments in which this process itself did not run."""

    plan: Plan
    pacing: Pacing = field(default_factory=Pacing)
    callers: list[Caller] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    connects: list[float] = field(default_factory=list)
    lates: list[float] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    peak: int = 0
    alive: int = 0
    """Of the callers, at the end of the window."""


class Generator:
    """One run against one server; `server_pid` is measured with its children."""

    def __init__(self, plan: Plan, voices: Voices, server_pid: int | None) -> None:
        self.result = Run(plan)
        self.opened = asyncio.Event()
        self._plan = plan
        self._voices = voices
        self._pid = server_pid
        self._slots: list[list[Caller]] = [[] for _ in range(_SLOTS)]
        self._running = True

    async def run(self) -> Run:
        """The whole run. Readings: before, all up, window opens, window closes, after."""
        ticking = asyncio.create_task(self._tick(), name="ticks")
        try:
            self._read()
            await self._bring_up()
            self._read()
            await asyncio.sleep(self._plan.warm)
            await self._measure()
        finally:
            self._running = False
            await ticking
        for caller in self.result.callers:
            caller.stop()
        await asyncio.sleep(self._plan.drain)
        self._read()
        return self.result

    def _read(self) -> Reading:
        reading = Reading.take(family(self._pid) if self._pid else [])
        self.result.readings.append(reading)
        return reading

    async def _bring_up(self) -> None:
        connecting = []
        for number in range(self._plan.calls):
            connecting.append(asyncio.create_task(self._connect(number)))
            await asyncio.sleep(1 / self._plan.ramp)
        await asyncio.gather(*connecting)

    async def _connect(self, number: int) -> None:
        result, began = self.result, _now()
        caller = Caller(self._plan, self._voices, result.pacing, number)
        try:
            await ws_connect(
                lambda: caller, self._plan.url, websocket_handshake_timeout=self._plan.connect_timeout
            )
        except Exception as error:
            result.errors[repr(error)[:200]] += 1
            return
        result.connects.append(_now() - began)
        caller.start()
        result.callers.append(caller)
        self._slots[number * _SPREAD % _SLOTS].append(caller)

    async def _measure(self) -> None:
        """The window. The collector is off in it: its pauses would be taken for the server's."""
        gc.collect()
        gc.freeze()
        gc.disable()
        result, opened = self.result, self._read()
        result.pacing.open = True
        self.opened.set()
        pids = family(self._pid) if self._pid else []
        while (left := opened.at + self._plan.seconds - _now()) > 0:
            await asyncio.sleep(min(1.0, left))
            result.peak = max(result.peak, usage(pids).resident)
        self._read()
        result.pacing.open = False
        result.alive = sum(caller.alive for caller in result.callers)
        gc.enable()

    async def _tick(self) -> None:
        began, number = _now(), 0
        pacing, result = self.result.pacing, self.result
        while self._running:
            due = began + number * FRAME_S / _SLOTS
            if (wait := due - _now()) > 0:
                await asyncio.sleep(wait)
            elif number % 5 == 0:
                await asyncio.sleep(0)
            callers = self._slots[number % _SLOTS]
            number += 1
            if callers and pacing.open:
                now = _now()
                result.lates.append(now - due)
                if now - due > _STALL and (not result.stalls or due > result.stalls[-1][1]):
                    result.stalls.append((due, now))
            for caller in callers:
                if caller.alive:
                    caller.tick()
