"""The dialogue as a table {step: {intent: move}}: from a line of the caller to a reply. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from offhook.speech.base import ToolCall
from offhook.speech.llm.receptionist import booking, notes, slots
from offhook.speech.llm.receptionist.answers import answer, subject
from offhook.speech.llm.receptionist.intents import FACTS, Intent
from offhook.speech.llm.receptionist.patterns import OPENERS
from offhook.speech.llm.receptionist.scene import Scene
from offhook.speech.llm.receptionist.state import BOOKING, NOTE, Reply, State, Step

Move = Callable[[Scene], Reply]


def open_question(scene: Scene) -> tuple[str, ...]:
    """The question that is still to be answered after an aside."""
    step = scene.state.step
    if step in BOOKING:
        return booking.again(scene)
    if step in NOTE:
        return notes.again(scene)
    keys = {Step.OFFER_MESSAGE: "offer_message", Step.OFFER_BOOKING: "offer_booking"}
    return (scene.say(keys[step]),) if step in keys else ()


def facts(scene: Scene) -> Reply:
    """Answer from facts (two questions at most), then come back to what was asked."""
    asked = [m for m in scene.meanings if m.intent in FACTS] or [scene.meaning]
    parts = answer(scene, asked[0].intent, asked[0].question)
    if len(asked) > 1 and asked[1].intent is not asked[0].intent:
        parts = parts[:1] + answer(scene, asked[1].intent, asked[1].question)[:1]
    step = scene.state.step
    back = open_question(scene) if step in BOOKING | NOTE else ()
    state = scene.state if back else replace(scene.state, step=Step.OPEN)
    return scene.reply(*parts[:2], *back, state=replace(state, misses=0, subject=subject(scene)))


def aside(*keys: str, ask: bool = False) -> Move:
    """Say these phrases and stay where we are; `ask` comes back to the open question or offers help."""

    def move(scene: Scene) -> Reply:
        parts = [scene.say(key, business=scene.facts.business) for key in keys]
        back = open_question(scene) if ask else ()
        if ask and not back:
            return ask_else(scene, *parts)
        return scene.reply(*parts, *back, state=scene.state)

    return move


def ask_else(scene: Scene, *parts: str) -> Reply:
    state = State(Step.ANYTHING_ELSE, subject=scene.state.subject)
    return scene.reply(*parts, scene.say("anything_else"), state=state)


def greet(scene: Scene) -> Reply:
    back = open_question(scene)
    return scene.reply(*back, state=scene.state) if back else scene.reply(scene.say("greet"))


def repeat(scene: Scene) -> Reply:
    """Say the last reply again, marked as a repetition."""
    text = " ".join(scene.state.said) or scene.heard
    if not text:
        return scene.reply(scene.say("how_help"))
    for again in scene.language.PHRASES["repeat"]:
        text = text.removeprefix(again.format(text=""))
    return scene.reply(scene.say("repeat", text=text), state=scene.state)


def help_topics(scene: Scene) -> Reply:
    known = scene.facts
    topics = [
        name
        for name, there in (
            ("opening hours", scene.hours.known),
            ("services", known.services),
            ("prices", any(s.price for s in known.services)),
            ("address", known.address),
        )
        if there
    ] or ["business"]
    key = "help_booking" if known.booking else "help"
    return scene.reply(scene.say(key, topics=scene.listing(topics)), *open_question(scene), state=scene.state)


def goodbye(scene: Scene) -> Reply:
    """Say goodbye and hang up; a draft that was not confirmed is said to be dropped."""
    step = scene.state.step
    parts = [scene.say("not_booked")] if step in BOOKING else []
    parts += [scene.say("not_sent")] if step in NOTE else []
    hang_up = ToolCall("hang_up")
    return scene.reply(*parts, scene.agent.goodbye, state=State(), calls=(hang_up,))


def human(scene: Scene) -> Reply:
    if scene.agent.consult:
        asking = ToolCall("transfer_to_human", {"reason": scene.text[:200]})
        return scene.reply(scene.agent.one_moment, state=State(), calls=(asking,))
    if not scene.facts.transfer_to:
        return notes.start(scene, scene.say("no_transfer"))
    call = ToolCall("transfer", {"to": scene.facts.transfer_to})
    return scene.reply(scene.say("transfer"), state=State(), calls=(call,))


def cancel(scene: Scene) -> Reply:
    if scene.state.step in (Step.OPEN, Step.ANYTHING_ELSE):
        return ask_else(scene, scene.say("nothing_to_cancel"))
    return ask_else(scene, scene.say("cancelled"))


def change_booking(scene: Scene) -> Reply:
    parts = (scene.say("change_booking"), scene.say("offer_message"))
    return scene.reply(*parts, state=State(Step.OFFER_MESSAGE))


def emergency(scene: Scene) -> Reply:
    return scene.reply(scene.say("emergency"), state=scene.state)


def unknown(scene: Scene) -> Reply:
    """No answer: say so, and offer a message; a language model may speak instead."""
    if not scene.words:
        return scene.reply(scene.say("not_caught"), *open_question(scene), state=scene.state)
    if _foreign(scene.text):
        parts = (scene.say("english_only"), scene.say("offer_message"))
        return scene.reply(*parts, state=State(Step.OFFER_MESSAGE))
    if _like_booking(scene):
        return booking.start(scene)
    if scene.state.misses >= 2 and (scene.facts.transfer_to or scene.agent.consult):
        return human(scene)
    if len(scene.words) < 3 and not scene.state.misses and scene.state.step is not Step.OFFER_MESSAGE:
        state = replace(scene.state, misses=1)
        return scene.reply(scene.say("unsure_what"), scene.say("how_help"), state=state)
    key = "unsure_what" if len(scene.words) < 3 else "unknown"
    state = replace(scene.state, step=Step.OFFER_MESSAGE, misses=scene.state.misses + 1)
    reply = scene.reply(scene.say(key), scene.say("offer_message"), state=state)
    return replace(reply, known=False)


_ASKING = frozenset({"what", "who", "why", "how", "where", "which", "is", "are", "does", "did", "was"})
_ASKING_TOO = _ASKING | {"when", "can", "could", "may", "do", "will", "would", "should", "am", "were", "have"}


def _like_booking(scene: Scene) -> bool:
    """Whether a line that asks nothing names a service, or a day and time: "Tuesday at three, please"."""
    if not scene.facts.booking or scene.state.step is Step.OFFER_MESSAGE or scene.words[0] in _ASKING:
        return False
    return bool(scene.service or (scene.when.day and scene.when.time))


def _foreign(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 3 and sum(c > "ɏ" for c in letters) * 2 > len(letters)


def decline_offer(scene: Scene) -> Reply:
    return ask_else(scene, scene.say("all_right"))


def yes_open(scene: Scene) -> Reply:
    """ "Okay" after an answer, or yes to nothing."""
    return ask_else(scene) if scene.state.said else scene.reply(scene.say("how_help"))


def note(scene: Scene) -> Reply:
    return notes.start(scene)


EVERYWHERE: dict[Intent, Move] = {
    Intent.GREET: greet,
    Intent.HOW_ARE_YOU: aside("how_are_you"),
    Intent.ROBOT: aside("robot", ask=True),
    Intent.REPEAT: repeat,
    Intent.THANKS: aside("welcome", ask=True),
    Intent.GOODBYE: goodbye,
    Intent.HELP: help_topics,
    Intent.BOOK: booking.start,
    Intent.MESSAGE: note,
    Intent.HUMAN: human,
    Intent.CANCEL: cancel,
    Intent.CHANGE_BOOKING: change_booking,
    Intent.WAIT: aside("take_your_time"),
    Intent.EMERGENCY: emergency,
    Intent.YES: yes_open,
    Intent.NO: decline_offer,
    Intent.UNSURE: unknown,
    Intent.UNKNOWN: unknown,
    **dict.fromkeys(FACTS, facts),
}

_BOOKING_ASIDES = frozenset(
    {Intent.BOOK, Intent.YES, Intent.NO, Intent.UNSURE, Intent.UNKNOWN, Intent.CHANGE_BOOKING}
)
_ANSWERED_BY_SLOTS: dict[Intent, Move] = dict.fromkeys(_BOOKING_ASIDES, booking.fill)
_ALWAYS = frozenset(
    {Intent.GOODBYE, Intent.CANCEL, Intent.HUMAN, Intent.REPEAT, Intent.WAIT, Intent.EMERGENCY, Intent.ROBOT}
)
_DICTATED: dict[Intent, Move] = {intent: notes.fill for intent in Intent if intent not in _ALWAYS}

TABLE: dict[Step, dict[Intent, Move]] = {
    Step.OPEN: {},
    Step.ANYTHING_ELSE: {Intent.NO: goodbye, Intent.THANKS: goodbye},
    Step.OFFER_MESSAGE: {Intent.YES: note},
    Step.OFFER_BOOKING: {Intent.YES: booking.start},
    Step.BOOK_SERVICE: _ANSWERED_BY_SLOTS,
    Step.BOOK_DAY: _ANSWERED_BY_SLOTS,
    Step.BOOK_TIME: _ANSWERED_BY_SLOTS,
    Step.BOOK_NAME: _ANSWERED_BY_SLOTS,
    Step.BOOK_PHONE: _ANSWERED_BY_SLOTS | {Intent.PHONE: booking.fill},
    Step.BOOK_CONFIRM: dict.fromkeys(_BOOKING_ASIDES, booking.confirm),
    Step.BOOK_CHANGE: dict.fromkeys(_BOOKING_ASIDES, booking.change),
    Step.NOTE_NAME: _DICTATED | {Intent.NO: cancel},
    Step.NOTE_PHONE: _DICTATED,
    Step.NOTE_TEXT: _DICTATED,
    Step.NOTE_CONFIRM: _DICTATED | dict.fromkeys((Intent.YES, Intent.NO, Intent.UNKNOWN), notes.confirm),
    Step.NOTE_CHANGE: dict.fromkeys(_DICTATED, notes.change),
}


def respond(scene: Scene) -> Reply:
    """The reply to the caller's line."""
    step, intent = scene.state.step, scene.meaning.intent
    if move := _follow_up(scene) or _by_slots(scene):
        return move(scene)
    return TABLE[step].get(intent, EVERYWHERE[intent])(scene)


