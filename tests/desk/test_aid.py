"""A seat's coach on a real call: its voice in the operator's own ear and nowhere else, cards on the line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.call.conftest import AGENT, LoudVad, stage_of  # noqa: F401
from tests.call.human_stage import ABSENT_DB, HERTZ, PRESENT_DB, WIDE, HumanStage, Tone, ToneTts, level
from tests.desk.ear_stage import card

from offhook.audio.frame import PHONE, AudioFormat
from offhook.audio.wav import read_wav
from offhook.desk.aid import Aids, SeatAid
from offhook.desk.clips import ClipShelf
from offhook.desk.ear import EarMemory
from offhook.desk.ear_queue import FirstSound
from offhook.desk.narration import Narrator
from offhook.desk.studio import Studio
from offhook.desk.voices import VoiceBook
from offhook.foundation.desk_events import CardChanged, CardStatus
from offhook.foundation.errors import NotFoundError, RefusedError, WireError
from offhook.foundation.events import LegKind
from offhook.foundation.people import Stance
from offhook.protocols.live import CardAct, CardAction, CoachWish

QUEUED, PLAYING, SHOWN = CardStatus.QUEUED, CardStatus.PLAYING, CardStatus.SHOWN
LINE = "Do not read out the code."


class CoachTts(ToneTts):
    """The coach's tone; `asked` with which voice and in which format."""

    name = "coach"

    def __init__(self, seconds: float = 2.0) -> None:
        super().__init__(seconds)
        self.asked: list[tuple[str, AudioFormat]] = []

    async def speak(self, text: str, voice: str, language: str, format: AudioFormat) -> AsyncIterator[bytes]:
        self.asked.append((voice, format))
        yield Tone(HERTZ["coach"], format).take(self.seconds * 1000)


class Screen:
    """What an aid shows beside the timeline."""

    def __init__(self) -> None:
        self.voices: list[tuple[str, Any]] = []
        self.settings: list[dict[str, object]] = []

    def voiced(self, card_id: str, voice: Any) -> None:
        self.voices.append((card_id, voice))

    def coached(self, settings: dict[str, object]) -> None:
        self.settings.append(settings)


class Floor:
    """One call with an operator who has a coach."""

    def __init__(self, humans: HumanStage, folder: Path) -> None:
        self.humans = humans
        self.tts = CoachTts()
        book = VoiceBook(self.tts, [], frozenset(), lambda name: self.tts)
        self.studio = Studio(book, Narrator(book), EarMemory(), ClipShelf(folder))
        self.asked_now: list[str] = []
        self.firsts: list[FirstSound] = []
        self.aids = Aids(self.studio, self.asked_now.append, self.firsts.append)
        self.screen = Screen()
        self.seated: list[SeatAid] = []

    @property
    def call(self) -> Any:
        stage = self.humans.stage
        return stage.directory.get(stage.call_id)

    def sit(self, name: str, stance: Stance, format: AudioFormat = WIDE) -> Any:
        human = self.humans.join(name, stance, format)
        human.aid = self.aids(self.call, human.seat, self.screen)
        self.seated.append(human.aid)
        return human

    def show(self, *args: Any, **more: Any) -> None:
        now = int(self.call.session.timeline.now_ms())
        more = {"made_ms": now, "ended_ms": now - 100, "expires_ms": now + 60_000, **more}
        self.call.session.timeline.emit(card(*args, **more))

    def statuses(self, card_id: str = "c1", seat: str = "s1") -> list[CardStatus]:
        changes = self.humans.events(CardChanged)
        return [change.status for change in changes if change.id == card_id and change.seat == seat]

    async def close(self) -> None:
        for aid in self.seated:
            aid.leave()
        await self.studio.close()


@pytest.fixture
async def floor(stage_of: Callable[..., Any], tmp_path: Path) -> AsyncIterator[Floor]:  # noqa: F811
    stage = stage_of(AGENT, None, ())
    stage.factory.tts = stage.factory.lines._tts = ToneTts(3.0)
    humans = HumanStage(stage, LoudVad)
    await stage.answer(prepare=False)
    await stage.until("listening", 8000)
    made = Floor(humans, tmp_path / "clips")
    yield made
    await made.close()


def db(samples: np.ndarray, rate: int) -> float:
    return level(samples, HERTZ["coach"], rate)


