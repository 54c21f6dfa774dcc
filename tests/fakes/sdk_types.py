"""Checks what a fake gets against the types of the vendor's official SDK: what those do not know fails."""

from __future__ import annotations

import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import typing_extensions
from pydantic import TypeAdapter, ValidationError


class NotInSdk(Exception):
    """The request is none that the official SDK could have sent."""


def check_dict(kind: Any, value: Any) -> None:
    """`value` is a `kind` (a TypedDict of the SDK), with no field that it does not know, at any depth."""
    try:
        for _ in _consumed(_adapter(kind).validate_python(value)):
            pass
    except ValidationError as error:
        raise NotInSdk(str(error)) from error
    if unknown := list(_unknown(kind, value, "")):
        raise NotInSdk(f"the SDK does not know {', '.join(unknown)}")


def check_call(method: Callable[..., Any], arguments: Mapping[str, Any], own: Iterable[str] = ()) -> None:
    """`arguments` are parameters of an SDK method, each of the parameter's type; literals count as closed."""
    hints = typing.get_type_hints(inspect.unwrap(method))
    parameters = set(inspect.signature(method).parameters) - {"self", "request_options", *own}
    for name, value in arguments.items():
        if name not in parameters:
            raise NotInSdk(f"{method.__qualname__} has no parameter {name!r}")
        try:
            _adapter(closed(hints[name])).validate_python(value)
        except ValidationError as error:
            raise NotInSdk(f"{name}: {error}") from error


def prepare(*kinds: Any) -> None:
    """Build the checks now: the large types take a fraction of a second, and requests have deadlines."""
    for kind in kinds:
        _adapter(kind)


@functools.lru_cache(maxsize=128)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def closed(hint: Any) -> Any:
    """Without the `Any` that generators add to literals, so that only the known values are left."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        arms = [closed(arm) for arm in typing.get_args(hint)]
        known = [arm for arm in arms if arm is not Any]
        return _union(known) if known else Any
    return hint


def _union(kinds: list[Any]) -> Any:
    return functools.reduce(operator.or_, kinds)


def _consumed(value: Any) -> Iterator[None]:
    """Walks lazily checked iterables, which are only checked when they are read."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _consumed(item)
    elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        for item in value:
            yield from _consumed(item)
    yield None


def _unknown(kind: Any, value: Any, where: str) -> Iterator[str]:
    """Names of fields that no TypedDict that could stand here has."""
    arms = list(_arms(kind))
    if isinstance(value, Mapping):
        dicts = [arm for arm in arms if typing_extensions.is_typeddict(arm)]
        if not dicts or any(_open(arm) for arm in dicts):
            return
        fitting = [arm for arm in dicts if set(value) <= set(arm.__annotations__)]
        if not fitting:
            known = set().union(*(arm.__annotations__ for arm in dicts))
            yield from (f"{where}{name}" for name in sorted(set(value) - known) or sorted(value))
            return
        hints = [typing_extensions.get_type_hints(arm) for arm in fitting]
        for name, item in value.items():
            nested = _union([hint[name] for hint in hints])
            yield from _unknown(nested, item, f"{where}{name}.")
    elif isinstance(value, list):
        inner = [typing.get_args(arm)[0] for arm in arms if typing.get_origin(arm) and typing.get_args(arm)]
        for item in value if inner else ():
            yield from _unknown(_union(inner), item, where)


def _arms(kind: Any) -> Iterator[Any]:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        for arm in typing.get_args(kind):
            yield from _arms(arm)
    elif origin in (typing_extensions.Required, typing_extensions.NotRequired, typing.Annotated):
        yield from _arms(typing.get_args(kind)[0])
    else:
        yield kind


def _open(kind: Any) -> bool:
    """Whether a TypedDict says that it may hold other fields too."""
    return getattr(kind, "__extra_items__", typing_extensions.NoExtraItems) is object
