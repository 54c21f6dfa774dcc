"""The booking dialogue: asks for what is missing, checks it against the hours, reads it back. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from offhook.speech.base import ToolCall
from offhook.speech.llm.receptionist import slots
from offhook.speech.llm.receptionist.answers import services, subject
from offhook.speech.llm.receptionist.corrections import corrected
from offhook.speech.llm.receptionist.intents import Intent
from offhook.speech.llm.receptionist.scene import Scene, capital
from offhook.speech.llm.receptionist.starts import first_day, first_time, last_start, resolved, service_of
from offhook.speech.llm.receptionist.state import Draft, Reply, State, Step
from offhook.speech.llm.receptionist.words import grouped

AHEAD_DAYS = 184
_MISSES = 3
_ASKING = frozenset(("do", "does", "is", "are", "how", "what", "whats", "what's"))
_INSTEAD = frozenset(("instead", "rather", "change", "switch", "make", "want", "book"))


def start(scene: Scene) -> Reply:
    """A caller wants to book: take what was said at once, ask for the rest."""
    if not scene.facts.booking:
        said = (scene.say("no_booking"), scene.say("offer_message"))
        return scene.reply(*said, state=State(Step.OFFER_MESSAGE))
    draft = _merged(scene, Draft())
    if not draft.service and scene.state.subject:
        draft = replace(draft, service=scene.state.subject)
    return advance(scene, draft)


def fill(scene: Scene) -> Reply:
    """An answer to the last question, or a correction of an earlier one."""
    before = scene.state.draft
    if before.service and scene.service and scene.service.name != before.service and _only_asks(scene):
        return scene.reply(*services(scene)[:2], *again(scene), state=replace(scene.state, misses=0))
    draft = _merged(scene, before)
    step = scene.state.step
    if draft == before:
        draft = _proposed(scene, before)
    if draft == before and step is Step.BOOK_PHONE and (partial := _partial(scene)):
        return partial
    if draft == before:
        return missed(scene)
    return corrected(scene, advance(scene, draft))


def _only_asks(scene: Scene) -> bool:
    """Whether the caller asks about something, and does not ask for it instead of what is being booked."""
    said = scene.words
    return bool(said) and said[0] in _ASKING and not set(said) & _INSTEAD


def confirm(scene: Scene) -> Reply:
    """ "Is that right?" was answered: changed slots win over yes, yes over no."""
    draft = scene.state.draft
    changed = _merged(scene, draft) if scene.words not in (["1"], ["2"]) else draft
    if changed != draft:
        return corrected(scene, advance(scene, changed))
    if scene.meaning.intent is Intent.NO:
        return change(scene)
    if scene.meaning.intent is Intent.YES:
        return _booked(scene, draft)
    return missed(scene)


def change(scene: Scene) -> Reply:
    """ "What should I change?" """
    draft = _merged(scene, scene.state.draft)
    if draft != scene.state.draft:
        return corrected(scene, advance(scene, draft))
    said = set(scene.words)
    if said & {"time", "hour"}:
        draft = replace(draft, time=None, part=None, soon=False)
    elif said & {"day", "date"}:
        draft = replace(draft, day=None)
    elif "name" in said:
        draft = replace(draft, name="")
    elif said & {"number", "phone"}:
        draft = replace(draft, phone=None)
    elif said & {"service", "treatment"}:
        draft = replace(draft, service="")
    elif scene.state.step is Step.BOOK_CHANGE:
        return missed(scene)
    else:
        return _ask(scene, draft, Step.BOOK_CHANGE, scene.say("ask_change"))
    return advance(scene, draft)


def advance(scene: Scene, draft: Draft) -> Reply:
    """Check the draft and ask for the first thing that is missing, or read it back."""
    draft = _with_only_service(scene, draft)
    if not draft.service:
        names = scene.listing([s.name for s in scene.facts.services[:6]], "or")
        return _ask(scene, draft, Step.BOOK_SERVICE, scene.say("ask_service", services=names))
    if draft.day is None and draft.soon:
        draft = replace(draft, day=first_day(scene, draft))
    if draft.day is None:
        return _ask(scene, draft, Step.BOOK_DAY, scene.say("ask_day"))
    if problem := _day_problem(scene, draft, draft.day):
        return problem
    if draft.time is None and draft.soon and (first := first_time(scene, draft, draft.day)):
        draft = replace(draft, time=first, certain=True)
    if draft.day is None or draft.time is None:
        return _ask(scene, draft, Step.BOOK_TIME, _time_question(scene, draft))
    draft = resolved(scene, draft, draft.day, draft.time)
    if problem := _time_problem(scene, draft):
        return problem
    if not draft.name:
        return _ask(scene, draft, Step.BOOK_NAME, scene.say("ask_name"))
    if draft.phone is None:
        return _ask(scene, draft, Step.BOOK_PHONE, scene.say("ask_phone"))
    return _ask(scene, draft, Step.BOOK_CONFIRM, _read_back(scene, draft))


def missed(scene: Scene) -> Reply:
    """The answer did not help: ask again, and after three times offer a message instead."""
    state = scene.state
    if state.misses + 1 >= _MISSES:
        parts = (scene.say("give_up"), scene.say("offer_message"))
        return scene.reply(*parts, state=State(Step.OFFER_MESSAGE, question=parts[1:]))
    return scene.reply(scene.say("not_caught"), *again(scene), state=replace(state, misses=state.misses + 1))


def again(scene: Scene) -> tuple[str, ...]:
    """The open question of a booking in a fresh wording."""
    draft, step = scene.state.draft, scene.state.step
    if step is Step.BOOK_DAY and scene.state.offered:
        return (scene.say("offer_day", day=scene.day(scene.state.offered).removeprefix("on ")),)
    keys = {
        Step.BOOK_DAY: "ask_day",
        Step.BOOK_NAME: "ask_name",
        Step.BOOK_PHONE: "ask_phone",
        Step.BOOK_CHANGE: "ask_change",
    }
    if step in keys:
        return (scene.say(keys[step]),)
    if step is Step.BOOK_TIME and draft.day:
        return (_time_question(scene, draft),)
    if step is Step.BOOK_CONFIRM:
        return (_read_back(scene, draft),)
    names = scene.listing([s.name for s in scene.facts.services[:6]], "or")
    return (scene.say("ask_service", services=names),)


def _ask(scene: Scene, draft: Draft, step: Step, *parts: str, offered: date | None = None) -> Reply:
    state = State(step, draft, question=parts[-1:], offered=offered, subject=draft.service)
    return scene.reply(*parts, state=state)


def _merged(scene: Scene, draft: Draft) -> Draft:
    """The draft with everything that the caller said now."""
    step, said = scene.state.step, scene.when
    digits = slots.callback(scene.words) if step is Step.BOOK_PHONE or len(scene.words) >= 3 else None
    phone = digits if digits and len(digits) >= 7 else None
    if step is Step.BOOK_PHONE:
        phone = _phone(scene, digits)
    name = slots.stated_name(scene.text)
    if step is Step.BOOK_NAME and not name and said.day is None and said.time is None:
        name = slots.bare_name(scene.text)
    if scene.service and not (step is Step.BOOK_NAME and name):
        draft = replace(draft, service=scene.service.name)
    if not digits or step is not Step.BOOK_PHONE:
        draft = _with_when(scene, draft)
    if name:
        draft = replace(draft, name=name)
    return replace(draft, phone=phone) if phone is not None else draft


def _with_when(scene: Scene, draft: Draft) -> Draft:
    said = scene.when
    if said.day is not None:
        draft = replace(draft, day=said.day)
    if said.time is not None:
        same = (
            draft.time is not None
            and not said.certain
            and said.time.replace(hour=said.time.hour % 12) == (draft.time.replace(hour=draft.time.hour % 12))
        )
        if not same:
            draft = replace(draft, time=said.time, certain=said.certain, part=said.part or draft.part)
    elif said.part is not None and (draft.part != said.part):
        draft = replace(draft, part=said.part, time=None)
    return replace(draft, soon=True) if said.soon else draft


def _phone(scene: Scene, digits: str | None) -> str | None:
    if digits is None or not digits.isdigit():
        return digits
    whole = scene.state.digits + digits
    return whole if len(whole) >= 7 else None


def _partial(scene: Scene) -> Reply | None:
    """The beginning of a number: keep it and wait for the rest; the same again without digits ends it."""
    digits = slots.callback(scene.words)
    if not digits or not digits.isdigit():
        return advance(scene, replace(scene.state.draft, phone=scene.state.digits)) if _ended(scene) else None
    so_far = scene.state.digits + digits
    state = replace(scene.state, digits=so_far, misses=0)
    return scene.reply(scene.say("go_on", digits=" ".join(so_far)), state=state)


def _ended(scene: Scene) -> bool:
    return bool(scene.state.digits) and scene.meaning.intent in (Intent.YES, Intent.NO, Intent.GOODBYE)


def _proposed(scene: Scene, draft: Draft) -> Draft:
    """Answers without a slot: yes to an offered day, "I don't mind", no to a number."""
    step, intent, state = scene.state.step, scene.meaning.intent, scene.state
    if step is Step.BOOK_DAY and state.offered and intent is Intent.YES:
        return replace(draft, day=state.offered)
    if step is Step.BOOK_DAY and intent is Intent.UNSURE:
        return replace(draft, day=first_day(scene, draft))
    if step is Step.BOOK_TIME and intent is Intent.UNSURE:
        return replace(draft, soon=True)
    if step is Step.BOOK_PHONE and intent in (Intent.NO, Intent.UNSURE) and not state.digits:
        return replace(draft, phone="")
    return draft


def _with_only_service(scene: Scene, draft: Draft) -> Draft:
    if draft.service or len(scene.facts.services) > 1:
        return draft
    only = scene.facts.services[0].name if scene.facts.services else "appointment"
    return replace(draft, service=only)


def _day_problem(scene: Scene, draft: Draft, day: date) -> Reply | None:
    name = scene.day(day)
    nameless = replace(draft, day=None)
    if day < scene.today:
        return _ask(scene, nameless, Step.BOOK_DAY, scene.say("day_past"), scene.say("ask_day"))
    if day > scene.today + timedelta(AHEAD_DAYS):
        return _ask(scene, nameless, Step.BOOK_DAY, scene.say("day_far"), scene.say("ask_day"))
    if scene.hours.on(day) is None or last_start(scene, draft, day):
        return None
    offered = scene.hours.next_open_day(day)
    problem = scene.say("day_closed" if not scene.hours.on(day) else "closed_now", on_day=name)
    if offered is None:
        return _ask(scene, nameless, Step.BOOK_DAY, problem, scene.say("ask_day"))
    offer = scene.say("offer_day", day=scene.day(offered).removeprefix("on "))
    return _ask(scene, nameless, Step.BOOK_DAY, problem, offer, offered=offered)


def _time_question(scene: Scene, draft: Draft) -> str:
    day = scene.day(draft.day or scene.today)
    if draft.part:
        return scene.say("ask_time_part", on_day=day, part=scene.language.part_of_day(draft.part))
    return scene.say("ask_time", on_day=day)


def _time_problem(scene: Scene, draft: Draft) -> Reply | None:
    assert draft.day is not None
    assert draft.time is not None
    day, name, service = draft.day, scene.day(draft.day), service_of(scene, draft)
    timeless = replace(draft, time=None, certain=False, part=None, soon=False)
    question = scene.say("ask_time", on_day=name)
    if datetime.combine(day, draft.time) <= scene.now.replace(tzinfo=None):
        return _ask(scene, timeless, Step.BOOK_TIME, scene.say("time_past"), question)
    if scene.hours.fits(day, draft.time, service.minutes):
        return None
    last = last_start(scene, draft, day)
    if scene.hours.fits(day, draft.time, 0) and last:
        plain = capital(scene.language.article(service.name))
        said = {"service": plain, "minutes": str(service.minutes), "on_day": name, "last": scene.clock(last)}
        return _ask(scene, timeless, Step.BOOK_TIME, scene.say("time_too_long", **said), question)
    opened = scene.say("time_outside", day=name, on_day_capital=capital(name), spans=scene.spans(day))
    return _ask(scene, timeless, Step.BOOK_TIME, opened, question)


def phone_phrase(scene: Scene, phone: str | None) -> str:
    if not phone:
        return ""
    return str(scene.language.PHRASES["with_phone"][0]).format(
        phone=grouped(phone) if phone.isdigit() else phone
    )


def _read_back(scene: Scene, draft: Draft) -> str:
    assert draft.day is not None
    assert draft.time is not None
    return scene.say(
        "confirm_booking",
        service=scene.language.article(draft.service),
        day=scene.language.full_day(draft.day, scene.today),
        time=scene.clock(draft.time),
        name=draft.name,
        phone=phone_phrase(scene, draft.phone),
    )


def _booked(scene: Scene, draft: Draft) -> Reply:
    assert draft.day is not None
    assert draft.time is not None
    said = scene.say(
        "booked",
        day=scene.day(draft.day),
        time=scene.clock(draft.time),
        reference=" ".join(scene.reference),
    )
    arguments = {
        "service": draft.service,
        "date": draft.day.isoformat(),
        "time": f"{draft.time:%H:%M}",
        "minutes": service_of(scene, draft).minutes,
        "name": draft.name,
        "phone": draft.phone or "",
        "reference": scene.reference,
    }
    state = State(Step.ANYTHING_ELSE, subject=subject(scene))
    return scene.reply(said, scene.say("anything_else"), state=state, calls=(ToolCall("book", arguments),))
