"""Whether a tool call's arguments fit the tool's JSON schema, worded so that a model can mend them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from offhook.foundation.tools import ToolSpec

_MOST_FAULTS = 3
_MOST_CHARS = 200
_MOST_TEXT = 4_000


def fault(spec: ToolSpec, arguments: dict[str, Any]) -> str:
    """What is wrong with the arguments, or an empty string. Raises nothing."""
    if any(len(value) > _MOST_TEXT for value in arguments.values() if isinstance(value, str)):
        return "a text is too long"
    from referencing.exceptions import Unresolvable

    try:
        errors = sorted(_validator(_Key(spec)).iter_errors(arguments), key=lambda e: list(map(str, e.path)))
    except (Unresolvable, RecursionError):
        return "the tool's own schema cannot be used"
    return "; ".join(_worded(error) for error in errors[:_MOST_FAULTS])


def check(parameters: dict[str, Any]) -> str:
    """Why `parameters` is no schema of a tool's arguments, or an empty string."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if parameters.get("type") != "object":
        return 'a JSON schema of type "object"'
    try:
        Draft202012Validator.check_schema(parameters)
    except SchemaError as error:
        return f"a JSON schema: {error.message[:_MOST_CHARS]}"
    return ""


class _Key:
    """A spec as a cache's key: the very object, for a schema is a dict."""

    __slots__ = ("spec",)

    def __init__(self, spec: ToolSpec) -> None:
        self.spec = spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.spec is self.spec


@lru_cache(maxsize=512)
def _validator(key: _Key) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # An empty registry: a schema's references are never fetched.
    return Draft202012Validator(key.spec.parameters, registry=Registry())


def _worded(error: Any) -> str:
    where = ".".join(map(str, error.path))
    text = str(error.message)[:_MOST_CHARS]
    return f"{where}: {text}" if where else text
