"""What a server says of queues, routing and a warm transfer, recorded. Plays no sound."""

from __future__ import annotations

from typing import Any

import recorded

BRIEFING: dict[str, Any] = {
    "language": "en",
    "caller": "+44 20 7946 0018",
    "agent": "receptionist",
    "seconds": 190,
    "calls_before": 2,
    "reason": "The caller was charged twice for one haircut and wants the money back; I cannot pay out.",
    "intent": "refund",
    "said": [
        "I was charged twice.",
        "I paid on Tuesday with the card that ends in 4417, and again on Wednesday, and nobody told me why.",
    ],
    "promises": [
        "I have noted your number.",
        "We will call you back before Friday noon if this takes longer.",
    ],
    "entities": [
        {"type": "money", "value": "70 pounds"},
        {"type": "account_number", "value": "GB29 NWBK 6016 1331 9268 19"},
    ],
    "mood": "agitated",
    "sentiment": -0.6,
    "summary": "",
    "source": "local",
}
RING = {
    "type": "consult",
    "id": "w1",
    "call_id": recorded.CALL,
    "seconds": 20,
    "by": "Omar",
    "briefing": BRIEFING,
}
CALL_RING = {"type": "ring", "call_id": "call_02", "queue": "billing", "seconds": 20}
NO_QUEUES = {"queues": [], "operators": []}
QUEUES = {
    "queues": [
        {
            "name": "billing",
            "count": 2,
            "waiting": [
                {
                    "call_id": "call_02",
                    "agent": "receptionist",
                    "language": "ar",
                    "position": 1,
                    "waited_s": 94,
                    "wait_s": 130,
                },
                {
                    "call_id": "call_03",
                    "agent": "receptionist",
                    "language": "en",
                    "position": 2,
                    "waited_s": 12,
                    "wait_s": 310,
                },
            ],
        },
        {"name": "a-queue-whose-name-is-as-long-as-names-get", "count": 0, "waiting": []},
    ],
    "operators": [
        {
            "id": f"user_{number}",
            "name": name,
            "presence": presence,
            "here": presence != "away",
            "ringing": "",
            "idle_s": 40,
            "skills": skills,
            "languages": ["ar", "en"][:number],
        }
        for number, (name, presence, skills) in enumerate(
            (
                ("Sara Haddad", "available", ["*"]),
                ("Omar", "busy", ["billing", "refunds"]),
                ("A colleague with a long name, of the evening shift", "away", []),
            )
        )
    ],
}
CALL_BACKS = {
    "call_backs": [
        {
            "id": "cb_1",
            "at": "2026-11-21T07:40:00Z",
            "call_id": "call_00",
            "queue": "billing",
            "number": "+44 20 7946 0077",
            "language": "en",
            "state": "open",
            "name": "",
            "note": "",
        }
    ]
}


def rule(
    name: str, asks: str, target: str, verdict: str = "", why: str = "", live: bool = False
) -> dict[str, Any]:
    return {"name": name, "asks": asks, "target": target, "live": live, "verdict": verdict, "why": why}


TRIED = [
    rule("arabic", "the language is ar", "agent:amal", "no", "the language is en, not ar"),
    rule(
        "wants a person while the office is open",
        "the intent is wants_human or complaint; office is open; the number called is +1555* or +96611555*",
        "queue:billing",
        "fits",
        live=True,
    ),
    rule("evenings", "Thursday or Friday 20:00-02:00 (Asia/Riyadh)", "voicemail", "not reached"),
    rule("fax line", "the number called is +966115550199", "number:+15550100", "not reached"),
]
ROUTING = {"rules": [{**each, "verdict": "", "why": ""} for each in TRIED], "default": "agent:front"}
OUTCOME = {
    "target": "queue:billing",
    "rule": TRIED[1]["name"],
    "why": TRIED[1]["asks"],
    "at": "2026-11-23T18:00:00Z",
    "rules": TRIED,
}
COLLEAGUES = {
    "people": [
        {"id": "u2", "name": "Omar", "role": "supervisor", "queues": ["billing"]},
        {"id": "u3", "name": "Lina", "role": "operator", "queues": ["billing", "support"]},
    ]
}
_HEARS = {
    "caller": ["hold_audio"],
    "agent": [],
    "operator": ["consulted", "operator"],
    "consulted": ["coach", "operator"],
}
TOLD = [
    {
        "type": "mode",
        "mode": "consult",
        "holder": "",
        "hears": _HEARS,
        "seats": [recorded.ME | {"stance": "consult"}, recorded.OMAR],
    },
    *(
        {"type": "event", "entry": recorded.entry(40 + at, kind, 61_000 + at, id="w1", **fields)}
        for at, (kind, fields) in enumerate(
            (
                (
                    "consult",
                    {
                        "state": "briefing",
                        "by": "u2",
                        "name": "Sara Haddad",
                        "person": "u1",
                        "seat": "s1",
                        "why": "sat",
                    },
                ),
                ("consult_briefing", {"source": "local", "card": BRIEFING}),
                (
                    "consult_said",
                    {"human": False, "text": "A call from +44 20 7946 0018, on the line for 3 minutes."},
                ),
            )
        )
    ),
]
API = {
    "/api/queues": QUEUES,
    "/api/call-backs": CALL_BACKS,
    "/api/routing": ROUTING,
    f"/api/live/{recorded.CALL}/colleagues": COLLEAGUES,
}
