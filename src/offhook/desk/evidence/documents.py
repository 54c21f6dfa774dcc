"""The texts of a package of evidence, from what is kept of a call. Pure: rows in, bytes out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from offhook.storage.base import CallRecord, TurnRecord
from offhook.storage.transcripts import transcript_json

_ISOLATE, _POP = "\u2068", "\u2069"
"""Around what was said: its direction is its own, and changes nothing around it (Unicode UAX 9)."""
_CONTROLS = re.compile("[\x00-\x1f\x7f\u0085\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")

README = """\
Evidence of the call {call_id}
==============================

Exported by Offhook {version} on {exported_at}, by {by}.

  call.json          what call this was, what is in this package, and what is not and why
  transcript.txt     what was said; transcript.json: the same for programs, with times in milliseconds
  timeline.jsonl     everything that happened, a line of JSON each; "previous": the SHA-256 of the line before
  entities.json      numbers, accounts, addresses, names and amounts, with the time at which each was said
  cards.json         what the coach told the operators, and what they did with it
  audit.jsonl        who listened, joined, took over, exported
  audio/             the recording as it was kept (stereo: caller left, who answered right), each side as WAV

Times in milliseconds count from the answer; the answer was at {started_at}.

How to check it
---------------

With Offhook:        offhook evidence verify THIS.zip --key KEY
                     KEY is the node's public key or its fingerprint, which you have from the node's owner.

Without Offhook, after unpacking, with tools that every system has:

  1. sha256sum -c SHA256SUMS
  2. openssl pkeyutl -verify -pubin -inkey node-key.pem -rawin -in MANIFEST.json -sigfile MANIFEST.sig
  3. compare the hashes in MANIFEST.json with those in SHA256SUMS
  4. openssl pkey -pubin -in node-key.pem -outform DER | tail -c 32 | sha256sum
     This is the fingerprint of the key that signed. It must be the one that the node's owner told you:
     whoever alters a package can sign it again, but not with this key.
  5. timeline.jsonl: the SHA-256 of each line, without its line end, is "previous" in the next; that of the
     last line is timeline.head in MANIFEST.json.

The fingerprint of the key that signed this package is said to be
{fingerprint}
"""


def plain(text: str) -> str:
    """One line, without what could turn or hide other text."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def document(value: Any) -> bytes:
    """JSON for people and programs."""
    return (json.dumps(value, ensure_ascii=False, indent=2, default=_other) + "\n").encode("utf-8", "replace")


def _other(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def call_json(
    call: CallRecord, audio: str, notes: Sequence[str], people: Sequence[Mapping[str, Any]]
) -> bytes:
    """`audio` is "included" or why there is none."""
    return document({"call": asdict(call), "audio": audio, "notes": list(notes), "people": list(people)})


def transcripts(
    call_id: str, turns: Sequence[TurnRecord], events: Iterable[Mapping[str, Any]]
) -> tuple[bytes, bytes]:
    """For programs and for people. The speakers are the timeline's, which knows who of several it was."""
    said = [event for event in events if event.get("kind") == "transcript_final"]
    names = _names(events)
    lines = [
        f"[{moment(event['started_ms'])}] {_speaker(event, names)}: {_ISOLATE}{plain(event['text'])}{_POP}\n"
        for event in sorted(said, key=lambda event: (event["started_ms"], event["seq"]))
        if plain(event["text"])
    ]
    rows = transcript_json(call_id, turns)
    rows["said"] = said
    return document(rows), "".join(lines).encode("utf-8", "replace")


def _names(events: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {str(event["seat"]): str(event["name"]) for event in events if event.get("kind") == "leg_joined"}


def _speaker(event: Mapping[str, Any], names: Mapping[str, str]) -> str:
    leg = str(event["leg"]).capitalize()
    name = plain(names.get(str(event.get("speaker") or ""), ""))
    return f"{leg} ({_ISOLATE}{name}{_POP})" if name else leg


def moment(ms: int) -> str:
    """`1:02:03.456`, as players show it."""
    seconds, ms = divmod(max(0, int(ms)), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{ms:03}"


def entities_json(entities: Sequence[Mapping[str, Any]]) -> bytes:
    """With the place in the recording of each, as milliseconds and as a media fragment of audio/mixed.wav."""
    linked = [
        {**one, "time": moment(one["at_ms"]), "link": f"audio/mixed.wav#t={one['at_ms'] / 1000:.3f}"}
        for one in entities
    ]
    return document({"entities": linked})


def cards_json(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Coaching cards, each with what became of it at each seat and what was said of it."""
    cards: dict[str, dict[str, Any]] = {}
    for event in events:
        match event.get("kind"):
            case "coaching_card":
                cards[str(event["id"])] = {**event, "statuses": [], "feedback": []}
            case "card" if str(event["id"]) in cards:
                cards[str(event["id"])]["statuses"].append(_without(event))
            case "card_feedback" if str(event["id"]) in cards:
                cards[str(event["id"])]["feedback"].append(_without(event))
    return document({"cards": list(cards.values())})


def _without(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("kind", "id", "seq")}


def lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A line of JSON each."""
    return "".join(
        json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_other) + "\n" for row in rows
    ).encode("utf-8", "replace")