def _follow_up(scene: Scene) -> Move | None:
    """ "And on Sunday?" asks for the hours of another day."""
    short = scene.words[:1] == ["and"] or scene.words[:2] in (["what", "about"], ["how", "about"])
    asks = short and len(scene.words) <= 5 and not scene.meaning.sure and scene.when.day is not None
    if not asks or scene.state.step not in (Step.OPEN, Step.ANYTHING_ELSE):
        return None
    return hours_of_day


def hours_of_day(scene: Scene) -> Reply:
    return scene.reply(*answer(scene, Intent.HOURS))


def _by_slots(scene: Scene) -> Move | None:
    """Where an answer to the open question is plain from its slots, whatever else it resembles."""
    step, intent, sure = scene.state.step, scene.meaning.intent, scene.meaning.sure
    if intent in _ALWAYS and sure:
        return _short_only(scene)
    if step in (Step.NOTE_NAME, Step.NOTE_PHONE) and (move := _instead(scene)):
        return move
    if step in NOTE:
        aside = sure and intent in FACTS and step is not Step.NOTE_TEXT and not _is_name(scene)
        return facts if aside else None if sure else TABLE[step][Intent.UNKNOWN]
    if step is Step.BOOK_NAME and _is_name(scene):
        return booking.fill
    if step is Step.BOOK_PHONE and slots.callback(scene.words) is not None:
        return booking.fill
    slotted = scene.service or scene.when.day or scene.when.time or scene.when.part or scene.when.soon
    if step in BOOKING and (slots.callback(scene.words) or "").isdigit() and "my" in scene.words:
        return TABLE[step][Intent.UNKNOWN]
    if step in BOOKING and slotted and not (sure and intent in FACTS):
        return TABLE[step][Intent.UNKNOWN]
    return None


