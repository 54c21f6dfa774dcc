"""Ordered providers of one kind: who is asked next, who is left aside, who is probed. Speaks to none itself.

`fallback_stt`, `fallback_tts` and `fallback_llm` make one provider of such an order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Generic, Protocol, TypeVar

import structlog

from offhook.foundation.errors import ProviderError
from offhook.speech.breaker import Breaker, Health, State

PROBE_S = 10.0
PROBE_DEADLINE_S = 3.0
CLOSE_S = 2.0

Probe = Callable[[], Awaitable[None]]
T = TypeVar("T")
_log = structlog.get_logger(__name__)
_witness: ContextVar[Callable[[ProviderError], None] | None] = ContextVar("provider-witness", default=None)


def witness(tell: Callable[[ProviderError], None]) -> None:
    """From now on, in this context and the tasks begun in it: `tell` of failures that another provider of the
    kind made good for. Providers are the house's, not a call's: the context says whose request it was."""
    _witness.set(tell)


def absorbed(error: ProviderError) -> None:
    """A request goes on with another provider although this happened."""
    if (tell := _witness.get()) is not None:
        tell(error)


class Provider(Protocol):
    """What every kind of provider has."""

    @property
    def name(self) -> str: ...

    async def close(self) -> None: ...


P = TypeVar("P", bound=Provider)


class Place(Generic[P]):
    """A provider with its breaker. `probe` asks the vendor for something that costs nothing, and raises
    ProviderError when it is not well; without one it is tried again by a request, ten seconds later."""

    def __init__(self, kind: str, name: str, provider: P, probe: Probe | None = None) -> None:
        self.kind = kind
        self.name = name
        self.provider = provider
        self.probe = probe
        self.breaker = Breaker()
        self.rescues = 0

    @property
    def health(self) -> Health:
        breaker = self.breaker
        return Health(self.kind, self.name, breaker.state, breaker.failures, self.rescues, breaker.reason)


class Lineup(Generic[P]):
    """Places in the order of each language; `orders[""]` is the one of every other language.

    All methods belong to the event loop. `on_recovered` is told when a place is well again.
    """

    def __init__(self, places: Iterable[Place[P]], orders: Mapping[str, Sequence[str]] | None = None) -> None:
        self.places = list(places)
        named = {place.name: place for place in self.places}
        self._orders = {
            code: [named[name] for name in order if name in named] for code, order in (orders or {}).items()
        }
        self._orders.setdefault("", self.places)
        self._probes: dict[str, asyncio.Task[None]] = {}
        self.on_recovered: Callable[[], None] = lambda: None

    def order(self, language: str) -> Sequence[Place[P]]:
        """The places of a language ("pt-BR", else "pt", else the house's order). Of "en+ar", for one who may
        speak either: those of both first, then those of the first alone, then the others."""
        orders = [self._order(code) for code in language.lower().split("+")]
        if len(orders) == 1:
            return orders[0]
        every = dict.fromkeys(place for order in orders for place in order)
        return sorted(every, key=lambda place: any(place not in order for order in orders))

    def _order(self, code: str) -> Sequence[Place[P]]:
        for known in (code, code.partition("-")[0], ""):
            if order := self._orders.get(known):
                return order
        return self.places

    def candidates(self, language: str) -> list[Place[P]]:
        """Whom to ask now, in this order; those that just failed come last. Where all are down, one of them
        has another chance every two seconds."""
        time = now()
        order = self.order(language)
        allowed = [place for place in order if place.breaker.allows(time)]
        if not allowed:
            return [place for place in order if place.breaker.last_chance(time)][:1]
        suited = [place for place in allowed if place.breaker.suits(language, time)]
        return sorted(suited or allowed, key=lambda place: place.breaker.cooling(time))

    def asked(self, place: Place[P]) -> None:
        place.breaker.asked(now())

    def worked(self, place: Place[P], language: str = "") -> None:
        """A request to this place succeeded."""
        was_up = place.breaker.state is State.UP
        place.breaker.worked(language)
        if not was_up and place.breaker.state is State.UP:
            _log.info("a provider is well again", kind=place.kind, provider=place.name)
            self.on_recovered()
        if self.order(language)[0] is not place:
            place.rescues += 1

    def failed(self, place: Place[P], error: ProviderError, language: str = "") -> None:
        """A request to this place failed; from here on it is probed if it is down."""
        before = place.breaker.state
        place.breaker.failed(error, now(), language)
        after = place.breaker.state
        told = {"kind": place.kind, "provider": place.name, "reason": error.reason}
        if after is State.REFUSED and before is not after:
            _log.error("a provider refuses our key; it is left aside until that is mended", **told)
        elif after is State.DOWN and before is not after:
            _log.error("a provider is down; it is left aside and probed", **told)
        else:
            _log.warning("a provider failed", **told)
        if place.breaker.wants_probe and place.name not in self._probes:
            task = asyncio.create_task(self._probe(place), name=f"probe-{place.kind}-{place.name}")
            self._probes[place.name] = task

    async def _probe(self, place: Place[P]) -> None:
        """Every ten seconds, until the vendor can be reached."""
        try:
            while place.breaker.wants_probe:
                await asyncio.sleep(PROBE_S)
                place.breaker.probed(await _probed(place))
            _log.info("a provider can be reached again", kind=place.kind, provider=place.name)
        finally:
            self._probes.pop(place.name, None)

    async def close(self) -> None:
        """Stop probing and close every provider; one that fails to close does not keep the others open."""
        probes = list(self._probes.values())
        for task in probes:
            task.cancel()
        closing = (place.provider.close() for place in self.places)
        await asyncio.gather(*probes, *closing, return_exceptions=True)


async def _probed(place: Place[P]) -> ProviderError | None:
    """What a probe comes to."""
    if place.probe is None:
        return None
    try:
        async with asyncio.timeout(PROBE_DEADLINE_S):
            await place.probe()
    except ProviderError as error:
        return error
    except TimeoutError:
        return ProviderError(place.name, "does not answer")
    return None


def served_by_none(kind: str, last: ProviderError | None) -> ProviderError:
    """What a request comes to that no provider served: the last one's error, if any was asked."""
    return last if last is not None else ProviderError(kind, "every provider of it is down")


async def timed(
    stream: AsyncIterator[T], name: str, first_s: float, next_s: float
) -> AsyncGenerator[T, None]:
    """The items of a provider's stream under deadlines in seconds. Raises ProviderError when one passes.
    Leaving it closes the stream."""
    deadline, late = first_s, "took too long to answer"
    try:
        while True:
            try:
                async with asyncio.timeout(deadline):
                    item = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise ProviderError(name, late) from None
            yield item
            deadline, late = next_s, "stopped in the middle"
    finally:
        await left(stream)


async def left(stream: AsyncIterator[T]) -> None:
    """Close a stream; one that does not let go in time is left behind."""
    if isinstance(stream, AsyncGenerator):
        with contextlib.suppress(TimeoutError, ProviderError):
            async with asyncio.timeout(CLOSE_S):
                await stream.aclose()


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
