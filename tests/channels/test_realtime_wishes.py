"""What a Realtime client's settings make of an agent."""

from __future__ import annotations

import pytest
from tests.call.conftest import AGENT

from offhook.channels.realtime_wishes import NEVER_MS, patience, shaped
from offhook.foundation.agent import Patience
from offhook.protocols.realtime_door import ResponseCreate
from offhook.protocols.realtime_door_session import SessionConfig, TurnDetection

CONFIG = SessionConfig("default", AGENT.persona, "heart", ("heart", "nova"))


@pytest.mark.parametrize(
    ("turns", "endpoint", "most", "idle"),
    [
        (None, 300, 900, NEVER_MS),
        (TurnDetection(), 300, 900, NEVER_MS),
        (TurnDetection(eagerness="medium"), 300, 900, NEVER_MS),
        (TurnDetection(eagerness="high"), 200, 600, NEVER_MS),
        (TurnDetection(eagerness="low", idle_ms=7_000), 600, 2_500, 7_000),
        (TurnDetection(semantic=False, silence_ms=450), 450, 450, NEVER_MS),
    ],
)
def test_patience(turns: TurnDetection | None, endpoint: int, most: int, idle: int) -> None:
    found = patience(Patience(), turns)
    assert (found.endpoint_ms, found.endpoint_max_ms, found.no_input_ms) == (endpoint, most, idle)


def test_an_agent_keeps_what_is_not_asked_of_it() -> None:
    plain = shaped(AGENT, "", CONFIG, "", None)
    assert (plain.persona, plain.voice, plain.greeting, plain.engine) == (AGENT.persona, "", "", "")
    assert plain.facts == AGENT.facts
    told = SessionConfig("default", "Be brief.", "nova", ("heart", "nova"), told=True)
    changed = shaped(AGENT, "scripted", told, "Ada calls.", None)
    assert (changed.persona, changed.voice, changed.engine) == ("Be brief.\n\nAda calls.", "nova", "scripted")
    once = shaped(AGENT, "", told, "", ResponseCreate("Whisper."))
    assert once.persona == "Whisper."
