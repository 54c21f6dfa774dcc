"""English: the receptionist's phrases, and how it says days, times and lists. One table per language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

PHRASES: dict[str, tuple[str, ...]] = {
    "greet": ("Hello! How can I help you?", "Hi! What can I do for you?"),
    "how_are_you": (
        "I'm doing well, thank you. How can I help you?",
        "Very well, thanks. What can I do for you?",
    ),
    "robot": (
        "Yes, I'm an automated assistant for {business}.",
        "I'm a computer program that answers calls for {business}, not a person.",
    ),
    "help": (
        "I can tell you about our {topics}, or take a message.",
        "You can ask me about our {topics}, or leave a message.",
    ),
    "help_booking": (
        "I can tell you about our {topics}, book an appointment, or take a message.",
        "You can ask me about our {topics}, book an appointment, or leave a message.",
    ),
    "welcome": ("You're welcome.", "My pleasure."),
    "anything_else": ("Is there anything else I can help you with?", "Can I help you with anything else?"),
    "all_right": ("All right.", "Okay."),
    "how_help": ("How can I help you?", "What can I do for you?"),
    "take_your_time": ("Take your time.", "No hurry, I'm here."),
    "emergency": ("If this is an emergency, please hang up and call your local emergency number now.",),
    "not_caught": ("Sorry, I didn't catch that.", "I'm sorry, I didn't get that."),
    "repeat": ("I said: {text}", "What I said was: {text}"),
    "again": ("As I said: {text}", "Once more: {text}"),
    "colleague": ("My colleague told you: {said} That stands.",),
    "english_only": ("I'm sorry, I can only speak English.", "Sorry, I only understand English."),
    "unknown": (
        "I'm sorry, I don't know that.",
        "I'm afraid I have no information on that.",
        "Sorry, that is something I can't answer.",
    ),
    "unsure_what": (
        "I'm sorry, I'm not sure I understood.",
        "Sorry, I didn't quite follow.",
    ),
    "offer_message": (
        "Would you like to leave a message for the team?",
        "Shall I take a message, so that someone can get back to you?",
    ),
    "offer_booking": ("Would you like to book an appointment?", "Shall I book you in?"),
    "no_booking": ("I can't make bookings on this line.", "Bookings aren't possible on this line."),
    "change_booking": (
        "I can't see existing bookings, so I can't change or cancel one myself.",
        "Only the team can see existing bookings, and change or cancel them.",
    ),
    "transfer": ("One moment, I'll put you through.", "I'm connecting you now, one moment please."),
    "no_transfer": (
        "I can't put you through, but I can take a message.",
        "Nobody can take the call right now, but I can take a message.",
    ),
    "cancelled": ("All right, I've dropped that.", "Okay, never mind then."),
    "nothing_to_cancel": ("That's fine.", "No problem."),
    "not_booked": ("All right, I haven't booked anything.",),
    "not_sent": ("All right, I haven't passed on any message.",),
    # facts
    "open_on": ("{day} we're open {spans}.", "Our hours {on_day} are {spans}."),
    "closed_on": ("{day} we're closed.", "We're not open {on_day}."),
    "next_open": ("We open again {when}.", "The next opening is {when}."),
    "hours_unknown_on": ("I don't have our opening hours for {day}.",),
    "hours_unknown": ("I don't have our opening hours.",),
    "open_now": ("Yes, we're open now, until {time}.", "Yes, we're here until {time} today."),
    "closed_now": ("No, we're closed right now.", "We're closed at the moment."),
    "open_then": ("Yes, {day} at {time} we're open.", "Yes, we're open {on_day} at {time}."),
    "closed_then": ("No, {day} at {time} we're closed.", "We're not open {on_day} at {time}."),
    "week": ("We're open {days}.", "Our hours are {days}."),
    "week_closed": ("We're closed on {days}.", "On {days} we're closed."),
    "price": ("{service} is {price}.", "The price for {service_plain} is {price}."),
    "prices": ("{prices}.", "Our prices are: {prices}."),
    "prices_more": ("For which service would you like the price?", "Which service do you mean?"),
    "no_price": ("I don't have a price for that.", "I have no price for that one."),
    "no_price_for": ("I don't have a price for {service_plain}.",),
    "services": ("We offer {services}.", "Our services are {services}."),
    "service_yes": ("Yes, we offer {service_plain}.", "Yes, you can get {service_plain} here."),
    "no_services": ("I don't have a list of our services.",),
    "duration": (
        "{service} takes about {minutes} minutes.",
        "Plan about {minutes} minutes for {service_plain}.",
    ),
    "which_service": ("Which service do you mean?", "For which service?"),
    "address": ("We're at {address}.", "Our address is {address}."),
    "no_address": ("I don't have our address here.",),
    "phone": ("Our phone number is {phone}.", "You can call us on {phone}."),
    "no_phone": ("I don't have another phone number for us.",),
    "email": ("Our email address is {email}.", "You can write to {email}."),
    "no_email": ("I don't have an email address for us.",),
    "website": ("Our website is {website}.", "You find us online at {website}."),
    "no_website": ("I don't have a website for us.",),
    "business": ("This is {business}.", "You've reached {business}."),
    "time_now": ("It's {time}, {day}.", "It is {day}, {time}."),
    # booking
    "ask_service": ("What would you like to book: {services}?", "Which service would you like: {services}?"),
    "ask_day": ("Which day would suit you?", "What day would you like to come?"),
    "ask_time": ("What time {on_day} would you like?", "At what time {on_day}?"),
    "ask_time_part": (
        "What time in the {part} {on_day}?",
        "Which time in the {part} would you like, {on_day}?",
    ),
    "ask_name": (
        "May I have your name?",
        "What name shall I book it under?",
        "Could you tell me your name, please?",
    ),
    "ask_phone": (
        "What phone number can we reach you on? You can say skip.",
        "Could you give me a phone number, or say skip?",
    ),
    "go_on": ("I have {digits} so far, please go on.", "Got {digits}, what comes next?"),
    "confirm_booking": (
        "That's {service} {day} at {time}, for {name}{phone}. Is that right?",
        "So I have {service} {day} at {time}, for {name}{phone}. Is that correct?",
    ),
    "with_phone": (", phone {phone}",),
    "booked": ("Thank you, your booking is noted, {day} at {time}. Your reference is {reference}.",),
    "ask_change": (
        "What should I change?",
        "Which part should I change: the service, day, time, name or number?",
    ),
    "changed": ("{what}, then.", "All right, {what}."),
    "day_past": ("That day has already passed.", "That day is over already."),
    "day_far": (
        "I can only book up to six months ahead.",
        "That's more than six months ahead, which I can't book.",
    ),
    "day_closed": ("We're closed {on_day}.", "Unfortunately we're closed {on_day}."),
    "offer_day": ("Would {day} suit you?", "How about {day}?"),
    "time_outside": ("{day} we're open {spans}.", "{on_day_capital} our hours are {spans}."),
    "time_too_long": (
        "{service} takes {minutes} minutes, so the last start {on_day} is {last}.",
        "The last start {on_day} for that is {last}.",
    ),
    "time_past": ("That time has already passed.", "It's already later than that."),
    "give_up": ("I'm sorry, I'm having trouble understanding.", "Sorry, we don't seem to get any further."),
    # messages
    "ask_note_name": ("Who is the message from?", "May I have your name, please?", "What is your name?"),
    "ask_note_phone": (
        "What number can we call you back on? You can say skip.",
        "And your phone number, please, or say skip.",
    ),
    "ask_note_text": ("What is your message?", "What would you like me to pass on?"),
    "confirm_note": (
        "From {name}{phone}, the message is: {text} Shall I pass it on?",
        "I have, from {name}{phone}: {text} Is that right?",
    ),
    "noted": ("Thank you, I've taken your message.", "Thanks, your message is noted."),
    "ask_note_change": ("What should I change: the name, the number or the message?", "Which part is wrong?"),
}

CALL_BACK = "Please call back."
_ORDINAL = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def clock(moment: time) -> str:
    """09:00 -> "9 am", 12:00 -> "noon", 14:30 -> "2:30 pm"."""
    if (moment.hour, moment.minute) == (12, 0):
        return "noon"
    if (moment.hour, moment.minute) in {(0, 0), (23, 59)}:
        return "midnight"
    minutes = f":{moment.minute:02d}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes} {'am' if moment.hour < 12 else 'pm'}"


def calendar_day(day: date, today: date) -> str:
    """ "today", "tomorrow", "on Friday", "on Friday, March 13th"."""
    ahead = (day - today).days
    if ahead in (0, 1):
        return ("today", "tomorrow")[ahead]
    name = f"on {day:%A}"
    return name if 1 < ahead < 7 else f"{name}, {day:%B} {day.day}{_ORDINAL.get(day.day, 'th')}"


def full_day(day: date, today: date) -> str:
    """For reading back: "today, Friday", "tomorrow, Friday", "on Friday, March 13th"."""
    ahead = (day - today).days
    if ahead in (0, 1):
        return f"{('today', 'tomorrow')[ahead]}, {day:%A},"
    return f"on {day:%A}, {day:%B} {day.day}{_ORDINAL.get(day.day, 'th')},"


def spans(times: Sequence[tuple[time, time]]) -> str:
    """ "from 9 am to noon and from 2 pm to 6 pm"."""
    return listing([f"from {clock(start)} to {clock(end)}" for start, end in times])


def listing(items: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def article(name: str) -> str:
    """A service with its article: "a haircut", "colouring"."""
    last = name.split()[-1].casefold() if name.split() else ""
    if last.endswith(("ing", "care", "advice", "work")) or (last.endswith("s") and not last.endswith("ss")):
        return name
    return f"an {name}" if name[:1].casefold() in "aeiou" else f"a {name}"


def week(days: Sequence[Sequence[tuple[time, time]] | None], today: date) -> tuple[str, str]:
    """A week in two phrases: open days in runs of equal hours, and closed days; either may be empty."""
    monday = today - timedelta(today.weekday())
    names = [f"{monday + timedelta(index):%A}" for index in range(7)]
    runs: list[tuple[int, int]] = []
    for index, hours in enumerate(days):
        if not hours:
            continue
        if runs and runs[-1][1] == index - 1 and days[index - 1] == hours:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    opened = [f"{_run(names, run)} {spans(days[run[0]] or ())}" for run in runs]
    closed = [f"{name}s" for name, hours in zip(names, days, strict=True) if hours is not None and not hours]
    return listing(opened, "and"), listing(closed, "and")


def _run(names: Sequence[str], run: tuple[int, int]) -> str:
    first, last = run
    if first == last:
        return f"{names[first]}"
    return f"{names[first]} {'and' if last == first + 1 else 'to'} {names[last]}"


def part_of_day(part: tuple[int, int]) -> str:
    return {6: "morning", 12: "afternoon", 11: "middle of the day"}.get(part[0], "evening")


def moment(when: datetime, now: datetime) -> str:
    """ "tomorrow at 9 am"."""
    return f"{calendar_day(when.date(), now.date())} at {clock(when.time())}"
