"""The providers of two workers as one list: the worst state, and what all count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.chaos.callers import until
from tests.e2e.served import Server
from tests.workers.conftest import answered_by, asking

from offhook.speech.breaker import Health, State
from offhook.workers.health import packed, together, unpacked


def one(state: State = State.UP, failures: int = 0, rescues: int = 0, reason: str = "") -> Health:
    return Health("tts", "openai", state, failures, rescues, reason)


@pytest.mark.parametrize(
    ("own", "other", "both"),
    [
        (one(), one(), one()),
        (one(State.DOWN, 3, 0, "is down"), one(rescues=2), one(State.DOWN, 3, 2, "is down")),
        (
            one(State.FAILING, 1, 0, "is slow"),
            one(State.REFUSED, 1, 0, "key"),
            one(State.REFUSED, 2, 0, "key"),
        ),
        (
            one(State.TRYING, 3, 0, "was down"),
            one(State.FAILING, 1, 0, "late"),
            one(State.TRYING, 4, 0, "was down"),
        ),
    ],
)
def test_the_worst_state_and_all_that_was_counted(own: Health, other: Health, both: Health) -> None:
    mine = Health("stt", "moonshine", State.UP, 0, 0)
    assert together([mine, own], [unpacked(packed([other]))]) == [mine, both]


def test_a_worker_with_other_settings_adds_none() -> None:
    strange = Health("llm", "new", State.DOWN, 1, 0)
    assert together([one()], [[strange], []]) == [one()]


async def test_any_worker_knows_how_providers_are_doing_in_all(tmp_path: Path) -> None:
    """A voice that cannot be reached: each worker found that out for itself when it prepared its lines."""
    vendor = {"OPENAI_API_KEY": "sk-test", "OFFHOOK_OPENAI__URL": "http://127.0.0.1:9/v1"}
    scripted = {"OFFHOOK_SPEECH__STT": "scripted", "OFFHOOK_SPEECH__LLM": "scripted"}
    speech = {**scripted, "OFFHOOK_SPEECH__TTS": "openai,scripted", "OFFHOOK_SPEECH__VAD": "energy"}
    server = Server(
        tmp_path, "--workers", "2", settings={**speech, **vendor, "OFFHOOK_SPEECH__TURN": "silence"}
    )
    try:
        async with asking(server) as console:
            metrics = (await console.http.get("/metrics")).text
            own = re.findall(
                r'provider_failures_total\{worker="\d",kind="tts",provider="openai"\} (\d+)', metrics
            )
            assert [int(count) for count in own] == [1, 1]

            async def both_tell_of_both() -> bool:
                [found] = [
                    row
                    for row in (await console.http.get("/api/providers")).json()["providers"]
                    if (row["kind"], row["provider"]) == ("tts", "openai")
                ]
                assert (found["state"], found["failures"]) == ("failing", 2)
                assert found["reason"] == "openai: cannot be reached"
                return answered_by(server, "/api/providers") == {0, 1}

            await until(both_tell_of_both, 5, "both workers have answered")
    finally:
        server.stop()
