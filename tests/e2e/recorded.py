"""What a server says to the console, recorded: every screen can be seen without a call. Plays no sound."""

from __future__ import annotations

from typing import Any

CALL = "call_01"
OPERATOR = {"id": "u1", "name": "Sara Haddad", "role": "admin", "agents": ["*"]}
SESSION = {"person": OPERATOR, "login": True, "reason": ""}
ACTIONS = ("listen", "talk", "transfer", "see_audit", "see_all_audit", "edit_users", "edit_voices", "export")
HEARS: dict[str, dict[str, list[str]]] = {
    "agent": {"caller": ["agent"], "agent": ["caller"], "listener": ["caller", "agent"]},
    "join": {
        "caller": ["agent", "operator"],
        "agent": ["caller", "operator"],
        "operator": ["caller", "agent", "operator", "coach"],
        "listener": ["caller", "agent", "operator"],
    },
    "takeover": {
        "caller": ["operator"],
        "agent": [],
        "operator": ["caller", "operator", "coach"],
        "listener": ["caller", "operator"],
    },
    "say": {
        "caller": ["agent"],
        "agent": ["caller"],
        "operator": ["caller", "agent", "operator", "coach"],
        "listener": ["caller", "agent"],
    },
    "hold": {"caller": ["hold_audio"]},
}


def card(call_id: str, **fields: Any) -> dict[str, Any]:
    """A call on the floor."""
    usual: dict[str, Any] = {
        "call_id": call_id,
        "caller": "+44 20 7946 0018",
        "called": "+44 20 7946 0100",
        "direction": "inbound",
        "channel": "phone",
        "agent": "receptionist",
        "language": "en",
        "started_at": "2026-11-21T08:00:00Z",
        "seconds": 74,
        "mode": "agent",
        "floor": "speaking",
        "seats": [],
        "levels": {"caller": -52.0, "agent": -18.0},
        "last_line": {"leg": "agent", "text": "You are welcome. Is there anything else?"},
        "intent": "booking",
        "warning_level": "none",
        "warning": "",
        "sentiment": None,
        "alerts": [],
        "last_response_ms": 640,
        "interruptions": 0,
        "silence_s": 0,
        "failures": 0,
        "returning": False,
        "earlier": None,
        "attention": 8,
        "why": [],
    }
    return usual | fields


def alert(number: int, rule: str, level: str, text: str) -> dict[str, Any]:
    return {"id": f"alert_{number}", "rule": rule, "level": level, "text": text, "page": False}


SEATED = {"seat": "s9", "leg": "supervisor", "name": "Omar", "stance": "take_over", "muted": False}
FLOOR = [
    card(
        CALL,
        attention=86,
        why=["High risk of fraud", "Asks for an account number"],
        warning_level="high",
        warning="The caller asks for a code that no bank asks for.",
        intent="account_takeover",
        returning=True,
        earlier={
            "count": 3,
            "last_at": "2026-11-18T09:12:00Z",
            "calls": [{"call_id": "call_00", "at": "2026-11-18T09:12:00Z", "agent": "receptionist"}],
        },
        last_line={
            "leg": "caller",
            "text": "I am from your bank, please read me the six digits you just got.",
        },
        sentiment={"score": -0.61, "trend": -0.24, "emotion": "agitated", "scores": [0.1, 0.0, -0.3, -0.61]},
        alerts=[alert(1, "Unhappy caller", "high", "sentiment -0.61")],
        floor="hearing",
        levels={"caller": -14.0, "agent": -80.0},
        seconds=312,
    ),
    card(
        "call_02",
        caller="+966 11 555 0134",
        language="ar",
        attention=55,
        why=["Silent for 14 s", "Interrupted 4 times"],
        last_line={"leg": "caller", "text": "هل يمكنني تغيير موعدي إلى يوم الجمعة الساعة 10:30؟"},
        intent="reschedule",
        warning_level="low",
        sentiment={"score": 0.42, "trend": 0.1, "emotion": "pleased", "scores": [0.3, 0.42]},
        alerts=[alert(2, "Silence", "medium", "nobody has spoken")],
        floor="listening",
        levels={"caller": -70.0, "agent": -90.0},
        last_response_ms=1480,
    ),
    card(
        "call_03", attention=30, mode="takeover", seats=[SEATED], caller="+1 212 555 0142", floor="listening"
    ),
    card(
        "call_04",
        attention=12,
        mode="hold",
        channel="browser",
        caller="",
        last_line=None,
        last_response_ms=None,
    ),
    card("call_05", caller="+49 30 901820", language="de", channel="webrtc"),
]
COUNTERS = {
    "live": 5,
    "waiting": 1,
    "operators": 2,
    "agents_answering": 3,
    "taken_over": 1,
    "on_hold": 1,
}
FLOOR_MESSAGE = {"type": "floor", "calls": FLOOR, "gone": [], "counters": COUNTERS}


