"""Answers from facts, as sentences. They change no state, and guess nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

from offhook.foundation.agent import Service
from offhook.speech.llm.receptionist import slots
from offhook.speech.llm.receptionist.intents import Intent
from offhook.speech.llm.receptionist.scene import Scene, capital
from offhook.speech.llm.receptionist.words import listed

Answer = Callable[[Scene], list[str]]
_LISTED = 4


def answer(scene: Scene, intent: Intent, question: int = -1) -> list[str]:
    """One or two sentences on an intent of `FACTS`; empty when there is nothing to say."""
    if intent is Intent.QUESTION:
        return [scene.facts.questions[question].answer.strip()]
    return ANSWERS[intent](scene)


def hours(scene: Scene) -> list[str]:
    """Now, on a day, at a time of a day, or all week, as was asked."""
    if not scene.hours.known:
        return [scene.say("hours_unknown")]
    said = set(scene.words)
    wanted = scene.when
    if said & {"now", "currently", "know", "still"} and wanted.time in (None, _clock_of(scene.now)):
        return _now(scene)
    if "weekend" in said or "weekends" in said:
        return _week(scene)
    if wanted.time is not None and not said & {"until", "till"}:
        return _at(scene, wanted.day or scene.today, wanted.time, wanted.certain)
    if wanted.day is not None:
        return on_day(scene, wanted.day)
    text = " ".join(scene.words)
    if any(
        ask in text
        for ask in ("do you close", "do you open", "how late", "closing time", "are you open until")
    ):
        return on_day(scene, scene.today) if scene.hours.on(scene.today) is not None else _week(scene)
    return _now(scene) if text in {"are you open", "you open"} else _week(scene)


def _clock_of(moment: datetime) -> time:
    return moment.time().replace(second=0, microsecond=0)


def on_day(scene: Scene, day: date) -> list[str]:
    """The hours of a day; for a closed one, when it opens next."""
    spans = scene.hours.on(day)
    name = scene.day(day)
    if spans is None:
        return [scene.say("hours_unknown_on", day=name.removeprefix("on "))]
    if spans:
        return [scene.say("open_on", day=name, on_day=name, spans=scene.spans(day))]
    closed = scene.say("closed_on", day=name, on_day=name)
    return [closed, *_next(scene, datetime.combine(day, time(23, 59)))]


def _next(scene: Scene, moment: datetime) -> list[str]:
    opening = scene.hours.next_opening(moment)
    if opening is None:
        return []
    return [scene.say("next_open", when=scene.language.moment(opening, scene.now))]


def _now(scene: Scene) -> list[str]:
    moment = scene.now.replace(tzinfo=None)
    opened = scene.hours.is_open(moment)
    if opened is None:
        return _week(scene)
    if opened:
        closes = scene.hours.closes(moment) or moment.time()
        return [scene.say("open_now", time=scene.clock(closes))]
    return [scene.say("closed_now"), *_next(scene, moment)]


def _at(scene: Scene, day: date, moment: time, certain: bool) -> list[str]:
    choices = [moment] if certain or moment.hour > 11 else [moment, moment.replace(hour=moment.hour + 12)]
    opened = [c for c in choices if scene.hours.is_open(datetime.combine(day, c))]
    if scene.hours.on(day) is None:
        return on_day(scene, day)
    name = scene.day(day)
    chosen = opened[0] if opened else next((c for c in choices if c.hour >= 7), choices[0])
    key = "open_then" if opened else "closed_then"
    first = scene.say(key, day=name, on_day=name, time=scene.clock(chosen))
    return [first] if opened or not scene.hours.on(day) else [first, *on_day(scene, day)]


def _week(scene: Scene) -> list[str]:
    opened, closed = scene.language.week(scene.hours.week(), scene.today)
    parts = [scene.say("week", days=opened)] if opened else []
    return [*parts, scene.say("week_closed", days=closed)] if closed else parts


def asked_service(scene: Scene) -> Service | None:
    """The service that is named now, or the one that was spoken of last."""
    if scene.service:
        return scene.service
    named = [s for s in scene.facts.services if s.name == scene.state.subject]
    return named[0] if named and set(scene.words) & {"it", "that", "one", "this"} else None


def price(scene: Scene) -> list[str]:
    services = [s for s in scene.facts.services if s.price]
    service = asked_service(scene)
    if service:
        plain = scene.language.article(service.name)
        if not service.price:
            return [scene.say("no_price_for", service_plain=plain)]
        return [scene.say("price", service=capital(plain), service_plain=plain, price=service.price)]
    if not services:
        return [scene.say("no_price")]
    if _other_thing(scene):
        return [scene.say("no_price"), *services_offered(scene)]
    prices = [f"{scene.language.article(s.name)} is {s.price}" for s in services[:_LISTED]]
    more = [scene.say("prices_more")] if len(services) > _LISTED else []
    return [scene.say("prices", prices=scene.listing(prices)), *more]


_PRICE_WORDS = frozenset(
    listed(
        "how much is are for does do did would will could can cost costs it price prices pricing rate "
        "rates fee fees charge charges the a an "
        "i you your we me my to pay of what and or in tell give list please have get this that one ones "
        "service services expensive all any "
        "here there with rough idea about be approximately roughly some usually so know like want s us "
        "with at by hi hello"
    )
)


def _other_thing(scene: Scene) -> bool:
    """Whether a price was asked for something that is none of the services."""
    return bool([word for word in scene.words if word not in _PRICE_WORDS and len(word) > 3])


def services_offered(scene: Scene) -> list[str]:
    names = [scene.language.article(s.name) for s in scene.facts.services]
    if not names:
        return [scene.facts.about] if scene.facts.about else [scene.say("no_services")]
    return [scene.say("services", services=scene.listing(names[:8]))]


def services(scene: Scene) -> list[str]:
    if scene.service:
        plain = scene.language.article(scene.service.name)
        parts = [scene.say("service_yes", service_plain=plain)]
        if scene.service.price:
            parts.append(
                scene.say("price", service=capital(plain), service_plain=plain, price=scene.service.price)
            )
        return parts
    return services_offered(scene)


def duration(scene: Scene) -> list[str]:
    service = asked_service(scene)
    if service is None and len(scene.facts.services) == 1:
        service = scene.facts.services[0]
    if service is None:
        return [scene.say("which_service")] if scene.facts.services else [scene.say("no_services")]
    plain = scene.language.article(service.name)
    return [scene.say("duration", service=capital(plain), service_plain=plain, minutes=str(service.minutes))]


def about(scene: Scene) -> list[str]:
    this = scene.say("business", business=scene.facts.business)
    return [this, scene.facts.about.strip()] if scene.facts.about else [this]


def time_now(scene: Scene) -> list[str]:
    day = f"{scene.language.full_day(scene.today, scene.today)}".removeprefix("today, ").strip(",")
    return [scene.say("time_now", time=scene.clock(scene.now.time()), day=day)]


def _fact(key: str) -> Answer:
    def say(scene: Scene) -> list[str]:
        value = str(getattr(scene.facts, key))
        return [scene.say(key, **{key: value}) if value else scene.say(f"no_{key}")]

    return say


ANSWERS: dict[Intent, Answer] = {
    Intent.HOURS: hours,
    Intent.PRICE: price,
    Intent.SERVICES: services,
    Intent.DURATION: duration,
    Intent.ADDRESS: _fact("address"),
    Intent.PHONE: _fact("phone"),
    Intent.EMAIL: _fact("email"),
    Intent.WEBSITE: _fact("website"),
    Intent.ABOUT: about,
    Intent.TIME_NOW: time_now,
}


def subject(scene: Scene) -> str:
    """What "it" will mean next: the service named now, or the one before."""
    return scene.service.name if scene.service else scene.state.subject


def wants_message_text(scene: Scene) -> str:
    """The text of a message that was given with the wish to leave one."""
    text = slots.message_text(scene.text)
    return text or (scene.language.CALL_BACK if slots.wants_callback(scene.text) else "")
