"""What settings make of a house: queues with their sounds, voicemail, who has called before; bad input."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.call.conftest import AGENT

from offhook.audio.wav import write_wav
from offhook.center.phrases import Phrases, filled, phrases_in, told
from offhook.center.routing import Target, TargetKind
from offhook.center.skill_book import SkillBook
from offhook.center.voicemail import voicemail
from offhook.foundation.errors import NotFoundError, SettingsError, StorageError
from offhook.foundation.events import ChannelKind, Direction
from offhook.foundation.people import Role
from offhook.providers.center import Acquaintance, _hold, _queue, has_called
from offhook.settings import load
from offhook.settings.queues import QueueSettings
from offhook.storage.base import CallRecord
from offhook.storage.center import CallBack, CallBackState, CenterRows
from offhook.storage.people import PeopleRows, UserRecord
from offhook.storage.sql import SqlStore


def read(tmp_path: Path, text: str) -> Any:
    (tmp_path / "offhook.toml").write_text(text, encoding="utf-8")
    return load({}, tmp_path, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[queues.Support]\nagent = ""', "queue names of lower-case"),
        ('[queues.s]\nagent = "nobody"', "one of the agents default"),
        ('[queues.s]\nskills = ["Big Bills"]', "words of lower-case"),
        ('[queues.s]\nlanguages = ["Arabic"]', 'a language code like "en"'),
        ('[queues.s]\noverflow = "queue:t"', "one of the queues s"),
        ('[queues.s]\noverflow = "agent:nobody"', "one of the agents default"),
        ('[queues.s]\noverflow = "nowhere"', '"agent:NAME"'),
        ('[queues.s]\noverflow = "queue:s"', "does not come back"),
        ('[queues.s]\noverflow = " queue : s "', "does not come back"),
        ('[queues.s]\noverflow = "queue:t"\n[queues.t]\noverflow = "queue:s"', "does not come back"),
        ("[queues.s]\nring_seconds = 1", "5 to 120"),
        ("[queues.s]\nmax_wait_seconds = 0", "5 to 7200"),
        ('[queues.s]\ncall_back_key = "12"', "one of the keys"),
        ('[queues.s.phrases.English]\nnext = "x"', 'a language code like "en"'),
        ('[queues.s.phrases.en]\nposition = "You wait."', "{position}"),
        ('[queues.s.phrases.en]\nwait = "Long."', "{minutes}"),
        ('[queues.s.phrases.en]\nhello = "x"', "is no setting"),
        ("[queues.s]\nring = 5", "is no setting"),
        ('[routing.voicemail]\nEnglish = "x"', 'a line for a language code like "en"'),
    ],
)
def test_wrong_queues_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, text)
    assert said in refused.value.reason


def test_a_queue_as_it_is_written(tmp_path: Path) -> None:
    text = """
