"""What may be said on `/ws/live`, and what the server says there."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from offhook.foundation.desk_events import CardStatus, CoachingCard, EntityFound, WarningLevel
from offhook.foundation.errors import WireError
from offhook.foundation.events import LegKind
from offhook.foundation.people import Mode, Stance
from offhook.protocols import live_words as words
from offhook.protocols.base import KindError, SizeError
from offhook.protocols.live import (
    AiSpeaks,
    Ask,
    Audio,
    CardAct,
    CardAction,
    CoachNow,
    CoachWish,
    End,
    HandBack,
    Hold,
    Inject,
    Instruct,
    Leave,
    LiveRole,
    Mute,
    Pin,
    Ping,
    Say,
    SetStance,
    Transfer,
    Warm,
    read,
    read_ask,
    read_binary,
)

PCM = bytes(range(64)) * 10
B64 = b64encode(PCM).decode()


def said(**fields: Any) -> Any:
    return read(json.dumps(fields), 16_000)


def test_what_a_query_asks_for() -> None:
    assert read_ask({"call_id": "test123"}) == Ask("test123", LiveRole.OPERATOR)
    full = {
        "call_id": "a_B-9",
        "role": "supervisor",
        "stance": "listen",
        "sample_rate": "48000",
        "audio": "binary",
        "token": "t",
    }
    assert read_ask(full) == Ask("a_B-9", LiveRole.SUPERVISOR, Stance.LISTEN, 48_000, True, "t")
    assert read_ask({"call_id": "c", "role": "caller", "audio": "json"}).role is LiveRole.CALLER


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"call_id": ""},
        {"call_id": "../x"},
        {"call_id": "a" * 65},
        {"call_id": "a\n"},
        {"call_id": "é"},
        {"call_id": "a", "role": "admin"},
        {"call_id": "a", "stance": "sit"},
        {"call_id": "a", "sample_rate": "44100"},
        {"call_id": "a", "sample_rate": "x"},
        {"call_id": "a", "audio": "opus"},
        {"call_id": "a", "token": "t" * 4097},
    ],
)
def test_a_query_that_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(WireError):
        read_ask(query)


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({"type": "audio", "audio": B64}, Audio(PCM, 16_000)),
        (
            {"type": "audio", "audio": B64, "format": "pcm16", "sample_rate": 24_000},
            Audio(PCM, 24_000),
        ),
        ({"type": "stance", "stance": "take_over"}, SetStance(Stance.TAKE_OVER)),
        ({"type": "hand_back"}, HandBack()),
        ({"type": "hold", "on": True}, Hold(True)),
        ({"type": "ai_speaks", "on": False}, AiSpeaks(False)),
        ({"type": "mute", "on": True}, Mute(True)),
        ({"type": "say", "text": " one\nmoment "}, Say("one moment")),
        ({"type": "instruct", "text": "offer a refund"}, Instruct("offer a refund")),
        ({"type": "inject", "clip": "hold-line"}, Inject("hold-line")),
        ({"type": "transfer", "to": " +1 555-0142 "}, Transfer("+1 555-0142")),
        ({"type": "warm", "to": " queue:support "}, Warm("queue:support", "", True, False)),
        (
            {"type": "warm", "to": "anyone", "reason": "a refund", "coach": False, "auto": True},
            Warm("anyone", "a refund", False, True),
        ),
        ({"type": "coach_now"}, CoachNow()),
        ({"type": "coach"}, CoachWish()),
        (
            {
                "type": "coach",
                "voice": "nova",
                "speed": 1.2,
                "volume": 0,
                "auto_play": False,
                "mute": True,
            },
            CoachWish("nova", 1.2, 0.0, False, True),
        ),
        ({"type": "card", "id": "c1", "action": "play"}, CardAct("c1", CardAction.PLAY)),
        (
            {"type": "card", "id": "c1", "action": "feedback", "value": "wrong"},
            CardAct("c1", CardAction.FEEDBACK, "wrong"),
        ),
        ({"type": "pin", "id": "e1", "pinned": True}, Pin("e1", True)),
        (
            {
                "type": "pin",
                "id": "e1",
                "pinned": True,
                "added": {"type": "name", "value": "Bob", "at_ms": 5.5},
            },
            Pin("e1", True, {"type": "name", "value": "Bob", "at_ms": 5}),
        ),
        ({"type": "ping", "t": 17.5}, Ping(17.5)),
        ({"type": "ping"}, Ping(0)),
        ({"type": "end"}, End()),
        ({"type": "leave"}, Leave()),
    ],
)
def test_a_message(fields: dict[str, Any], command: Any) -> None:
    assert said(**fields) == command


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, WireError),
        ({"type": 5}, WireError),
        ({"type": "dance"}, KindError),
        ({"type": "audio"}, WireError),
        ({"type": "audio", "audio": B64, "format": "opus"}, KindError),
        ({"type": "audio", "audio": B64, "sample_rate": 11_025}, WireError),
        ({"type": "audio", "audio": B64, "sample_rate": True}, WireError),
        ({"type": "audio", "audio": B64, "sample_rate": [16_000]}, WireError),
        ({"type": "audio", "audio": "***"}, WireError),
        ({"type": "audio", "audio": B64 + "="}, WireError),
        ({"type": "audio", "audio": ""}, WireError),
        ({"type": "audio", "audio": b64encode(PCM[:-1]).decode()}, WireError),
        ({"type": "audio", "audio": b64encode(bytes(6402)).decode()}, SizeError),
        ({"type": "stance", "stance": "sit"}, WireError),
        ({"type": "stance"}, WireError),
        ({"type": "hold"}, WireError),
        ({"type": "hold", "on": 1}, WireError),
        ({"type": "say", "text": ""}, WireError),
        ({"type": "say", "text": "\u200b \n"}, WireError),
        ({"type": "say", "text": "x" * 1001}, WireError),
        ({"type": "instruct", "text": "x" * 2001}, WireError),
        ({"type": "inject", "clip": "../../etc/passwd"}, WireError),
        ({"type": "inject", "clip": ""}, WireError),
        ({"type": "warm", "to": " "}, WireError),
        ({"type": "warm", "to": "anyone", "coach": "yes"}, WireError),
        ({"type": "transfer"}, WireError),
        ({"type": "transfer", "to": "  "}, WireError),
        ({"type": "transfer", "to": "1" * 257}, WireError),
        ({"type": "coach", "voice": 5}, WireError),
        ({"type": "coach", "speed": 9}, WireError),
        ({"type": "coach", "speed": True}, WireError),
        ({"type": "coach", "volume": -0.1}, WireError),
        ({"type": "coach", "volume": "loud"}, WireError),
        ({"type": "coach", "mute": "yes"}, WireError),
        ({"type": "card", "id": "c1", "action": "eat"}, WireError),
        ({"type": "card", "id": "", "action": "play"}, WireError),
        ({"type": "card", "id": "a b", "action": "play"}, WireError),
        ({"type": "card", "id": "c1", "action": "feedback"}, WireError),
        ({"type": "card", "id": "c1", "action": "feedback", "value": "x" * 501}, WireError),
        ({"type": "pin", "id": "e1"}, WireError),
        ({"type": "pin", "id": "e1", "pinned": True, "added": "x"}, WireError),
        (
            {"type": "pin", "id": "e1", "pinned": True, "added": {"type": "", "value": "x", "at_ms": 1}},
            WireError,
        ),
        ({"type": "pin", "id": "e1", "pinned": True, "added": {"type": "name", "value": "x"}}, WireError),
        ({"type": "ping", "t": "now"}, WireError),
        ({"type": "ping", "t": True}, WireError),
        ({"type": "ping", "t": 1e17}, WireError),
    ],
)
def test_a_message_that_is_refused(fields: dict[str, Any], error: type[WireError]) -> None:
    with pytest.raises(error):
        said(**fields)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{", b'{"type":"ping","t":NaN}', b"\xff", b'{"type":"ping","t":1e999}']
)
def test_what_is_no_message(raw: bytes) -> None:
    with pytest.raises(WireError):
        read(raw, 16_000)


def test_sound_in_binary() -> None:
    assert read_binary(PCM, 8_000) == Audio(PCM, 8_000)
    for raw in (b"", b"x", bytes(3202)):
        with pytest.raises(WireError):
            read_binary(raw, 8_000)


CARD = CoachingCard(
    id="c1",
    turn=3,
    profile="fraud",
    intent="scam",
    confidence=0.91234,
    reasoning="asks for a code",
    strategy="verify",
    warning_level=WarningLevel.HIGH,
    warning="Asks for a code",
    suggestions=["Ask for a name"],
    recommended_response="May I have your name?",
    spoken="Ask for a name",
    language="en",
    priority=2,
    expires_ms=9_000,
    ended_ms=4_000,
    made_ms=4_100,
)


def test_a_card_in_the_shape_that_clients_know() -> None:
    plain = json.loads(words.ai_coaching(CARD, "2026-01-01T00:00:04.100Z", CardStatus.SHOWN))
    known = {
        "type": "ai_coaching",
        "intent": "scam",
        "confidence": 0.912,
        "reasoning": "asks for a code",
        "suggestions": ["Ask for a name"],
        "recommended_response": "May I have your name?",
        "recommended_audio": None,
        "warning": "Asks for a code",
        "timestamp": "2026-01-01T00:00:04.100Z",
        "text": "Ask for a name",
        "audio": None,
        "format": None,
        "strategy": "verify",
    }
    added = {
        "id": "c1",
        "turn": 3,
        "warning_level": "high",
        "priority": 2,
        "expires_ms": 9_000,
        "status": "shown",
    }
    assert plain == plain | known | added
    voice = words.CardVoice(b"RIFF", "wav", 1.23456)
    voiced = json.loads(words.ai_coaching(CARD, "t", CardStatus.QUEUED, voice))
    assert voiced["recommended_audio"] == {"audio_base64": "UklGRg==", "format": "wav", "duration": 1.235}
    assert (voiced["audio"], voiced["format"], voiced["id"]) == ("UklGRg==", "wav", "c1")


def test_what_the_server_says() -> None:
    assert json.loads(words.audio(PCM, 24_000)) == {
        "type": "audio",
        "audio": B64,
        "format": "pcm16",
        "sample_rate": 24_000,
    }
    line = words.Line(LegKind.OPERATOR, "Hello", True, "t", 2, 10, 20, "en", "s1")
    assert json.loads(words.transcript(line)) == {
        "type": "transcript",
        "speaker": "operator",
        "text": "Hello",
        "final": True,
        "timestamp": "t",
        "turn": 2,
        "started_ms": 10,
        "ended_ms": 20,
        "language": "en",
        "seat": "s1",
        "interrupted": False,
        "unheard": "",
    }
    seat = words.SeatView("s1", LegKind.OPERATOR, "Ann", Stance.JOIN)
    shown = json.loads(words.mode(words.Seating(Mode.JOIN, "", {"caller": ["agent", "operator"]}, [seat])))
    assert shown == {
        "type": "mode",
        "mode": "join",
        "holder": "",
        "hears": {"caller": ["agent", "operator"]},
        "seats": [{"seat": "s1", "leg": "operator", "name": "Ann", "stance": "join", "muted": False}],
    }
    assert json.loads(words.level({"caller": -31.26})) == {"type": "level", "levels": {"caller": -31.3}}
    found = EntityFound("e1", "phone", "+155501", "five", LegKind.CALLER, 1, 0, 4, 900)
    assert json.loads(words.entity(found, True)) == {
        "type": "entity",
        "entity_type": "phone",
        "id": "e1",
        "value": "+155501",
        "text": "five",
        "leg": "caller",
        "turn": 1,
        "start": 0,
        "end": 4,
        "at_ms": 900,
        "confidence": 1.0,
        "pinned": True,
    }
    assert json.loads(words.error("conflict", "no")) == {"type": "error", "code": "conflict", "reason": "no"}