_WISHES = frozenset(FACTS | {Intent.BOOK, Intent.MESSAGE, Intent.CHANGE_BOOKING, Intent.HELP})


def _instead(scene: Scene) -> Move | None:
    """In a message that has no name yet: another wish, or a question, which leaves the message. With a
    name, what cannot be answered is said to be so, and the number is asked for again."""
    named = slots.stated_name(scene.text)
    intent, sure = scene.meaning.intent, scene.meaning.sure
    asks = intent is Intent.UNKNOWN and _asks(scene)
    if scene.state.step is Step.NOTE_PHONE:
        if slots.callback(scene.words) is not None:
            return None
        return no_answer if asks else change_later if sure and intent is Intent.CHANGE_BOOKING else None
    if named or (slots.bare_name(scene.text) and not sure):
        return None
    return EVERYWHERE[intent] if intent in _WISHES or asks else None


def _asks(scene: Scene) -> bool:
    words = OPENERS.sub("", " ".join(scene.words) + " ").split() or scene.words
    return scene.text.rstrip().endswith("?") or (bool(words) and words[0] in _ASKING_TOO)


def no_answer(scene: Scene) -> Reply:
    """Say so, and ask again; it counts as an answer that did not help."""
    if scene.state.misses >= 2:
        return notes.missed(scene)
    state = replace(scene.state, misses=scene.state.misses + 1)
    return scene.reply(scene.say("unknown"), *notes.again(scene), state=state)


change_later = aside("change_booking", ask=True)


def _short_only(scene: Scene) -> Move | None:
    """In a dictated message a long line is the message, even if it says bye or wait."""
    if scene.state.step is Step.NOTE_TEXT and len(scene.words) > 6:
        return notes.fill
    return None


def _is_name(scene: Scene) -> bool:
    if scene.meaning.sure and scene.meaning.intent in FACTS:
        return bool(slots.stated_name(scene.text))
    return bool(slots.bare_name(scene.text)) and scene.meaning.intent not in (
        Intent.YES,
        Intent.NO,
        Intent.UNSURE,
    )
