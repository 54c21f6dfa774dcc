"""The contract of tools: what one is, under which rules it runs, and what it may know of the call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from offhook.foundation.errors import OffhookError
from offhook.foundation.tools import Effect, ToolSpec

MAX_RESULT_CHARS = 4_000
SECONDS = 10.0
PER_CALL = 10
PER_MINUTE = 60
_ALWAYS_ASKED = (Effect.MONEY, Effect.OUTBOUND)


class ToolError(OffhookError):
    """A tool did not do what was asked. Its reason goes to the model: no keys, no addresses."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may know of the call: from the line and the settings, never from what was said."""

    call_id: str = ""
    agent: str = ""
    channel: str = ""
    caller: str = ""
    called: str = ""
    language: str = ""
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """What it takes to run a tool. `seconds` is its deadline, `per_call` and `per_minute` (in the whole
    process) how often it may run. `confirm` says what it is about to do, with its arguments in braces
    ("book {service} on {date}"); `ask` only matters for effects of kind WRITE, the graver ones always ask."""

    effect: Effect = Effect.WRITE
    confirm: str = ""
    ask: bool = True
    seconds: float = SECONDS
    per_call: int = PER_CALL
    per_minute: int = PER_MINUTE

    @property
    def needs_yes(self) -> bool:
        """Whether the caller has to agree, in so many words, before each run."""
        return self.effect in _ALWAYS_ASKED or (self.effect is Effect.WRITE and self.ask)


Run = Callable[[dict[str, Any], ToolContext], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Tool:
    """`run` takes arguments that fit the schema and returns text for the model, or raises ToolError."""

    spec: ToolSpec
    rules: Rules
    run: Run

    @property
    def name(self) -> str:
        return self.spec.name