@pytest.mark.parametrize("stance", [Stance.TAKE_OVER, Stance.JOIN])
async def test_the_coach_is_in_the_operators_ear_and_nowhere_else(floor: Floor, stance: Stance) -> None:
    humans = floor.humans
    operator = floor.sit("operator", stance)
    supervisor = floor.sit("supervisor", Stance.LISTEN)
    other = floor.sit("listener", Stance.JOIN)
    other.aid.wish(CoachWish(mute=True))
    await humans.run(300)
    began = humans.now_ms
    floor.show(spoken=LINE)
    await humans.run(1500)
    assert floor.statuses() == [QUEUED, PLAYING]
    assert db(humans.human_heard(operator, began + 200), 16_000) > PRESENT_DB
    assert db(humans.caller_heard(began), 8_000) < ABSENT_DB
    assert db(humans.playout.heard(began, humans.now_ms), 8_000) < ABSENT_DB
    for human in (supervisor, other):
        assert db(humans.human_heard(human, began), 16_000) < ABSENT_DB
    for leg in LegKind:
        rate = 8_000 if leg in (LegKind.CALLER, LegKind.AGENT) else 16_000
        assert db(humans.taped(leg, began), rate) < ABSENT_DB, leg
    await humans.run(1500)
    assert floor.statuses() == [QUEUED, PLAYING, SHOWN]
    assert floor.statuses(seat="s2") == floor.statuses(seat="s3") == [SHOWN]


async def test_nobody_but_whoever_talks_is_spoken_to(floor: Floor) -> None:
    listener = floor.sit("listener", Stance.LISTEN)
    coach = floor.sit("operator", Stance.COACH)
    began = floor.humans.now_ms
    floor.show(spoken=LINE)
    await floor.humans.run(1000)
    assert floor.statuses() == floor.statuses(seat="s2") == [SHOWN]
    for human in (listener, coach):
        assert db(floor.humans.human_heard(human, began), 16_000) < ABSENT_DB
        with pytest.raises(RefusedError, match="not heard in this mode"):
            human.aid.card(CardAct("c1", CardAction.PLAY))


async def test_the_caller_is_quieter_meanwhile(floor: Floor) -> None:
    operator = floor.sit("operator", Stance.TAKE_OVER)
    operator.open = False
    await floor.humans.run(600)
    plain = level(floor.humans.human_heard(operator, floor.humans.now_ms - 300), HERTZ["caller"], 16_000)
    floor.show(spoken=LINE)
    await floor.humans.run(1000)
    ducked = level(floor.humans.human_heard(operator, floor.humans.now_ms - 500), HERTZ["caller"], 16_000)
    assert plain - ducked == pytest.approx(12, abs=0.5)
    await floor.humans.run(2000)
    after = level(floor.humans.human_heard(operator, floor.humans.now_ms - 300), HERTZ["caller"], 16_000)
    assert after == pytest.approx(plain, abs=0.3)


async def test_its_first_sample_is_in_the_next_frame(floor: Floor) -> None:
    operator = floor.sit("operator", Stance.TAKE_OVER)
    await floor.humans.run(300)
    began = floor.humans.now_ms
    floor.show(spoken=LINE)
    await floor.humans.run(200)
    first = next(
        at
        for at, audio in operator.channel.heard
        if at > began and db(np.frombuffer(audio, "<i2"), 16_000) > PRESENT_DB
    )
    assert first - began <= 60
    ((found),) = floor.firsts
    assert found.since_caller_ms == found.since_made_ms + 100 <= 140


async def test_a_hold_silences_it_at_once(floor: Floor) -> None:
    operator = floor.sit("operator", Stance.TAKE_OVER)
    floor.show("c1", LINE)
    floor.show("c2", "Ask for his name.")
    await floor.humans.run(500)
    floor.humans.bridge.hold(True)
    await floor.humans.run(100)
    began = floor.humans.now_ms
    await floor.humans.run(500)
    assert db(floor.humans.human_heard(operator, began), 16_000) < ABSENT_DB
    assert floor.statuses("c1") == [QUEUED, PLAYING, SHOWN]
    assert floor.statuses("c2") == [QUEUED, SHOWN]


async def test_a_hand_back_in_mid_word_and_leaving(floor: Floor) -> None:
    operator = floor.sit("operator", Stance.TAKE_OVER)
    floor.show("c1", LINE)
    floor.show("c2", "Ask for his name.")
    await floor.humans.run(500)
    operator.seat.leave()
    operator.aid.leave()
    operator.aid.leave()
    await floor.humans.run(500)
    assert floor.statuses("c1") == [QUEUED, PLAYING, SHOWN]
    assert PLAYING not in floor.statuses("c2")
    floor.show("c3", "Nobody is here.")
    await floor.humans.run(100)
    assert floor.statuses("c3") == []


