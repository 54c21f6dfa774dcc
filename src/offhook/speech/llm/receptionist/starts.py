"""When a booking may start: first and last starts of a day, and am or pm where none was said. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from offhook.foundation.agent import Service
from offhook.speech.llm.receptionist.scene import Scene
from offhook.speech.llm.receptionist.state import Draft

_ROUND_MINUTES = 30
_NOTICE_MINUTES = 60


def service_of(scene: Scene, draft: Draft) -> Service:
    """The drafted service; one that is not in the facts takes half an hour."""
    named = (s for s in scene.facts.services if s.name == draft.service)
    return next(named, Service(draft.service))


def last_start(scene: Scene, draft: Draft, day: date) -> time | None:
    """The last possible start on a day that is still to come; None when there is none."""
    minutes = service_of(scene, draft).minutes
    for opens, closes in reversed(scene.hours.on(day) or ()):
        last = datetime.combine(day, closes) - timedelta(minutes=minutes)
        if last >= datetime.combine(day, opens) and last > scene.now.replace(tzinfo=None):
            return last.time()
    return None


def first_day(scene: Scene, draft: Draft) -> date:
    days = (scene.today + timedelta(ahead) for ahead in range(8))
    return next((day for day in days if first_time(scene, draft, day)), scene.today + timedelta(1))


def first_time(scene: Scene, draft: Draft, day: date) -> time | None:
    """The first start on a day within its hours, the wanted part of the day, and an hour's notice."""
    earliest = scene.now.replace(tzinfo=None) + timedelta(minutes=_NOTICE_MINUTES)
    part = draft.part or (0, 24)
    minutes = service_of(scene, draft).minutes
    for slot in range(0, 24 * 60, _ROUND_MINUTES):
        start_at = time(slot // 60, slot % 60)
        known = scene.hours.on(day) is not None or 9 <= start_at.hour < 17
        wanted = known and part[0] <= start_at.hour < part[1] and datetime.combine(day, start_at) >= earliest
        if wanted and scene.hours.fits(day, start_at, minutes):
            return start_at
    return None


def resolved(scene: Scene, draft: Draft, day: date, moment: time) -> Draft:
    """The draft with am or pm decided: by the part of the day, the opening hours, or daytime."""
    if draft.certain:
        return draft
    both = (
        [moment]
        if moment.hour > 12
        else [moment.replace(hour=h) for h in (moment.hour % 12, moment.hour % 12 + 12)]
    )
    part = draft.part
    wanted = [t for t in both if part and part[0] <= t.hour < part[1]] or both
    minutes = service_of(scene, draft).minutes
    if scene.hours.on(day) is None:
        fitting = [t for t in wanted if 8 <= t.hour < 20]
    else:
        fitting = [t for t in wanted if scene.hours.fits(day, t, minutes)]
    later = [t for t in fitting if datetime.combine(day, t) > scene.now.replace(tzinfo=None)]
    daytime = [t for t in wanted if 7 <= t.hour < 22]
    chosen = (later or fitting or daytime or wanted)[0]
    return replace(draft, time=chosen, certain=bool(fitting))
