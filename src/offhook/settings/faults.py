"""One line for a wrong setting: its name, its value (secrets masked), what is allowed. No I/O."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from offhook.foundation.redact import escape_controls, redact_text
from offhook.settings.keys import KeyFault
from offhook.settings.models import Settings

_SECRET_NAME = re.compile(r"key|secret|token|password", re.IGNORECASE)
_NOT_SECRET = {"message_bytes"}
_LONGEST_VALUE = 60
_LONG_NAME = 8
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Layer:
    """One source's values; `spelled` maps dotted names to the names the user wrote there."""

    source: str
    values: Mapping[str, Any]
    spelled: Mapping[str, str] = field(default_factory=dict)


def describe(error: ValidationError, layers: Sequence[Layer]) -> str:
    """The first fault of `error` in one line, and how many more there are."""
    details = error.errors(include_url=False)
    line = escape_controls(_line(details[0], layers) + _rule(details[0]["loc"], layers))
    more = len(details) - 1
    return line + (f" (and {more} more)" if more else "")


def _rule(path: Sequence[str | int], layers: Sequence[Layer]) -> str:
    """` (rule "NAME")` for a fault in a routing rule that has a name."""
    if tuple(path[:2]) != ("routing", "rules") or len(path) < 3:
        return ""
    rules = (_at(layer.values, path[:3]) for layer in layers)
    name = next((rule.get("name") for rule in rules if isinstance(rule, Mapping)), None)
    return f' (rule "{name}")' if name and isinstance(name, str) else ""


def suggestion(name: str, names: Iterable[str]) -> str:
    """`; did you mean X?`, or what there is when nothing is near."""
    known = sorted(names)
    near = nearest(name, known)
    return f"; did you mean {near}?" if near else f"; known: {', '.join(known)}"


def nearest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that is `name` but for a slip (two in long names), or nothing."""
    known = list(names)
    best = min(known, key=lambda other: _slips(name, other), default="")
    return best if best and _slips(name, best) <= (1 if len(best) < _LONG_NAME else 2) else ""


def _slips(one: str, other: str) -> int:
    """How many letters were added, left out, mistaken, or swapped with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                row[j] = min(row[j], before[j - 2] + 1)
        before = last
    return row[-1]


def describe_key(fault: KeyFault, layers: Sequence[Layer]) -> str:
    """One line for a key that cannot be right (secrets masked), or a choice whose key is missing."""
    path, value, allowed = fault
    name, source = _origin(path, layers)
    label = f"{name} ({source})" if source else name
    return escape_controls(f"{label} = {_shown(path, value)} is not allowed: {allowed}")


def _line(details: ErrorDetails, layers: Sequence[Layer]) -> str:
    context = details.get("ctx", {})
    path: tuple[str | int, ...] = (*details["loc"], *context.get("path", ()))
    value = context.get("value", details["input"])
    name, source = _origin(path, layers)
    label = f"{name} ({source})" if source else name
    if details["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{label} is no setting{suggestion(str(path[-1]), _names_at(path[:-1]))}"
    if details["type"] in ("missing", "missing_argument"):
        return f"{label} is missing"
    return f"{label} = {_shown(path, value)} is not allowed: {_allowed(details)}"


def _origin(path: Sequence[str | int], layers: Sequence[Layer]) -> tuple[str, str]:
    """The name to show and the source of the value at `path`, or of the nearest table above it."""
    dotted = _dotted(path)
    for depth in range(len(path), 0, -1):
        for layer in layers:
            found = _at(layer.values, path[:depth])
            if found is not _NOTHING:
                if isinstance(found, str):  # a list that was written as one text
                    dotted = _dotted(path[:depth])
                return layer.spelled.get(dotted, dotted), layer.source
    return dotted, ""


def _dotted(path: Sequence[str | int]) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _at(values: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        in_list = isinstance(values, list) and isinstance(part, int) and part < len(values)
        if not in_list and not (isinstance(values, Mapping) and part in values):
            return _NOTHING
        values = values[part]
    return values


def _shown(path: Sequence[str | int], value: Any) -> str:
    names = [part for part in path if isinstance(part, str)]
    if names and _SECRET_NAME.search(names[-1]) and names[-1] not in _NOT_SECRET:
        return "********"
    if isinstance(value, Mapping):
        return "a table"
    text = repr(value) if not isinstance(value, str) else f'"{value}"'
    text = redact_text(text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _allowed(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "literal_error" | "enum":
            return "one of " + str(context["expected"]).replace("'", "")
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            return _range(details)
        case "int_parsing" | "int_type" | "int_from_float":
            return "a whole number"
        case "float_parsing" | "float_type" | "finite_number":
            return "a number"
        case "bool_parsing" | "bool_type":
            return "true or false"
        case "string_type" | "path_type":
            return "text"
        case "string_too_short":
            return "text, not empty"
        case "list_type":
            return "a list"
        case "dict_type" | "model_type" | "model_attributes_type" | "dataclass_type":
            return "a table"
        case "value_error":
            return str(context["error"])
    return details["msg"]


def _range(details: ErrorDetails) -> str:
    """Both bounds of the number at the fault's path."""
    bounds: dict[str, Any] = {}
    owner: Any = Settings
    for part in details["loc"]:
        if isinstance(owner, type) and issubclass(owner, BaseModel):
            metadata = owner.model_fields[str(part)].metadata
            bounds = {k: getattr(m, k) for m in metadata for k in ("ge", "le") if hasattr(m, k)}
        owner = inner(owner, part)
    low, high = bounds.get("ge"), bounds.get("le")
    if low is not None and high is not None:
        return f"{low} to {high}"
    return details["msg"].removeprefix("Input should be ")


def _names_at(path: Sequence[str | int]) -> list[str]:
    """The names that a table at `path` may hold."""
    owner: Any = Settings
    for part in path:
        owner = inner(owner, part)
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        return list(owner.model_fields)
    if dataclasses.is_dataclass(owner):
        return [f.name for f in dataclasses.fields(owner)]
    return []


def inner(owner: Any, part: str | int) -> Any:
    """The type of what `owner` holds under `part`. Raises KeyError where there is no such setting."""
    origin = typing.get_origin(owner)
    if origin in (typing.Union, types.UnionType):
        owner = next(arg for arg in typing.get_args(owner) if arg is not type(None))
        origin = typing.get_origin(owner)
    if origin in (dict, list):
        return typing.get_args(owner)[-1]
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        return owner.model_fields[str(part)].annotation
    if dataclasses.is_dataclass(owner):
        return typing.get_type_hints(owner)[str(part)]
    return None
