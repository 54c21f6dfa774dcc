"""Python functions as tools: found by entry point or address, their schema from their signature. No sandbox.

A function takes the tool's arguments by name; a parameter annotated ToolContext gets what is known of the
call. It may be async; a plain one runs in a thread, and one that hangs keeps its thread.
"""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter, create_model
from pydantic_core import to_json

from offhook.foundation.errors import SettingsError
from offhook.foundation.tools import Effect, ToolSpec
from offhook.tools.base import Rules, Tool, ToolContext, ToolError

GROUP = "offhook.tools"
_MARK = "__offhook_tool__"
_THREADS = 8
_LONGEST = 200
_log = structlog.get_logger(__name__)
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Marked:
    rules: Rules
    description: str


def tool(
    effect: Effect | str, *, confirm: str = "", description: str = "", seconds: float = 10.0
) -> Callable[[F], F]:
    """Declares what a function is as a tool; one that says nothing counts as Effect.WRITE."""
    rules = Rules(Effect(effect), confirm=confirm, seconds=seconds)

    def mark(function: F) -> F:
        setattr(function, _MARK, _Marked(rules, description))
        return function

    return mark


class Functions:
    """Makes tools of functions and runs the plain ones in a few threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="tool")

    def tool(self, name: str, function: Callable[..., Any]) -> Tool:
        """Raises SettingsError for a function whose parameters have no JSON schema."""
        marked = getattr(function, _MARK, _Marked(Rules(), ""))
        try:
            hints = typing.get_type_hints(function)
            signature = inspect.signature(function)
        except Exception as error:  # annotations are any code at all
            raise SettingsError(f"tools.{name}: its signature cannot be read ({_said(error)})") from None
        wants = [
            p for p in signature.parameters if ToolContext in (hints.get(p), *typing.get_args(hints.get(p)))
        ]
        fields: dict[str, Any] = {}
        for parameter in signature.parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise SettingsError(f"tools.{name}: a tool's parameters are named one by one")
            if parameter.name not in wants:
                default = ... if parameter.default is parameter.empty else parameter.default
                fields[parameter.name] = (hints.get(parameter.name, str), default)
        try:
            model = create_model(name, **fields)
            schema = model.model_json_schema()
        except Exception as error:
            reason = type(error).__name__
            raise SettingsError(f"tools.{name}: its parameters have no JSON schema ({reason})") from None
        schema["additionalProperties"] = False
        description = marked.description or inspect.getdoc(function) or name
        adapters = {key: TypeAdapter(annotation) for key, (annotation, _) in fields.items()}
        run = partial(self._run, function, adapters, tuple(wants))
        return Tool(ToolSpec(name, description, schema), marked.rules, run)

    async def _run(
        self,
        function: Callable[..., Any],
        adapters: dict[str, TypeAdapter[Any]],
        wants: tuple[str, ...],
        arguments: dict[str, Any],
        context: ToolContext,
    ) -> str:
        try:
            given = {key: adapters[key].validate_python(value) for key, value in arguments.items()}
            given |= dict.fromkeys(wants, context)
            if inspect.iscoroutinefunction(function):
                result = await function(**given)
            else:
                loop = asyncio.get_running_loop()
                result = await loop.run_in_executor(self._threads, partial(function, **given))
        except ToolError:
            raise
        except Exception as error:  # what it says may hold what the caller said: for debugging only
            kind, name = type(error).__name__, getattr(function, "__name__", "?")
            _log.error("a tool's function failed", function=name, error=kind)
            _log.debug("a tool's function failed", exc_info=True)
            raise ToolError(f"the tool failed: {type(error).__name__}") from None
        return result if isinstance(result, str) else to_json(result).decode("utf-8")

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def find(name: str, address: str = "") -> Callable[..., Any]:
    """The function at `address` ("package.module:function"), or behind the entry point `name`.

    Raises SettingsError that says what there is.
    """
    try:
        if address:
            module, _, attribute = address.partition(":")
            found: Any = getattr(import_module(module), attribute)
        else:
            points = {point.name: point for point in entry_points(group=GROUP)}
            if name not in points:
                known = ", ".join(sorted(points)) or "none is installed"
                raise SettingsError(
                    f"tools.{name}: no installed package has a tool of that name; known: {known}"
                )
            found = points[name].load()
    except SettingsError:
        raise
    except (Exception, SystemExit) as error:  # a module that is loaded may do anything
        raise SettingsError(f"tools.{name}: its function cannot be loaded ({_said(error)})") from None
    if not callable(found):
        raise SettingsError(f"tools.{name}: what was found is no function")
    return typing.cast(Callable[..., Any], found)


def _said(error: BaseException) -> str:
    """What kind of error, and its words in one short line."""
    words = " ".join(str(error).split())[:_LONGEST]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