[queues.support]
agent = "default"
skills = "billing"
languages = ["AR-sa"]
"""
    with pytest.raises(SettingsError):
        read(tmp_path, text)
    own = read(tmp_path, text.replace("AR-sa", "ar-SA") + 'overflow = "voicemail"\ncall_back = false').queues
    queue = _queue("support", own["support"])
    assert queue.rules.skills == {"billing"}
    assert queue.rules.languages == {"ar-sa"}
    assert queue.overflow == Target(TargetKind.VOICEMAIL)
    assert (queue.key, queue.agent) == ("", "default")
    assert _queue("plain", QueueSettings()).overflow is None


def test_what_those_who_wait_hear(tmp_path: Path) -> None:
    file = tmp_path / "music.wav"
    tone = (np.sin(np.arange(48_000) * 0.05) * 9_000).astype(np.int16)
    file.write_bytes(write_wav(tone, 48_000))
    pattern = _hold("support", str(file))
    assert pattern is not None
    assert len(pattern(8_000)) == 8_000
    assert pattern(8_000) is pattern(8_000)
    silent = _hold("support", "silence")
    assert silent is not None
    assert not silent(16_000).any()
    assert _hold("support", "notes") is None


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), (b"no sound at all", "is no sound")])
def test_a_sound_that_is_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "music.wav").write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        _hold("support", str(tmp_path / "music.wav"))
    assert refused.value.reason.startswith("queues.support.hold_audio")
    assert said in refused.value.reason


def test_a_sound_that_is_too_short(tmp_path: Path) -> None:
    (tmp_path / "click.wav").write_bytes(write_wav(np.ones(80, np.int16), 8_000))
    with pytest.raises(SettingsError, match="too short"):
        _hold("support", str(tmp_path / "click.wav"))


def test_lines_by_language() -> None:
    assert phrases_in("ar-EG", {}).next == "أنت التالي في الدور."
    assert phrases_in("pt", {}) == Phrases()
    own = phrases_in("en-GB", {"en": {"next": "Nearly there.", "wait": "", "unknown": "x"}})
    assert (own.next, own.wait) == ("Nearly there.", Phrases().wait)
    assert told(own, 1, 20, first=False, key="") == "Nearly there. The estimated wait is less than a minute."
    assert "number 3" in told(own, 3, 200, first=True, key="9")
    assert "about 3 minutes" in told(own, 3, 200, first=True, key="9")
    assert "press 9" in told(own, 3, 200, first=True, key="9")
    assert filled("{joined} {key} {", key=9) == "{joined} 9 {"
    assert "wait" not in told(own, 3, -1, first=False, key="")


def test_voicemail_in_the_callers_language() -> None:
    agent = voicemail(AGENT, {"en": "Leave a word."})
    assert agent.greeting == "Leave a word."
    assert voicemail(AGENT, {}).greeting.startswith("Nobody can take")
    assert agent.persona.startswith(AGENT.persona)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    made = SqlStore(f"sqlite:///{tmp_path}/offhook.db", commit_interval=0.005)
    yield made
    made._writer.close(1)
    made.engine.dispose()


def test_who_has_called_before(store: SqlStore) -> None:
    assert not has_called(store.engine, "+15550199")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    store.begin(CallRecord("call_x", Direction.INBOUND, ChannelKind.PHONE, "default", "+15550199", "", at))
    assert store.settle(2)
    assert has_called(store.engine, "+15550199")
    store.engine.dispose()
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE turns")
        connection.exec_driver_sql("DROP TABLE events")
        connection.exec_driver_sql("DROP TABLE calls")
    assert not has_called(store.engine, "+15550199")  # and says so in the log


def test_a_database_that_does_not_answer_holds_up_no_call() -> None:
    asked: list[str] = []
    there = threading.Event()

    def look(number: str) -> bool:
        asked.append(number)
        return there.wait(5)

    known = Acquaintance(look)
    began = time.perf_counter()
    assert [known(number) for number in ("+1", "+2", "+3")] == [False] * 3
    assert time.perf_counter() - began < 1
    there.set()
    known._asked.result(2)  # type: ignore[union-attr]
    assert known("+4")
    assert asked == ["+1", "+4"]
    known.close()


async def test_skills_are_kept_with_their_user(store: SqlStore) -> None:
    rows = CenterRows(store.engine)
    user = UserRecord("user_1", "sara", "Sara", Role.ADMIN, ("*",), False, datetime(2026, 1, 1, tzinfo=UTC))
    PeopleRows(store.engine).add(user, "hash")
    rows.set_skills("user_1", ["billing"], ["ar"])
    with pytest.raises(NotFoundError):
        rows.set_skills("user_2", ["billing"], [])
    book = SkillBook(rows, {})
    await book.refresh()
    assert book.of("user_1").skills == {"billing"}
    assert book.of("user_2").skills == frozenset()
    rows.set_skills("user_1", [], [])
    assert rows.skills() == {}
    rows.close()


def test_wishes_are_kept_and_settled(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = CenterRows(store.engine)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(3):
        assert rows.keep(
            CallBack(f"cb_{n}", at - timedelta(hours=n), "call_x", "default", "support", "+15550199")
        )
    rows.settle()
    assert [wish.id for wish in rows.call_backs(CallBackState.OPEN)] == ["cb_2", "cb_1", "cb_0"]
    done = rows.change("cb_1", CallBackState.DONE, "u", "U", at, "Reached.")
    assert (done.state, done.note, done.changed_at) == (CallBackState.DONE, "Reached.", at)
    assert rows.call_backs(CallBackState.DONE) == [done]
    assert len(rows.call_backs()) == 3
    assert rows.keep(CallBack("cb_3", at + timedelta(hours=1), "call_y", "sales", "support", "+15550198"))
    rows.settle()
    monkeypatch.setattr("offhook.storage.center.MOST_LISTED", 2)  # others' wishes take nobody's room
    assert [wish.id for wish in rows.call_backs(agents=["sales"])] == ["cb_3"]
    assert rows.call_backs(agents=[]) == []
    with pytest.raises(NotFoundError):
        rows.change("cb_9", CallBackState.DONE, "u", "U", at)
    with pytest.raises(NotFoundError):
        rows.call_back("cb_9")
    rows.close()
    assert not rows.keep(done)
    store.engine.dispose()
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE call_backs")
    with pytest.raises(StorageError):
        rows.call_backs()
