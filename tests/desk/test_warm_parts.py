"""The pure parts of a warm transfer: the table of steps, targets, the briefing, what is said in return."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.desk.warm.briefing import Briefing, brief
from offhook.desk.warm.briefing_words import LINES, WORDS, line
from offhook.desk.warm.questions import read_answer
from offhook.desk.warm.steps import ENDS, TABLE, Signal, Step, Steps, diagram
from offhook.desk.warm.targets import Colleague, Kind, Target, fitting, read_target
from offhook.foundation.consult_events import ConsultState
from offhook.foundation.desk_events import Emotion, EntityFound, RiskSeen, SentimentFound, WarningLevel
from offhook.foundation.errors import RefusedError, SettingsError
from offhook.foundation.events import Entry, LegKind, ToolCalled, TranscriptFinal
from offhook.foundation.people import Person, Role
from offhook.settings import Settings
from offhook.settings.sources import load

S = ConsultState


def test_every_way_through_the_table_ends_and_gives_the_caller_to_somebody() -> None:
    assert {S.CONNECTED, S.DECLINED, S.TIMED_OUT, S.ABANDONED} == ENDS
    for state, row in TABLE.items():
        for signal, (to, steps) in row.items():
            if to in ENDS:
                gives = {Step.CONNECT, Step.GIVE_BACK, Step.LET_GO} & set(steps)
                assert len(gives) == 1, (state, signal)
                assert steps[-1] in gives
            if state is S.RINGING:
                assert steps[0] is Step.STOP_RING, signal
            if state is S.BRIEFING and to is not S.CONNECTED and signal is not Signal.LOST:
                assert Step.EXCUSE in steps, signal


def test_signals_that_mean_nothing_change_nothing() -> None:
    steps = Steps()
    assert steps.feed(Signal.CONNECT) == ()
    assert steps.feed(Signal.FOUND) == (Step.RING,)
    assert steps.feed(Signal.CONNECT) == ()
    assert steps.feed(Signal.SAT) == (Step.STOP_RING, Step.BRIEF)
    assert steps.feed(Signal.CONNECT) == (Step.CONNECT,)
    assert steps.over
    for signal in Signal:
        assert steps.feed(signal) == ()
    assert "briefing --> connected: connect" in diagram()


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("anyone", Target(Kind.ANYONE)),
        ("role:supervisor", Target(Kind.ROLE, "supervisor")),
        (" queue: support ", Target(Kind.QUEUE, "support")),
        ("person:Ann Lee", Target(Kind.PERSON, "Ann Lee")),
    ],
)
def test_targets(text: str, target: Target) -> None:
    assert read_target(text) == target
    assert read_target(str(target)) == target


@pytest.mark.parametrize("text", ["", "anyone:x", "role:king", "queue:", "ann", "person:" + "x" * 130])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(RefusedError):
        read_target(text)


def test_who_fits() -> None:
    ann = Person("ann", "Ann", Role.OPERATOR)
    bob = Person("bob", "Bob", Role.OPERATOR, ("sales",))
    sue = Person("sue", "Sue", Role.SUPERVISOR)
    people = [
        Colleague(ann, True, True, frozenset({"support"}), 20),
        Colleague(bob, True, True, frozenset({"support"}), 5),
        Colleague(sue, True, False, frozenset(), 1),
    ]

    def ids(text: str, agent: str = "default", by: str = "") -> list[str]:
        return [person.id for person in fitting(read_target(text), agent, by, people)]

    assert ids("anyone", "sales") == ["bob", "ann"]  # the longest idle first
    assert ids("anyone") == ["ann"]  # Bob serves other agents
    assert ids("anyone", by="ann") == []
    assert ids("queue:support", "sales") == ["bob", "ann"]
    assert ids("queue:other") == []
    assert ids("role:supervisor") == []  # not available
    assert ids("person:Sue") == ["sue"]  # but free: by name she is rung
    assert ids("person:sue") == ["sue"]


def _entries(*events: object) -> list[Entry]:
    return [Entry("call_x", seq, seq * 100, event) for seq, event in enumerate(events, 1)]  # type: ignore[arg-type]


def _caller(text: str, turn: int = 1) -> TranscriptFinal:
    return TranscriptFinal(LegKind.CALLER, turn, text, 0, 900)


def _agent(text: str, turn: int = 1) -> TranscriptFinal:
    return TranscriptFinal(LegKind.AGENT, turn, text, 0, 900)


def test_the_briefing_tells_what_is_known_and_nothing_else() -> None:
    entity = EntityFound("e1", "order_number", "A 17", "a seventeen", LegKind.CALLER, 1, 0, 3, 100)
    name = EntityFound("e2", "name", "Mona Saleh", "Mona Saleh", LegKind.CALLER, 1, 0, 3, 100)
    mood = SentimentFound(2, -0.6, -0.8, -0.1, Emotion.AGITATED, "negative", 0.9, "en", 100)
    found = brief(
        _entries(
            _caller("My order never came"),
            entity,
            name,
            _agent("I am sorry. I will send you a refund today. I will ask a colleague."),
            ToolCalled("take_message", {"message": "refund 20 dollars"}, "kept"),
            ToolCalled("book", {"service": "x"}, "failed", failed=True),
            mood,
            _caller("That is not enough!", 2),
        ),
        language="en",
        caller="+15550100",
        agent="default",
        seconds=130,
        reason="wants more than a refund",
        before=2,
    )
    assert found.promises == ("I will send you a refund today.", "Message: refund 20 dollars")
    assert found.lines() == [
        "A call from Mona Saleh, on the line for 2 minutes. They called 2 times before.",
        "It is about: wants more than a refund.",
        "Their last words: That is not enough!",
        "They were promised: I will send you a refund today. Message: refund 20 dollars.",
        "They sound angry.",
        "They gave: order number A 17, name Mona Saleh.",
        WORDS["en"]["choose"],
    ]
    card = found.card()
    assert card["entities"][0] == {"type": "order_number", "value": "A 17"}
    assert card["sentiment"] == -0.6
    assert card["source"] == "local"


def test_what_it_is_about_is_what_the_caller_showed_where_nobody_gave_a_reason() -> None:
    shown = [
        RiskSeen(turn, intent, 0.9, WarningLevel.NONE, "")
        for turn, intent in enumerate(("greeting", "billing", "", "agreement"))
    ]
    told = {"language": "en", "caller": "", "agent": "default", "seconds": 5, "reason": "", "before": 0}
    assert brief(_entries(*shown), **told).answer("why") == "It is about: billing."
    assert brief(_entries(shown[0]), **told).answer("why") == ""


def test_an_empty_call_has_a_short_briefing() -> None:
    found = brief([], language="", caller="", agent="a", seconds=4, reason="", before=0)
    assert found.lines() == [
        "A call from somebody whose number is not shown, on the line for a moment.",
        WORDS["en"]["choose"],
    ]
    assert found.answer("nonsense") == ""
    assert Briefing(summary="They want a refund.").answer("why") == "They want a refund."


def test_arabic_has_all_words_and_finds_promises() -> None:
    assert WORDS["ar"].keys() == WORDS["en"].keys()
    assert LINES["ar"].keys() == LINES["en"].keys()
    said = _entries(_caller("أين طلبي"), _agent("أعدك أن يصل غدا. سأحولك إلى زميل."))
    found = brief(said, language="ar-EG", caller="", agent="a", seconds=4, reason="", before=0)
    assert found.promises == ("أعدك أن يصل غدا.",)
    assert found.lines()[0].startswith("مكالمة من")
    assert line("declined", "ar") != line("declined", "en")
    assert {S.DECLINED, S.TIMED_OUT, S.ABANDONED} <= LINES["en"].keys()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Connect.", "connect"),
        ("OK, put them through!", "connect"),
        ("I'll take it", "connect"),
        ("Don't connect yet", ""),
        ("No thanks, I cannot", "decline"),
        ("not now", "decline"),
        ("Say that again please", "again"),
        ("Who is it?", "who"),
        ("What do they want?", "why"),
        ("Was anything promised?", "promised"),
        ("Are they angry?", "mood"),
        ("What is the order number?", "entities"),
        ("What did they say last?", "said"),
        ("We should go ahead and connect the printer to the wall over there", ""),
        ("Lovely weather.", ""),
        ("", ""),
        ("صلني", "connect"),
        ("لا أستطيع", "decline"),
        ("من المتصل؟", "who"),
        ("ماذا وعدتم؟", "promised"),
        ("I'm busy right now", "decline"),
        ("I’ll take it.", "connect"),
        ("Don't connect them yet", ""),
        ("What did you tell them?", "promised"),
        ("مرّة أُخرى", "again"),
        ("ما المشكلة؟ أقصد ما هي مشكلة المتصل", "why"),
    ],
)
def test_what_is_said_in_return(text: str, answer: str) -> None:
    assert read_answer(text) == answer


def test_settings_name_only_what_there_is(tmp_path: Path) -> None:
    def made(consult: str) -> Settings:
        file = tmp_path / "offhook.toml"
        file.write_text(f'[agents.default]\nconsult = "{consult}"\n[queues.support]\n', "utf-8")
        return load({}, tmp_path, {})

    assert made("queue:support").agents["default"].consult == "queue:support"
    for wrong in ("queue:nobody", "everyone"):
        with pytest.raises(SettingsError, match="consult"):
            made(wrong)
