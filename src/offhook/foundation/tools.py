"""The words of tools: what a model may call, that it wants one called, what that came to. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """What a tool changes, which decides what it takes to run it."""

    READ = "read"
    """Nothing: it looks something up."""
    CALL = "call"
    """This call alone: its end, its line, its notes."""
    WRITE = "write"
    """Something outside of the call that can be undone."""
    MONEY = "money"
    """Money, or what cannot be undone."""
    OUTBOUND = "outbound"
    """It reaches another person: a message, a mail, a call."""


_MOST_MALFORMED = 500


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function the model may call; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants a tool called. `id` is the model's own, or empty.

    `malformed` is what came where the arguments were no JSON object: nothing is run, the model is told.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    malformed: str = ""

    @property
    def given(self) -> dict[str, Any]:
        """What came as arguments, to be shown, told or compared; never to be run with."""
        return {"malformed": self.malformed[:_MOST_MALFORMED]} if self.malformed else self.arguments


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool call came to, as text for the model: data, never an instruction. Its call has an id."""

    call: ToolCall
    text: str
    failed: bool = False
