"""Makes what follows the callers' sentiment, and the alerts of the house, as the settings describe them."""

from __future__ import annotations

from collections.abc import Callable

from offhook.audio.frame import AudioFormat
from offhook.call.timeline import Sink, Timeline
from offhook.center.alerts.pager import WebPager
from offhook.center.alerts.watch import AlertDesk
from offhook.center.sentiment.reader import TextReader
from offhook.center.sentiment.sense import Sense
from offhook.center.sentiment.watch import SentimentDesk
from offhook.foundation.clock import Clock
from offhook.settings import Settings
from offhook.settings.keys import plain

Tap = Callable[[int, bytes], None]


class Moods:
    """Sentiment and alerts of one process; either may be missing."""

    def __init__(
        self, sentiment: SentimentDesk | None, alerts: AlertDesk | None, pager: WebPager | None
    ) -> None:
        self._sentiment = sentiment
        self._alerts = alerts
        self._pager = pager

    def follow(self, timeline: Timeline) -> tuple[Sink, ...]:
        """The sinks of a call that begins."""
        desks = (self._sentiment, self._alerts)
        return tuple(desk.follow(timeline) for desk in desks if desk is not None)

    def tap(self, call_id: str, format: AudioFormat) -> Tap | None:
        """What takes the caller's sound."""
        return self._sentiment.tap(call_id, format) if self._sentiment is not None else None

    async def close(self) -> None:
        if self._sentiment is not None:
            await self._sentiment.close()
        if self._alerts is not None:
            self._alerts.close()
        if self._pager is not None:
            await self._pager.close()


def make_moods(settings: Settings, clock: Clock) -> Moods:
    """What the settings ask for. The first turn loads a model, in a thread of its own."""
    own = settings.sentiment
    sentiment = SentimentDesk(TextReader(Sense()), voice=own.voice) if own.enabled else None
    if not settings.alerts:
        return Moods(sentiment, None, None)
    paging, pager = settings.paging, None
    if paging.url and any(alert.page for alert in settings.alerts):
        pager = WebPager(paging.url, plain(paging.secret), clock, allow_private=paging.allow_private)
    return Moods(sentiment, AlertDesk([alert.rule() for alert in settings.alerts], clock, pager), pager)
