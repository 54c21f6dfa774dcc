"""Counts what happens in calls, in plain integers, and writes them out for Prometheus at `/metrics`.

Events come by `observe`; what others count themselves is read from a Gauges when asked. Nothing
is done per frame.
"""

from __future__ import annotations

import asyncio
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from offhook.desk.ear_queue import FirstSound
from offhook.foundation.events import (
    CallEnded,
    CallStarted,
    Entry,
    Interrupted,
    ProviderFailed,
    TurnTimed,
)
from offhook.speech.breaker import Health, State

SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0)


class Histogram:
    """Counts of values up to each of `bounds`, and above."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Gauges:
    """What other parts count, asked for at each scrape. All are counts since the start but the first two.

    `live`: calls by channel; `store_pending`: rows not committed yet; `frames`: media frames in
    and out; `refused`: callers turned away, by reason; `lateness`: bounds (s), counts, sum (s) of
    the media clock's walks; `seats`: humans on live calls, by stance; `waiting`: those whose callers have
    not come yet; `watchers`: sockets of the floor.
    """

    live: Callable[[], Mapping[str, int]] = dict
    store_pending: Callable[[], int] = int
    store_dropped: Callable[[], int] = int
    frames: Callable[[], tuple[int, int]] = lambda: (0, 0)
    underruns: Callable[[], int] = int
    refused: Callable[[], Mapping[str, int]] = dict
    wire_errors: Callable[[], Mapping[str, int]] = dict
    recordings_failed: Callable[[], int] = int
    load: Callable[[], float] = float
    loop_blocked: Callable[[], int] = int
    lateness: Callable[[], tuple[Sequence[float], Sequence[int], float] | None] = lambda: None
    providers: Callable[[], Sequence[Health]] = tuple
    seats: Callable[[], Mapping[str, int]] = dict
    waiting: Callable[[], int] = int
    watchers: Callable[[], int] = int


@dataclass(slots=True)
class Metrics:
    """Counters of call events. `observe` takes every entry of every call; it is immediate."""

    gauges: Gauges = field(default_factory=Gauges)
    started: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    provider_errors: Counter[str] = field(default_factory=Counter)
    interruptions: int = 0
    first_audio: Histogram = field(default_factory=Histogram)
    endpoint: Histogram = field(default_factory=Histogram)
    gap: Histogram = field(default_factory=Histogram)
    coach_voice: Histogram = field(default_factory=Histogram)

    def observe(self, entry: Entry) -> None:
        match entry.event:
            case TurnTimed() as turn:
                self.endpoint.add(turn.endpoint_ms / 1000)
                self.first_audio.add(turn.first_audio_ms / 1000)
            case CallStarted() as call:
                self.started[call.channel] += 1
            case CallEnded() as call:
                self.ended[call.reason] += 1
            case Interrupted():
                self.interruptions += 1
            case ProviderFailed() as failure:
                self.provider_errors[failure.provider] += 1
            case _:
                pass

    def coached(self, first: FirstSound) -> None:
        """A card began to sound in an operator's ear."""
        self.coach_voice.add(max(0.0, first.since_caller_ms / 1000))

    def measured(self, gaps_ms: Iterable[int]) -> None:
        """Response gaps measured from a sealed recording."""
        for gap in gaps_ms:
            self.gap.add(gap / 1000)


