"""Entities on a call's timeline: told once, mentions, numbers over turns, an operator's own. No audio."""

from __future__ import annotations

from typing import Any

from offhook.call.timeline import Timeline
from offhook.desk.entities.watch import MOST, EntityWatch
from offhook.foundation.clock import ManualClock
from offhook.foundation.desk_events import EntityFound, EntityMentioned, EntityPinned
from offhook.foundation.events import Entry, LegKind, Notice, TranscriptFinal

CALLER, AGENT, OPERATOR = LegKind.CALLER, LegKind.AGENT, LegKind.OPERATOR


class Call:
    """A timeline with a watch on it, and another sink after it, as a screen that joins later."""

    def __init__(self) -> None:
        self.seen: list[Entry] = []
        self.late: list[Entry] = []
        self.timeline = Timeline("call_x", ManualClock(), (self.seen.append,))
        self.timeline.add(EntityWatch(self.timeline.emit))
        self.timeline.watch(self.late.append)
        self.now = 0
        self.turn = 0

    def say(self, leg: LegKind, text: str, after: int = 500, speaker: str = "", language: str = "en") -> None:
        self.turn += 1
        start = self.now + after
        self.now = start + 1000
        self.timeline.emit(TranscriptFinal(leg, self.turn, text, start, self.now, language, speaker=speaker))

    def of(self, kind: type[Any]) -> list[Any]:
        return [entry.event for entry in self.seen if isinstance(entry.event, kind)]

    @property
    def found(self) -> list[tuple[str, str, str]]:
        return [(one.id, one.type, one.value) for one in self.of(EntityFound)]


def test_each_value_is_told_once_and_mentions_after() -> None:
    call = Call()
    call.say(CALLER, "My card is 4111 1111 1111 1111, yes 4111 1111 1111 1111.")
    call.say(AGENT, "So four one one one, one one one one, one one one one, one one one one?")
    assert call.found == [("entity_1", "card", "4111111111111111")]
    (mention,) = call.of(EntityMentioned)
    assert (mention.id, mention.leg, mention.turn, mention.start) == ("entity_1", AGENT, 2, 3)


def test_all_legs_are_followed_and_moments_are_within_the_turn() -> None:
    call = Call()
    call.say(OPERATOR, "Hello there, you can always write to help at offhook dot dev", speaker="seat_1")
    (found,) = call.of(EntityFound)
    assert (found.leg, found.type, found.value) == (OPERATOR, "email", "help@offhook.dev")
    assert 900 < found.at_ms < 1_300


def test_every_sink_sees_one_order() -> None:
    call = Call()
    call.say(CALLER, "my name is Maria Lopez")
    call.timeline.emit(Notice("later"))
    kinds = ["transcript_final", "entity", "notice"]
    assert [entry.event.kind for entry in call.seen] == kinds
    assert [entry.event.kind for entry in call.late] == kinds
    assert [entry.seq for entry in call.late] == [1, 2, 3]


def test_a_number_over_turns_is_joined_over_the_other_ones_mm_hmm() -> None:
    call = Call()
    call.say(AGENT, "Can I have your card number please?")
    call.say(CALLER, "Sure, it's four one one one, one one one one.")
    call.say(AGENT, "Mm-hmm.")
    call.say(CALLER, "And then one one one one,")
    call.say(CALLER, "one one one one. That's it.")
    (found,) = call.of(EntityFound)
    assert (found.type, found.value, found.turn) == ("card", "4111111111111111", 5)
    assert found.at_ms == 2_000


def test_a_number_that_goes_on_takes_the_place_of_what_was_told() -> None:
    call = Call()
    call.say(CALLER, "My account number is 1234 5678.")
    call.say(CALLER, "Nine oh.")
    assert call.found == [
        ("entity_1", "bank_account", "12345678"),
        ("entity_1", "bank_account", "1234567890"),
    ]


def test_what_only_begins_with_a_number_joins_nothing() -> None:
    for text, after in (
        ("Two more things, please.", 100),
        ("Fifty dollars.", 100),
        ("9 0.", 30_000),
        ("No, 9 0.", 100),
    ):
        call = Call()
        call.say(CALLER, "My account number is 1234 5678.")
        call.say(CALLER, text, after)
        assert ("entity_1", "bank_account", "1234567890") not in call.found, text
        assert call.found[0] == ("entity_1", "bank_account", "12345678")


def test_a_complete_number_does_not_go_on() -> None:
    call = Call()
    call.say(CALLER, "My card is 4111 1111 1111 1111")
    call.say(CALLER, "1 2 3")
    assert len(call.found) == 1


def test_another_speaker_of_the_same_leg_joins_nothing() -> None:
    call = Call()
    call.say(OPERATOR, "My account number is 1234 5678", speaker="seat_1")
    call.say(OPERATOR, "9 0", speaker="seat_2")
    assert call.found == [("entity_1", "bank_account", "12345678")]


def test_what_an_operator_added_is_known() -> None:
    call = Call()
    call.timeline.emit(EntityPinned("entity_1", "p", True))
    call.timeline.emit(EntityPinned("own_1", "p", True, {"type": "name", "value": "Maria", "at_ms": 3}))
    call.say(CALLER, "My name is Maria.")
    assert call.found == []
    assert call.of(EntityMentioned)[0].id == "own_1"


def test_entities_of_a_call_are_bounded() -> None:
    call = Call()
    for number in range(MOST + 20):
        call.say(CALLER, f"that is ${number + 1}000")
    call.timeline.emit(EntityPinned("own_1", "p", True, {"type": "name", "value": "Maria", "at_ms": 3}))
    call.say(CALLER, "My account number is 12 34 56")
    call.say(CALLER, "78")
    call.say(CALLER, "1 2 3 4 5 6 7 8 9 0 " * 100)
    call.say(CALLER, "1 2")
    assert len(call.found) == MOST


def test_a_long_row_of_turns_in_digits_is_given_up() -> None:
    call = Call()
    for _ in range(40):
        call.say(CALLER, "nine nine nine nine nine nine nine nine nine nine nine nine")
    assert call.found == []
