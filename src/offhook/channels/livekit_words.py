"""What an agent shows in a room: its state, who said what, answers to chat. Text only, and bounded.

Text streams on `lk.transcription` and `lk.chat`, attributes of the agent, as LiveKit's clients know them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from livekit import rtc

from offhook.foundation.events import (
    CallEvent,
    Floor,
    FloorChanged,
    LegKind,
    ReplySent,
    ReplyText,
    TextReceived,
    TranscriptFinal,
    TranscriptPartial,
)

CHAT = "lk.chat"
TRANSCRIPTION = "lk.transcription"
STATE = "lk.agent.state"
MOST_SEGMENTS = 64
MOST_CHAT = 64
DEADLINE_S = 5.0
_STATES = {
    Floor.GREETING: "speaking",
    Floor.LISTENING: "listening",
    Floor.HEARING: "listening",
    Floor.PAUSING: "listening",
    Floor.THINKING: "thinking",
    Floor.SPEAKING: "speaking",
    Floor.HOLDING: "listening",
    Floor.CLOSING: "speaking",
    Floor.ENDED: "idle",
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """A segment of the transcript as it is now. `identity` is the speaker's in the room."""

    segment: str
    identity: str
    track: str
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who it was in the room: an identity, and the id of the track that it was said on."""

    identity: str
    track: str = ""


class Words:
    """`tell` takes the call's events; `run` sends what came of them. `speaker(leg, seat)` names who it was;
    None: nobody of the room."""

    def __init__(self, speaker: Callable[[LegKind, str], Speaker | None]) -> None:
        self._speaker = speaker
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._chat: deque[str | None] = deque(maxlen=MOST_CHAT)
        self._answering = self._open = False
        self._said: dict[int, str] = {}
        self._attributes: dict[str, str] = {STATE: "initializing"}
        self._shown: dict[str, str] = {}
        self._news = asyncio.Event()
        self.call_id = ""
        self.lost = 0
        """Texts that could not be sent."""

    def tell(self, event: CallEvent) -> None:
        """Immediate. Lines of one segment replace each other; the oldest go where too many wait."""
        match event:
            case FloorChanged(floor):
                self.show(**{STATE: _STATES[floor]})
            case TextReceived():
                self.expect_answer()
            case ReplyText(turn, text):
                self._said[turn] = f"{self._said.get(turn, '')} {text}".strip()
                self._line(LegKind.AGENT, turn, self._said[turn], "", final=False)
                if self._answering:
                    self._open = True
                    self._put_chat(text)
            case ReplySent():
                self._end_answer()
            case TranscriptPartial(leg, turn, text, speaker):
                self._line(leg, turn, text, speaker, final=False)
            case TranscriptFinal(leg=leg, turn=turn, text=text, speaker=speaker):
                if leg is LegKind.AGENT:
                    self._said.pop(turn, None)
                    self._end_answer()
                if text:
                    self._line(leg, turn, text, speaker, final=True)

    def show(self, **attributes: str) -> None:
        """Attributes of the agent's from now on."""
        if any(self._attributes.get(name) != value for name, value in attributes.items()):
            self._attributes |= attributes
            self._news.set()

    def renew(self) -> None:
        """A server that was away knows nothing of us: show it all again."""
        self._shown = {}
        self._news.set()

    def expect_answer(self) -> None:
        """Somebody wrote: the next reply is written as well."""
        self._answering = True

    def _end_answer(self) -> None:
        if self._open:
            self._answering = self._open = False
            self._put_chat(None)

    def _put_chat(self, text: str | None) -> None:
        self._chat.append(text)
        self._news.set()

    def _line(self, leg: LegKind, turn: int, text: str, seat: str, *, final: bool) -> None:
        speaker = self._speaker(leg, seat)
        if speaker is None:
            return
        segment = f"{self.call_id}:{seat or leg}:{turn}"
        self._lines[segment] = Line(segment, speaker.identity, speaker.track, text, final)
        if len(self._lines) > MOST_SEGMENTS:
            self._lines.popitem(last=False)
            self.lost += 1
        self._news.set()

    @property
    def state(self) -> str:
        """What the agent is doing, in LiveKit's words."""
        return self._attributes[STATE]

    # Sending.

    async def run(self, me: rtc.LocalParticipant) -> None:
        """Until cancelled. What cannot be sent is lost, and counted."""
        writer: rtc.TextStreamWriter | None = None
        while True:
            await self._news.wait()
            self._news.clear()
            if self._attributes != self._shown:
                self._shown = dict(self._attributes)
                await self._try(me.set_attributes(self._shown))
            while self._chat:
                writer = await self._write(me, writer, self._chat.popleft())
            while self._lines:
                _, line = self._lines.popitem(last=False)
                await self._try(_send(me, line))

    async def _write(
        self, me: rtc.LocalParticipant, writer: rtc.TextStreamWriter | None, text: str | None
    ) -> rtc.TextStreamWriter | None:
        """A piece of an answer, or its end."""
        if text is None:
            if writer is not None:
                await self._try(writer.aclose())
            return None
        try:
            async with asyncio.timeout(DEADLINE_S):
                if writer is None:
                    writer = await me.stream_text(topic=CHAT)
                    await writer.write(text)
                else:
                    await writer.write(f" {text}")
        except Exception as error:
            self._failed(error)
        return writer

    async def _try(self, work: object) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                await work  # type: ignore[misc]
        except Exception as error:  # the SDK raises whatever it likes
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.lost += 1
        if self.lost == 1:
            _log.warning("a text did not get into the room", error=type(error).__name__)


async def _send(me: rtc.LocalParticipant, line: Line) -> None:
    attributes = {
        "lk.segment_id": line.segment,
        "lk.transcription_final": "true" if line.final else "false",
    }
    if line.track:
        attributes["lk.transcribed_track_id"] = line.track
    writer = await me.stream_text(topic=TRANSCRIPTION, attributes=attributes, sender_identity=line.identity)
    await writer.write(line.text)
    await writer.aclose()
