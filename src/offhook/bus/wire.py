"""Call events as JSON values between processes of one house, and back. No I/O."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from dataclasses import asdict
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from offhook.foundation import center_events as _center  # noqa: F401  # their classes are to be known here
from offhook.foundation import consult_events as _consult  # noqa: F401  # their classes are to be known here
from offhook.foundation import desk_events as _desk_events  # noqa: F401  # their classes are to be known here
from offhook.foundation.events import CallEvent, Entry

Values = list[Any]


def pack(entry: Entry) -> Values:
    """`[call id, seq, media ms, kind, fields]`, as JSON takes it."""
    return [entry.call_id, entry.seq, entry.media_ms, entry.event.kind, asdict(entry.event)]


def unpack(values: Values) -> Entry:
    """The entry that `pack` was given. Raises ValueError for a kind that is not known here."""
    call_id, seq, media_ms, kind, fields = values
    found = _kinds().get(kind)
    if found is None:
        raise ValueError(f"no such event: {kind}")
    event, enums = found
    for name, make in enums:
        if fields[name] is not None:
            fields[name] = make(fields[name])
    return Entry(call_id, seq, media_ms, event(**fields))


@functools.cache
def _kinds() -> dict[str, tuple[type[CallEvent], list[tuple[str, Callable[[str], StrEnum]]]]]:
    """Event classes by kind, each with its fields that are words of a StrEnum."""
    return {event.kind: (event, list(_enums(event))) for event in _subclasses(CallEvent)}


def _subclasses(event: type[CallEvent]) -> Iterator[type[CallEvent]]:
    for each in event.__subclasses__():
        # A slotted dataclass is made twice; the first one, without slots, may still be about.
        if "__slots__" in vars(each):
            yield each
        yield from _subclasses(each)


def _enums(event: type[CallEvent]) -> Iterator[tuple[str, Callable[[str], StrEnum]]]:
    for name, hint in get_type_hints(event).items():
        union = get_origin(hint) in (Union, types.UnionType)
        for each in get_args(hint) if union else (hint,):
            if isinstance(each, type) and issubclass(each, StrEnum):
                yield name, each