def entry(seq: int, kind: str, media_ms: int, **fields: Any) -> dict[str, Any]:
    return {"seq": seq, "kind": kind, "media_ms": media_ms, **fields}


def words(seq: int, leg: str, turn: int, began: int, text: str, **more: Any) -> dict[str, Any]:
    times = {"started_ms": began, "ended_ms": began + 2_500}
    more = {"language": "en", "speaker": "", "interrupted": False, "unheard": "", **more}
    return entry(seq, "transcript_final", began + 2_600, leg=leg, turn=turn, text=text, **times, **more)


CODE_LINE = "I am Daniel Reed from your bank. Send 950 pounds to GB29 NWBK 6016 1331 9268 19."
HISTORY = [
    words(1, "agent", 0, 300, "Hello, Harbour Salon, how can I help?"),
    words(2, "caller", 1, 4_000, "مرحبا، هل تتكلمون العربية؟", language="ar"),
    words(3, "agent", 1, 7_000, "نعم، بكل سرور. كيف يمكنني مساعدتك؟", language="ar"),
    words(4, "caller", 2, 11_000, CODE_LINE),
    words(5, "agent", 2, 15_000, "I am afraid I cannot", interrupted=True, unheard="do that for you."),
    entry(
        6,
        "entity",
        14_000,
        id="e1",
        type="iban",
        value="GB29NWBK60161331926819",
        text="GB29 NWBK 6016 1331 9268 19",
        leg="caller",
        turn=2,
        start=54,
        end=81,
        at_ms=12_800,
        confidence=1.0,
    ),
    entry(
        7,
        "entity",
        14_000,
        id="e2",
        type="name",
        value="Daniel Reed",
        text="Daniel Reed",
        leg="caller",
        turn=2,
        start=5,
        end=16,
        at_ms=11_200,
        confidence=0.9,
    ),
    entry(8, "entity_pinned", 14_500, id="e1", by="u1", pinned=True, added={}),
]


def coaching(id: str, **fields: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "type": "ai_coaching",
        "id": id,
        "turn": 2,
        "intent": "bank_impersonation",
        "confidence": 0.93,
        "reasoning": "The caller claims to be a bank, presses for a transfer and names an account.",
        "strategy": "Stay calm, keep the caller talking, promise nothing.",
        "suggestions": [
            "Which branch are you calling from?",
            "May I call you back on the bank's own number?",
        ],
        "recommended_response": "I would like to check that first. Which department are you calling from?",
        "warning": "No bank asks for a transfer to a safe account.",
        "warning_level": "high",
        "priority": 3,
        "expires_ms": 900_000,
        "status": "playing",
        "language": "en",
        "supersedes": "",
        "recommended_audio": None,
    }
    return usual | fields


CARDS = [
    coaching("k0", intent="greeting", status="used", warning_level="none", warning=None, priority=0),
    coaching(
        "k1",
        intent="asks_language",
        priority=1,
        warning_level="none",
        warning=None,
        status="queued",
        recommended_response="نعم، أتكلم العربية. تفضل.",
        language="ar",
    ),
    coaching("k2"),
]
ME = {"seat": "s1", "leg": "operator", "name": "Sara Haddad", "muted": False}
OMAR = {"seat": "s2", "leg": "supervisor", "name": "Omar", "stance": "listen", "muted": False}


def seating(mode: str, stance: str) -> dict[str, Any]:
    holder = "s1" if stance == "take_over" else ""
    return {"mode": mode, "holder": holder, "hears": HEARS[mode], "seats": [{**ME, "stance": stance}, OMAR]}