async def test_the_screen_gets_the_sound_as_a_file(floor: Floor) -> None:
    floor.sit("operator", Stance.TAKE_OVER, PHONE)
    floor.show(spoken=LINE)
    await floor.humans.run(300)
    ((card_id, voice),) = floor.screen.voices
    samples, rate = read_wav(voice.audio)
    assert (card_id, voice.format, voice.seconds) == ("c1", "wav", 2.0)
    assert (rate, len(samples)) == (8_000, 16_000)
    assert level(samples[:, 0], HERTZ["coach"], 8_000) > PRESENT_DB
    assert floor.tts.asked == [("", PHONE)]


async def test_wishes_are_remembered_and_told_to_every_screen_of_the_person(floor: Floor) -> None:
    operator = floor.sit("operator", Stance.TAKE_OVER)
    operator.aid.wish(CoachWish(voice="tone", volume=0.25, auto_play=False))
    expected = {**floor.studio.memory.usual.as_dict(), "voice": "tone", "volume": 0.25, "auto_play": False}
    assert operator.aid.settings() == expected
    assert floor.screen.settings == [expected]
    with pytest.raises(WireError, match="speed"):
        operator.aid.wish(CoachWish(speed=9.0))
    assert operator.aid.settings() == expected
    floor.show(spoken=LINE)
    await floor.humans.run(300)
    assert floor.statuses() == [SHOWN]
    operator.aid.card(CardAct("c1", CardAction.PLAY))
    await floor.humans.run(300)
    assert floor.statuses()[-1] is PLAYING
    assert floor.tts.asked == [("tone", WIDE)]
    operator.aid.card(CardAct("c1", CardAction.STOP))
    assert floor.statuses()[-1] is SHOWN
    operator.seat.leave()
    operator.aid.leave()
    again = floor.sit("operator", Stance.TAKE_OVER)
    assert again.aid.settings() == expected


async def test_a_card_of_before_may_be_heard_used_and_dismissed(floor: Floor) -> None:
    for id in ("c1", "c2", "c3"):
        floor.show(id, f"{LINE} {id}")
    operator = floor.sit("operator", Stance.TAKE_OVER)
    for id, action in (("c1", CardAction.PLAY), ("c2", CardAction.USED), ("c3", CardAction.DISMISSED)):
        operator.aid.card(CardAct(id, action))
    await floor.humans.run(300)
    assert floor.statuses("c1") == [QUEUED, PLAYING]
    assert floor.statuses("c2") == [CardStatus.USED]
    assert floor.statuses("c3") == [CardStatus.DISMISSED]
    for action in (CardAction.PLAY, CardAction.USED, CardAction.DISMISSED):
        with pytest.raises(NotFoundError):
            operator.aid.card(CardAct("c9", action))
    operator.aid.card(CardAct("c1", CardAction.USED))
    with pytest.raises(RefusedError, match="used"):
        operator.aid.card(CardAct("c1", CardAction.DISMISSED))
    with pytest.raises(RefusedError):
        operator.aid.card(CardAct("c1", CardAction.FEEDBACK))


async def test_an_expired_card_may_still_have_helped(floor: Floor) -> None:
    operator = floor.sit("operator", Stance.TAKE_OVER)
    now = int(floor.call.session.timeline.now_ms())
    floor.show(spoken=LINE, expires_ms=now)
    await floor.humans.run(50)
    operator.aid.card(CardAct("c1", CardAction.USED))
    assert floor.statuses() == [CardStatus.EXPIRED, CardStatus.USED]


async def test_a_card_on_demand_is_the_coachs_to_make(floor: Floor) -> None:
    operator = floor.sit("operator", Stance.TAKE_OVER)
    operator.aid.coach_now()
    assert floor.asked_now == [floor.call.id]
    alone = Aids(floor.studio)(floor.call, operator.seat, floor.screen)
    with pytest.raises(RefusedError, match="no coach"):
        alone.coach_now()
    alone.leave()


async def test_two_operators_have_their_own_states_of_a_card(floor: Floor) -> None:
    one = floor.sit("operator", Stance.TAKE_OVER)
    floor.sit("listener", Stance.JOIN)
    floor.show(spoken=LINE)
    await floor.humans.run(500)
    assert floor.statuses(seat="s1") == floor.statuses(seat="s2") == [QUEUED, PLAYING]
    assert len(floor.tts.asked) == 1  # spoken once
    one.aid.card(CardAct("c1", CardAction.DISMISSED))
    await floor.humans.run(2000)
    assert floor.statuses(seat="s1") == [QUEUED, PLAYING, CardStatus.DISMISSED]
    assert floor.statuses(seat="s2") == [QUEUED, PLAYING, SHOWN]
