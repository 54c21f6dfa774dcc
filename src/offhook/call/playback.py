"""What the agent says, on its way to the caller: waiting, sent, heard. No sockets, no clock.

One playback per call. Time is media time in milliseconds, given by the media clock. Audio goes out
paced: never more than `lead_ms` ahead of the caller's ear, so that little has to be taken back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from offhook.audio.frame import AudioFormat
from offhook.call.said import Said, Spoken
from offhook.engines.base import Clause

FRAME_MS = 20
BURST_FRAMES = 25
"""No tick sends more than this at once, however far ahead a channel may be sent to."""
GRACE_MS = 600
"""How long a mark may be late before the playout estimate alone is believed."""
MARK_MS = 500
"""Besides the end of each clause, so often is the channel asked to confirm what was heard."""
CHAR_MS = 60
"""How long a character of speech takes, at least, where a clause's sound has not come to its end."""


class Outlet(Protocol):
    """What playback needs of a channel: see channels.base.Channel."""

    def play(self, audio: bytes) -> None: ...

    def clear(self) -> None: ...

    def mark(self, name: str) -> None: ...


class Playback:
    """The agent's sound towards one channel.

    `on_heard(at_ms, audio)` is told what the caller heard and when (for the recording); `active`
    from the opening of a reply until it was heard to its end or cut; `held` while an overlap is undecided;
    `underruns` counts how often a reply ran dry in the middle. `on_sent` is told when all of a reply is on
    its way. With `unsounded` the caller reads the words: what was sent counts as heard, and is not taped.
    `committed_ms`: what is to be heard before then is mixed with others' sound and cannot be taken back.
    """

    def __init__(
        self,
        channel: Outlet,
        format: AudioFormat,
        on_heard: Callable[[float, bytes], None],
        lead_ms: int = 80,
        room_ms: int = 20_000,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        self._channel = channel
        self._format = format
        self._on_heard = on_heard
        self._on_sent = on_sent
        self._told_sent = False
        self._before = 0
        self._lead_ms = lead_ms
        self._frame = format.size(FRAME_MS)
        self._bytes_per_ms = format.size(1000) / 1000
        self._room = format.size(room_ms)
        self._waiting: deque[Spoken] = deque()
        self._flight: deque[tuple[float, float, Spoken, bytes]] = deque()
        self._done: list[Spoken] = []
        self._playout_ms = 0.0
        self._marks = 0
        self._marked_ms = 0.0
        self._outstanding: deque[tuple[str, Spoken, int]] = deque()
        self._said: Said | None = None
        self._reached: list[tuple[Spoken, int]] = []
        self._open = False
        self._away = False
        self._rejoined = False
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.active = False
        self.held = False
        self.unsounded = False
        self.queued = 0
        self.underruns = 0
        self.frames = 0
        self.started_ms = 0
        self.left_ms = float("inf")
        self.committed_ms = 0.0

    def route(self, outlet: Outlet) -> None:
        """Send to this from now on; what was sent stays where it is."""
        self._channel = outlet

    @property
    def playout_ms(self) -> float:
        """When the caller has heard all that was sent."""
        return self._playout_ms

    def coming(self, ms: int) -> bytes:
        """The sound that would be sent next, `ms` of it at most."""
        next_ = self._waiting[0] if self._waiting and not self.held else None
        return next_.audio[next_.sent : next_.sent + self._format.size(ms)] if next_ is not None else b""

    @property
    def unheard_ms(self) -> float:
        """How much of the reply the caller has still to hear, as far as it is known."""
        return float("inf") if self._open else self.ahead_ms

    @property
    def ahead_ms(self) -> float:
        """How much sound of the reply there is that the caller has still to hear."""
        flying = sum(len(audio) for _, _, _, audio in self._flight)
        return self._format.ms(self.queued + flying)

    @property
    def clause(self) -> Said | None:
        """What is being heard now."""
        return self._flight[0][2].said if self._flight else None

    @property
    def sounded(self) -> bool:
        """Whether any sound of this reply has been sent."""
        return bool(self._flight) or bool(self._done) or any(s.sent for s in self._waiting)

    def open(self) -> None:
        """A new reply begins; what the last one left must have been cut or heard."""
        self._open = self.active = True
        self.held = self._told_sent = False
        self._before = 0
        self._spend()
        self._outstanding.clear()
        self._reached.clear()

    def reopen(self) -> None:
        """The reply that is being heard goes on: more will be added to it."""
        self._open, self._told_sent = True, False

    async def room(self) -> None:
        """Until less than `room_ms` is waiting (the engine's back pressure)."""
        await self._has_room.wait()

    def add(self, clause: Clause) -> Said:
        """One more clause of the open reply, or more of its last one; returns what becomes of it."""
        said = self._said
        self._told_sent = False
        if said is None or not clause.more:
            self._end_said()
            said = self._said = Said(clause.text)
        else:
            said.text += clause.text
        said.broken = said.broken or clause.broken
        if clause.audio or not clause.more:
            piece = Spoken(said, clause.audio)
            said.pieces.append(piece)
            self._waiting.append(piece)
            self.queued += len(clause.audio)
            if self.queued >= self._room:
                self._has_room.clear()
        return said

    def close(self) -> None:
        """Nothing more will be added to this reply."""
        self._end_said()
        self._open = False

    def _end_said(self) -> None:
        if self._said is not None:
            self._said.whole = not self._said.broken
            self._said = None

    def tick(self, now_ms: float) -> bool:
        """Send what is due at `now_ms`; True once everything of a closed reply has been heard."""
        self._settle(now_ms)
        if self.held or self._away or not self.active:
            return False
        if self._waiting:
            self._send(now_ms)
            if self._waiting:
                return False
        if not self._open and not self._told_sent:
            self._told_sent = True
            self._on_sent()
        if self._flight or self._open:
            return False
        if self._outstanding and now_ms < self._playout_ms + GRACE_MS:
            return False
        self.active = False
        return True

    def marked(self, name: str) -> None:
        """The channel reports that everything before this mark was heard."""
        if not any(sent == name for sent, _, _ in self._outstanding):
            return
        while self._outstanding and self._outstanding[0][0] != name:
            self._confirm(*self._outstanding.popleft())
        while self._outstanding and self._outstanding[0][0] == name:
            self._confirm(*self._outstanding.popleft())

    @staticmethod
    def _confirm(name: str, spoken: Spoken, position: int) -> None:
        spoken.confirmed = max(spoken.confirmed, position)

    def hold(self, now_ms: float) -> None:
        """Stop at once: what was sent and not heard goes back to the front of the queue."""
        self._take_back(now_ms)
        for spoken in (*self._done, *self._waiting):
            spoken.confirmed = max(spoken.confirmed, spoken.heard)  # the caller was there to interrupt
        self.held = True

    def leave(self, now_ms: float) -> None:
        """The caller's connection broke: stop, and go back to what is known to have been heard."""
        self._take_back(now_ms)
        clauses = [*self._done, *self._waiting]
        whole = next((n for n, s in enumerate(clauses) if s.confirmed < len(s.audio)), len(clauses))
        self._done, self._waiting = clauses[:whole], deque(clauses[whole:])
        for spoken in self._waiting:
            spoken.sent = spoken.heard = spoken.confirmed
        self.queued = sum(len(spoken.audio) - spoken.sent for spoken in self._waiting)
        self._away, self.left_ms = True, now_ms

    def come_back(self) -> None:
        """The caller's connection is there again."""
        self._away, self.left_ms, self._rejoined = False, float("inf"), True

    def _take_back(self, now_ms: float) -> None:
        now_ms = max(now_ms, self.committed_ms)
        self._settle(now_ms)
        self._channel.clear()
        while self._flight:
            at_ms, until_ms, spoken, audio = self._flight.pop()
            share = min(max((now_ms - at_ms) / (until_ms - at_ms), 0.0), 1.0)
            heard = int(len(audio) // self._format.width * share) * self._format.width
            if heard:
                self._on_heard(at_ms, audio[:heard])
                spoken.heard += heard
            spoken.sent -= len(audio) - heard
            self.queued += len(audio) - heard
            if not self._waiting or self._waiting[0] is not spoken:
                self._waiting.appendleft(spoken)
            if self._done and self._done[-1] is spoken:
                self._done.pop()
        self._outstanding.clear()
        self._reached.clear()
        self._playout_ms = float(int(now_ms))

    def resume(self) -> None:
        """Go on after `hold` where the caller stopped hearing."""
        self.held, self._rejoined, self._told_sent = False, True, False
        self._before = sum(said.heard for said in self._clauses())

    def correct(self, heard_ms: float) -> None:
        """While held: the caller says how much was heard since the reply began or went on. Only less than
        the estimate is believed: nobody hears faster than sound is played."""
        if not self.held:
            return
        left = self._before + self._format.size(max(0.0, heard_ms))
        pieces = [*self._done, *self._waiting]
        for piece in pieces:
            heard = min(piece.heard, left)
            left -= heard
            self.queued += piece.sent - heard
            piece.sent = piece.heard = piece.confirmed = heard
        whole = next((n for n, s in enumerate(pieces) if s.sent < len(s.audio)), len(pieces))
        self._done, self._waiting = pieces[:whole], deque(pieces[whole:])

    def presume_heard(self, now_ms: float) -> bool:
        """If all of a closed reply was sent, take it for heard, whatever time its sound would take."""
        if self._open or self.held or self._waiting or not self.active:
            return False
        self._settle(now_ms)
        for at_ms, _, spoken, audio in self._flight:
            played = min(len(audio), self._format.size(max(0.0, now_ms - at_ms)))
            if played and not self.unsounded:
                self._on_heard(at_ms, audio[:played])
            spoken.heard += len(audio)
        self._flight.clear()
        self._outstanding.clear()
        self._playout_ms = float(int(now_ms))
        self.active = False
        return True

    @property
    def unheard_text(self) -> str:
        """The words of the reply that the caller has still to hear."""
        parts = (said.words(CHAR_MS * self._bytes_per_ms)[1] for said in self._clauses())
        return " ".join(part for part in parts if part)

    def cut(self, now_ms: float, confirmed: bool = False) -> tuple[str, str]:
        """Give up the reply; returns the words that were heard and those that were not. `confirmed`: only
        what the channel has confirmed counts as heard (the peer is gone, the estimate may be wrong)."""
        if confirmed:
            self.leave(now_ms)
        elif not self.held:
            self.hold(now_ms)
        clauses = [said.words(CHAR_MS * self._bytes_per_ms) for said in self._clauses()]
        self._done.extend(self._waiting)
        self._waiting.clear()
        self._spend()
        self._said = None
        self.held = self._open = self.active = False
        self.queued = 0
        self._has_room.set()
        heard, unheard = ([part[n] for part in clauses if part[n]] for n in (0, 1))
        return " ".join(heard), " ".join(unheard)

    def heard_all(self) -> str:
        """The words of a reply that was heard to its end."""
        parts = [
            said.words(CHAR_MS * self._bytes_per_ms)[0] if said.broken else said.text.strip()
            for said in self._clauses()
        ]
        self._spend()
        return " ".join(part for part in parts if part)

    def _spend(self) -> None:
        for spoken in self._done:
            spoken.spend()
        self._done.clear()

    def _clauses(self) -> list[Said]:
        """What this reply said so far, in order, each clause once."""
        return list({id(piece.said): piece.said for piece in (*self._done, *self._waiting)}.values())

    def _settle(self, now_ms: float) -> None:
        """What has reached the caller's ear by now was heard."""
        flight = self._flight
        while flight:
            if flight[0][1] > now_ms:
                return
            at_ms, _, spoken, audio = flight.popleft()
            spoken.heard += len(audio)
            if not self.unsounded:
                self._on_heard(at_ms, audio)

    def _send(self, now_ms: float) -> None:
        fresh = not self.sounded
        if self._playout_ms < now_ms:
            if not fresh and not self._rejoined and now_ms - self._playout_ms > FRAME_MS:
                self.underruns += 1
            self._playout_ms = max(float(int(now_ms)), self.committed_ms)
        self._rejoined = False
        if fresh:
            self.started_ms = int(now_ms)
            self._marked_ms = now_ms
        frames = round((self._lead_ms - (self._playout_ms - now_ms)) / FRAME_MS)
        if self.unsounded:
            self._send_piece(self.queued)
        elif frames > 0:  # the lead, or a late tick's frames, as one message
            self._send_piece(self._frame * min(frames, BURST_FRAMES))

    def _send_piece(self, size: int) -> None:
        parts: list[bytes] = []
        ended = False
        while size and self._waiting:
            spoken = self._waiting[0]
            piece = spoken.audio[spoken.sent : spoken.sent + size]
            if piece:
                parts.append(piece)
                length_ms = 0.0 if self.unsounded else len(piece) / self._bytes_per_ms
                until_ms = self._playout_ms + length_ms
                self._flight.append((self._playout_ms, until_ms, spoken, piece))
                self._playout_ms = until_ms
                spoken.sent += len(piece)
                size -= len(piece)
            if spoken.sent >= len(spoken.audio):
                self._waiting.popleft()
                self._done.append(spoken)
                self._reached.append((spoken, spoken.sent))
                ended = ended or (spoken.said.whole and spoken is spoken.said.pieces[-1])
        audio = parts[0] if len(parts) == 1 else b"".join(parts)
        self.queued -= len(audio)
        if self.queued < self._room:
            self._has_room.set()
        if audio:
            self._channel.play(audio)
            self.frames += 1
        if self._playout_ms - self._marked_ms >= MARK_MS:
            if self._waiting:
                self._reached.append((self._waiting[0], self._waiting[0].sent))
            ended = True
        if ended or (self._reached and not self._waiting):
            self._mark()

    def _mark(self) -> None:
        self._marks += 1
        self._marked_ms = self._playout_ms
        name = f"m{self._marks}"
        self._outstanding.extend((name, spoken, position) for spoken, position in self._reached)
        self._reached.clear()
        self._channel.mark(name)
