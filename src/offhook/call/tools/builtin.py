"""The built-in tools, and what each means for the call. They touch nothing outside of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offhook.foundation.agent import Agent
from offhook.foundation.events import EndReason
from offhook.speech.base import ToolSpec

MAX_DIGITS = 32
_DIGITS = re.compile(r"[0-9*#A-D]+\Z")


def _object(required: Sequence[str] = (), **texts: str) -> dict[str, Any]:
    properties = {
        name: {"type": "string", "maxLength": 500} | ({"description": about} if about else {})
        for name, about in texts.items()
    }
    return {"type": "object", "properties": properties, "required": list(required)}


SPECS = (
    ToolSpec(
        "hang_up",
        "End the call once your last sentence has been heard. Use it only after a goodbye.",
        {"type": "object", "properties": {}},
    ),
    ToolSpec(
        "transfer", "Connect the caller to a person. Say so first.", _object(reason="why, in a few words")
    ),
    ToolSpec(
        "transfer_to_human",
        "Ask a human colleague to take the call. The caller waits while the colleague is told about it; the"
        " call comes back to you if nobody can. Say in one short sentence that you ask a colleague.",
        _object(("reason",), reason="what the caller needs and why you cannot do it, in a sentence"),
    ),
    ToolSpec(
        "take_message",
        "Keep a message for the business, after reading it back to the caller.",
        _object(("message",), name="", phone="", message=""),
    ),
    ToolSpec(
        "book",
        "Keep a booking, after reading service, day and time back to the caller.",
        _object(("service", "date", "time"), service="", date="", time="", name="", phone=""),
    ),
    ToolSpec(
        "send_dtmf",
        "Press keys on the line, for the menus of machines.",
        _object(("digits",), digits="0-9 * # A-D"),
    ),
)
NAMES = frozenset(spec.name for spec in SPECS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool call comes to: `text` for the model and the timeline, and what the call has to do.

    `ends`: the call ends so, once the last sentence was heard; `line`: what the agent says when the model
    itself says nothing; `digits`: keys to press on the line; `question`: what the caller is asked before
    the tool is run; `unfit`: the arguments were wrong, the model may mend them.
    """

    text: str
    failed: bool = False
    ends: EndReason | None = None
    line: str = ""
    digits: str = ""
    question: str = ""
    unfit: bool = False


def offered(agent: Agent) -> tuple[ToolSpec, ...]:
    """The built-in tools that make sense for an agent."""
    if agent.takes_message:
        return tuple(spec for spec in SPECS if spec.name in ("hang_up", "take_message"))
    without = {"book"} if not agent.facts.booking else set()
    if not agent.facts.transfer_to:
        without.add("transfer")
    if not agent.consult:
        without.add("transfer_to_human")
    return tuple(spec for spec in SPECS if spec.name not in without)


def run(name: str, arguments: dict[str, Any], agent: Agent, language: str = "") -> Outcome:
    """What it means. Transfers go only where the agent's settings say, never where the model says."""
    match name:
        case "hang_up":
            return Outcome("hanging up after the last sentence", ends=EndReason.AGENT_HUNG_UP)
        case "transfer" if agent.facts.transfer_to:
            return Outcome("transferring", ends=EndReason.TRANSFERRED)
        case "transfer":
            return Outcome(
                "refused: this agent has nobody to transfer to", True, line=agent.line("nobody", language)
            )
        case "transfer_to_human" if agent.consult:
            return Outcome("asking a colleague; the caller waits", line=agent.line("one_moment", language))
        case "transfer_to_human":
            return Outcome("refused: this agent has nobody to ask", True, line=agent.line("nobody", language))
        case "take_message" | "book":
            if lacking := _lacking(name, arguments):
                return Outcome(f"failed: not kept without {lacking}; ask the caller", True, unfit=True)
            return Outcome("kept", line=agent.line("noted", language))
        case "send_dtmf":
            digits = str(arguments.get("digits", "")).replace(" ", "").upper()
            if not _DIGITS.match(digits) or len(digits) > MAX_DIGITS:
                return Outcome(f"refused: at most {MAX_DIGITS} of 0-9 * # A-D", True, unfit=True)
            return Outcome("pressed", digits=digits)
        case _:
            return Outcome("refused: there is no such tool", True, line=agent.line("cannot", language))


def _lacking(name: str, arguments: dict[str, Any]) -> str:
    """Which arguments that a tool cannot do without are missing or empty."""
    spec = next(spec for spec in SPECS if spec.name == name)
    return ", ".join(
        each for each in spec.parameters["required"] if not str(arguments.get(each) or "").strip()
    )
