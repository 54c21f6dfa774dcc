"""What the agent may do besides talking: the built-in tools, and what each means for the call. No vendors."""

from __future__ import annotations

from dataclasses import dataclass

from offhook.foundation.events import EndReason
from offhook.speech.base import ToolCall, ToolSpec

_TEXT = {"type": "string"}
_NOTED = "All right, I have noted that."
_NOBODY = "I'm sorry, I can't put you through from here."
_CANNOT = "I'm sorry, I can't do that."

SPECS = (
    ToolSpec(
        "hang_up",
        "End the call once your last sentence has been heard. Use it only after a goodbye.",
        {"type": "object", "properties": {}},
    ),
    ToolSpec(
        "transfer",
        "Connect the caller to a person. Say so first.",
        {"type": "object", "properties": {"reason": _TEXT}},
    ),
    ToolSpec(
        "take_message",
        "Keep a message for the business, after reading it back to the caller.",
        {
            "type": "object",
            "properties": {"name": _TEXT, "phone": _TEXT, "message": _TEXT},
            "required": ["message"],
        },
    ),
    ToolSpec(
        "book",
        "Keep a booking, after reading service, day and time back to the caller.",
        {
            "type": "object",
            "properties": {"service": _TEXT, "date": _TEXT, "time": _TEXT, "name": _TEXT, "phone": _TEXT},
            "required": ["service", "date", "time"],
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool call comes to: a note for the timeline, how the call ends if it does, and what the
    agent says when the model called the tool without a word."""

    result: str
    ends: EndReason | None = None
    line: str = ""


def run(call: ToolCall, transfer_to: str) -> Outcome:
    """What `call` means. Transfers go only where the agent's settings say, never where the model says."""
    match call.name:
        case "hang_up":
            return Outcome("hanging up after the last sentence", EndReason.AGENT_HUNG_UP)
        case "transfer" if transfer_to:
            return Outcome("transferring", EndReason.TRANSFERRED)
        case "transfer":
            return Outcome("refused: this agent has nobody to transfer to", line=_NOBODY)
        case "take_message" | "book":
            return Outcome("kept", line=_NOTED)
        case _:
            return Outcome("refused: there is no such tool", line=_CANNOT)
