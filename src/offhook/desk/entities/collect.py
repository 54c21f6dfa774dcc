"""A call's entities as they stand, from its timeline: told, replaced, said again, pinned. Reads no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_FIELDS = ("type", "value", "text", "leg", "turn", "start", "end", "at_ms", "confidence")


def collect(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`events` in their flat form, in order. Each entity has its id, what was found and where, whether it is
    pinned and by whom, whether an operator added it, its mentions. The pinned come first, then by time."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        match event.get("kind"):
            case "entity":
                _told(found, event)
            case "entity_mentioned":
                if (known := found.get(str(event["id"]))) is not None:
                    known["mentions"].append(
                        {name: event[name] for name in ("leg", "turn", "start", "end", "at_ms")}
                    )
            case "entity_pinned":
                _pinned(found, event)
    return sorted(found.values(), key=lambda one: (not one["pinned"], one["at_ms"]))


def _told(found: dict[str, dict[str, Any]], event: Mapping[str, Any]) -> None:
    id = str(event["id"])
    state = found.get(id) or _new(id)
    found[id] = {**state, **{name: event.get(name) for name in _FIELDS}}


def _new(id: str) -> dict[str, Any]:
    return {"id": id, "pinned": False, "pinned_by": "", "added_by": "", "mentions": []}


def _pinned(found: dict[str, dict[str, Any]], event: Mapping[str, Any]) -> None:
    id, added = str(event["id"]), event.get("added") or {}
    if id not in found:
        if not added:
            return
        blank = {"text": "", "leg": "operator", "turn": 0, "start": 0, "end": 0, "confidence": 1.0}
        own = {"type": str(added.get("type", "")), "value": str(added.get("value", ""))}
        at_ms = added.get("at_ms")
        blank["at_ms"] = at_ms if isinstance(at_ms, int) else event.get("media_ms", 0)
        found[id] = {**_new(id), **blank, **own, "added_by": event["by"]}
    found[id] |= {"pinned": bool(event["pinned"]), "pinned_by": event["by"] if event["pinned"] else ""}