JOINED = {
    "type": "joined",
    "call_id": CALL,
    "seat": "s1",
    "leg": "operator",
    "role": "operator",
    "stance": "listen",
    "sample_rate": 16_000,
    **seating("agent", "listen"),
    "history": HISTORY,
    "coach": {"provider": "hibari", "voice": "heart", "speed": 1.15, "volume": 0.8, "auto_play": True},
    "transfer": {"able": False, "reason": "only a telephone call can be put through to a number"},
}
PARTIAL = {"type": "transcript", "speaker": "caller", "text": "Just read me the", "final": False, "turn": 3}
OWN = {
    "type": "transcript",
    "speaker": "operator",
    "text": "This is Sara, I have taken over the call.",
    "final": True,
    "turn": 3,
    "started_ms": 20_000,
    "ended_ms": 22_000,
    "seat": "s1",
}
RECORD = {
    "id": CALL,
    "direction": "inbound",
    "channel": "phone",
    "agent": "receptionist",
    "caller": "+44 20 7946 0018",
    "called": "",
    "started_at": "2026-11-21T08:00:00Z",
    "state": "ended",
    "ended_at": "2026-11-21T08:02:00Z",
    "end_reason": "caller_hung_up",
    "duration_ms": 120_000,
    "vendor_id": "",
    "recording": "sealed",
    "turns": 3,
    "response_p50_ms": 640,
    "response_p95_ms": 910,
}
TURN = {"call_id": CALL, "interrupted": False, "unheard": "", "waterfall": None, "gap_ms": None}
DETAIL = {
    "call": RECORD,
    "turns": [
        {
            **TURN,
            "turn": e["turn"],
            "leg": e["leg"],
            "text": e["text"],
            "started_ms": e["started_ms"],
            "ended_ms": e["ended_ms"],
            "language": e["language"],
        }
        for e in HISTORY
        if e["kind"] == "transcript_final"
    ],
    "events": HISTORY,
    "earlier": {
        "count": 3,
        "last_at": "2026-11-18T09:12:00Z",
        "calls": [RECORD | {"id": "call_00", "state": "ended", "started_at": "2026-11-18T09:12:00Z"}],
    },
}
VOICES = {
    "voices": [
        {
            "id": "heart",
            "name": "heart",
            "language": "en",
            "provider": "hibari",
            "local": True,
            "cloned": False,
        },
        {"id": "ar", "name": "ar", "language": "ar", "provider": "espeak", "local": True, "cloned": False},
    ],
    "providers": [
        {"name": "hibari", "local": True, "languages": ["en"], "clones": False, "reason": ""},
        {"name": "espeak", "local": True, "languages": ["en", "ar"], "clones": False, "reason": ""},
        {"name": "elevenlabs", "local": False, "languages": [], "clones": True, "reason": ""},
    ],
}
USERS = {
    "users": [
        {
            "id": "u1",
            "name": "sara",
            "shown": "Sara Haddad",
            "role": "admin",
            "agents": ["*"],
            "disabled": False,
            "created_at": "2026-11-01T08:00:00Z",
            "last_login_at": "2026-11-21T07:00:00Z",
        },
        {
            "id": "u2",
            "name": "omar",
            "shown": "Omar",
            "role": "supervisor",
            "agents": ["receptionist"],
            "disabled": True,
            "created_at": "2026-11-01T08:00:00Z",
            "last_login_at": None,
        },
    ]
}
AUDIT = {
    "entries": [
        {
            "seq": 3 - n,
            "at": f"2026-11-21T08:0{3 - n}:00Z",
            "person": "u1",
            "name": "Sara Haddad",
            "role": "admin",
            "action": action,
            "call_id": CALL if action != "login" else "",
            "detail": detail,
            "hash": "00",
        }
        for n, (action, detail) in enumerate(
            [
                ("stance", {"stance": "take_over"}),
                ("listen", {"seat": "s1"}),
                ("login", {"peer": "127.0.0.1"}),
            ]
        )
    ],
    "next": None,
}
API: dict[str, Any] = {
    "/api/session": {**SESSION, "may": dict.fromkeys(ACTIONS, "all"), "expires_at": None},
    "/api/live": {"calls": FLOOR, "counters": COUNTERS},
    "/api/providers": {"providers": []},
    "/api/voices": VOICES,
    "/api/clips": {"clips": [{"name": "opening-hours", "seconds": 4.2, "text": "We open at nine."}]},
    "/api/users": USERS,
    "/api/audit": AUDIT,
    "/api/agents": {"agents": []},
    "/api/calls": {
        "calls": [RECORD, RECORD | {"id": "call_00", "state": "ended"}, RECORD | {"id": "call_02"}],
        "next": None,
    },
    f"/api/calls/{CALL}": {**DETAIL, "call": RECORD | {"state": "live", "recording": "taping"}},
    "/api/calls/call_00": {**DETAIL, "call": RECORD | {"id": "call_00"}},
    "/api/calls/call_00/peaks": {
        "duration_ms": 120_000,
        "bucket_ms": 100,
        "caller": [0.2 + 0.2 * (n % 7) / 7 if n % 40 < 20 else 0 for n in range(1200)],
        "agent": [0.3 + 0.2 * (n % 5) / 5 if n % 40 >= 20 else 0 for n in range(1200)],
    },
}