class _Collector(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        metrics, gauges = self._metrics, self._metrics.gauges
        yield _labelled(GaugeMetricFamily, "calls_live", "Live calls.", "channel", gauges.live())
        yield _labelled(CounterMetricFamily, "calls_started", "Calls begun.", "channel", metrics.started)
        yield _labelled(CounterMetricFamily, "calls_ended", "Calls ended.", "reason", metrics.ended)
        yield _labelled(CounterMetricFamily, "calls_refused", "Calls refused.", "reason", gauges.refused())
        yield _labelled(
            CounterMetricFamily, "provider_errors", "Failures.", "provider", metrics.provider_errors
        )
        yield _labelled(
            CounterMetricFamily, "wire_errors", "Malformed messages.", "kind", gauges.wire_errors()
        )
        yield _labelled(GaugeMetricFamily, "seats", "Humans on live calls.", "stance", gauges.seats())
        received, sent = gauges.frames()
        frames = {"in": received, "out": sent}
        yield _labelled(CounterMetricFamily, "media_frames", "Frames of ended calls.", "direction", frames)
        yield from self._plain(metrics, gauges)
        yield from _providers(gauges.providers())
        yield _histogram(
            "turn_first_audio_seconds", "End of speech to first audio sent.", metrics.first_audio
        )
        yield _histogram("turn_endpoint_seconds", "End of speech to end of turn.", metrics.endpoint)
        yield _histogram("turn_response_seconds", "Gap heard, from the recording.", metrics.gap)
        yield _histogram(
            "coach_first_sound_seconds", "Caller's last sample to the coach's first.", metrics.coach_voice
        )
        lateness = gauges.lateness()
        if lateness is not None:
            late = Histogram(lateness[0])
            late.counts, late.total = list(lateness[1]), lateness[2]
            yield _histogram("clock_lateness_seconds", "How late the media clock ticked.", late)

    @staticmethod
    def _plain(metrics: Metrics, gauges: Gauges) -> Iterator[Metric]:
        pending, dropped = gauges.store_pending(), gauges.store_dropped()
        yield GaugeMetricFamily("offhook_store_pending", "Rows not committed yet.", pending)
        yield CounterMetricFamily("offhook_store_dropped", "Rows lost.", dropped)
        yield CounterMetricFamily("offhook_interruptions", "Interruptions.", metrics.interruptions)
        yield CounterMetricFamily("offhook_underruns", "Underruns of ended calls.", gauges.underruns())
        waiting, watchers = gauges.waiting(), gauges.watchers()
        yield GaugeMetricFamily("offhook_desk_waiting", "Humans whose callers have not come.", waiting)
        yield GaugeMetricFamily("offhook_floor_watchers", "Sockets of the live floor.", watchers)
        failed = gauges.recordings_failed()
        yield CounterMetricFamily("offhook_recordings_failed", "Recordings that failed.", failed)
        yield GaugeMetricFamily("offhook_load", "The loop's share of a core; 1 when late.", gauges.load())
        blocked = gauges.loop_blocked()
        yield CounterMetricFamily("offhook_loop_blocked", "Blocks of the loop over 100 ms.", blocked)


def _providers(health: Sequence[Health]) -> Iterator[Metric]:
    """One series per provider and state: 1 for the state it is in."""
    names = ["kind", "provider"]
    state = GaugeMetricFamily("offhook_provider_state", "1 for the present state.", labels=[*names, "state"])
    failures = CounterMetricFamily("offhook_provider_failures", "Requests that failed.", labels=names)
    rescues = CounterMetricFamily(
        "offhook_provider_rescues", "Requests served because one before it did not.", labels=names
    )
    for one in health:
        for name in State:
            state.add_metric([one.kind, one.provider, name.value], float(name is one.state))
        failures.add_metric([one.kind, one.provider], one.failures)
        rescues.add_metric([one.kind, one.provider], one.rescues)
    yield from (state, failures, rescues)


def _labelled(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    about: str,
    label: str,
    values: Mapping[str, int],
) -> Metric:
    family = kind(f"offhook_{name}", about, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family


def _histogram(name: str, about: str, values: Histogram) -> Metric:
    buckets, so_far = [], 0
    for bound, count in zip((*map(str, values.bounds), "+Inf"), values.counts, strict=True):
        so_far += count
        buckets.append((bound, float(so_far)))
    family = HistogramMetricFamily(f"offhook_{name}", about)
    family.add_metric([], buckets, sum_value=values.total)
    return family


Exposition = Callable[[], bytes]
Scrape = Callable[[], Awaitable[bytes]]


def exposition(metrics: Metrics) -> Exposition:
    """What this process has to say at a scrape, in Prometheus' text format. Call it on the event loop."""
    registry = CollectorRegistry()
    registry.register(_Collector(metrics))
    ProcessCollector(registry=registry)
    tasks = Gauge("offhook_tasks", "Tasks on the event loop.", registry=registry)
    threads = Gauge("offhook_threads", "Threads of the process.", registry=registry)

    def text() -> bytes:
        tasks.set(len(asyncio.all_tasks()))
        threads.set(threading.active_count())
        return generate_latest(registry)

    return text


def metric_routes(metrics: Metrics, gather: Callable[[Exposition], Scrape] | None = None) -> APIRouter:
    """`/metrics`. `gather` adds to this process's exposition what others of the house have to say."""
    routes = APIRouter(tags=["health"])
    own = exposition(metrics)
    scrape = gather(own) if gather is not None else None

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics_text() -> Response:
        text = own() if scrape is None else await scrape()
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return routes
