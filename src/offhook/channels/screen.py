"""Call events as the messages that a caller's page shows (docs/browser-protocol.md). No sockets.

A caller's screen shows the caller and the agent only: nothing that a coach or an operator says in private.
"""

from __future__ import annotations

from offhook.foundation.events import (
    CallEnded,
    CallEvent,
    EndReason,
    Floor,
    FloorChanged,
    LegKind,
    Levels,
    Notice,
    ReplyText,
    TranscriptFinal,
    TranscriptPartial,
    TurnTimed,
)
from offhook.protocols.browser import message

_SHOWN = (LegKind.CALLER, LegKind.AGENT)


def show(event: CallEvent) -> bytes | None:
    """The message for an event, or None for one that is not shown."""
    match event:
        case FloorChanged(floor) if floor is not Floor.ENDED:
            return message("state", state=floor)
        case TranscriptPartial(leg, turn, text) if leg in _SHOWN:
            return _transcript(leg, turn, text, final=False)
        case ReplyText(turn, text):
            return _transcript(LegKind.AGENT, turn, text, final=False)
        case TranscriptFinal() if event.leg in _SHOWN:
            return _transcript(
                event.leg, event.turn, event.text, final=True, cut=event.interrupted, unheard=event.unheard
            )
        case Levels(caller, agent):
            return message("levels", caller=round(caller, 1), agent=round(agent, 1))
        case TurnTimed():
            return message(
                "latency",
                turn=event.turn,
                endpoint_ms=event.endpoint_ms,
                transcript_ms=event.transcript_ms,
                first_token_ms=event.first_token_ms,
                first_audio_ms=event.first_audio_ms,
            )
        case Notice(text):
            return message("notice", text=text)
        case CallEnded(reason):
            return ended(reason)
    return None


def ended(reason: EndReason) -> bytes:
    return message("ended", reason=reason)


def _transcript(
    leg: LegKind, turn: int, text: str, *, final: bool, cut: bool = False, unheard: str = ""
) -> bytes:
    return message(
        "transcript", speaker=leg, turn=turn, text=text, final=final, interrupted=cut, unheard=unheard
    )
