"""A leg at a live socket: an operator's headset, or an S5 caller. Paces nothing itself, parses nothing."""

from __future__ import annotations

from typing import Protocol

from offhook.audio.convert import Converter
from offhook.audio.frame import WIDEBAND, AudioFormat, Encoding
from offhook.channels.base import CallerListener
from offhook.channels.bounds import SocketBounds
from offhook.channels.live_guest import Visit, Welcome
from offhook.channels.live_screen import CallerScreen, DeskScreen, Screen, is_level
from offhook.channels.outbox import Outbox
from offhook.channels.playout import Playout
from offhook.foundation.desk_events import CoachingCard
from offhook.foundation.errors import (
    ConflictError,
    LimitError,
    NotFoundError,
    OffhookError,
    RefusedError,
    WireError,
)
from offhook.foundation.events import CallEnded, ChannelKind, EndReason, Entry
from offhook.foundation.people import Stance
from offhook.protocols import live_words as words
from offhook.protocols.live import Audio, LiveRole
from offhook.protocols.live_words import CardVoice

PIECE_MS = 100
HOLE_MS = 240
"""A client that sent nothing for longer was silent meanwhile."""
AHEAD_MS = 2_000
"""So much sooner than it can have been said nothing is taken."""
_GOODBYES = {
    EndReason.SERVER_STOPPED: (1001, "this server is stopping"),
    EndReason.REFUSED: (4401, "this session is over"),
    EndReason.FAILED: (1011, "the call failed on our side"),
}


def code_of(error: OffhookError) -> tuple[str, int]:
    """What a refusal is called, and the close code that it has at the door."""
    match error:
        case ConflictError():
            return "conflict", 4409
        case LimitError():
            return "busy", 1013
        case NotFoundError():
            return "not_found", 4404
        case RefusedError():
            return "refused", 1008
        case WireError():
            return "bad_message", 1007
    return "failed", 1011


class Connection(Protocol):
    """The socket below."""

    def send(self, raw: bytes, binary: bool = False) -> None: ...

    def close(self, code: int, reason: str, end_reason: EndReason) -> None: ...


class LiveChannel:
    """The outward half of a leg (see channels/base.py), and its link to the call.

    An operator's leg has the rate that was asked for: the bridge mixes in it. A caller's is WIDEBAND, and
    converted here.
    """

    def __init__(self, visit: Visit, connection: Connection, bounds: SocketBounds) -> None:
        ask = visit.ask
        wire = AudioFormat(Encoding.PCM16, ask.rate)
        self.visit = visit
        self.muted = False
        self._is_caller = ask.role is LiveRole.CALLER
        self._format = WIDEBAND if self._is_caller else wire
        self._wire = wire
        self._connection: Connection | None = connection
        self._welcome: Welcome | None = None
        self._listener: CallerListener | None = None
        self._screen: Screen | None = None
        self._down = Converter(self._format, wire) if self._format != wire else None
        self._up = _Up(self._format)
        self._playout = Playout(self._format, self._reached)
        self._ending = self._told_end = False
        self.outbox = Outbox(
            self._pass_on, wire.size(bounds.queued_seconds * 1000) * (1 if ask.binary else 2)
        )

    # Channel.

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.BROWSER

    @property
    def format(self) -> AudioFormat:
        return self._format

    @property
    def peer(self) -> str:
        return ""

    def play(self, audio: bytes) -> None:
        if self._connection is None or self._ending:
            return
        self._playout.add(len(audio))
        if self._down is not None:
            audio = self._down.process(audio)
        size = self._wire.size(PIECE_MS)
        for start in range(0, len(audio), size):
            piece = audio[start : start + size]
            self.outbox.audio(piece if self.visit.ask.binary else words.audio(piece, self._wire.rate))

    def clear(self) -> None:
        self.outbox.drop_audio()
        self._playout.clear()
        if self._welcome is not None:
            self.outbox.words(words.message("clear"))

    def mark(self, name: str) -> None:
        self._playout.mark(name)

    def tell(self, entry: Entry) -> None:
        if self._screen is None or self._told_end:
            return
        send = self.outbox.level if is_level(entry.event) else self.outbox.words
        self._told_end = isinstance(entry.event, CallEnded)
        for raw in self._screen.show(entry):
            send(raw)

    def hang_up(self, reason: EndReason) -> None:
        if self._ending or self._connection is None:
            return
        self._ending = True
        if not self._told_end:
            self._told_end = True
            self.outbox.words(words.message("ended", reason=reason))
        self.outbox.drain()
        code, said = _GOODBYES.get(reason, (1000, reason.value))
        self._connection.close(code, said, reason)

    # For the house.

    def refuse(self, error: OffhookError) -> None:
        """Say why, and close."""
        if self.gone or self._connection is None:
            return
        self._ending = self._told_end = True
        name, code = code_of(error)
        self.outbox.words(words.error(name, error.reason))
        self.outbox.drain()
        self._connection.close(code, error.reason, EndReason.REFUSED)

    @property
    def welcome(self) -> Welcome | None:
        """What this leg got; None while it waits."""
        return self._welcome

    @property
    def gone(self) -> bool:
        """Whether nobody is there any more."""
        return self._connection is None or self._ending

    @property
    def stance(self) -> Stance | None:
        """What this leg does on the call; None for a caller, and for who waits for one."""
        welcome = self._welcome
        if welcome is None or not welcome.seat:
            return None
        return next((each.stance for each in welcome.seating().seats if each.seat == welcome.seat), None)

    def wait(self) -> None:
        """There is no such call yet: its caller may come."""
        ask = self.visit.ask
        shown: dict[str, object] = {"seat": "", "leg": "", "stance": ask.stance, "sample_rate": ask.rate}
        shown |= {"mode": "waiting", "holder": "", "hears": {}, "seats": [], "history": [], "coach": {}}
        shown |= {"started_at": None, "transfer": {"able": False, "reason": "there is no caller yet"}}
        self.outbox.words(words.message("joined", call_id=ask.call, name=ask.call, role=ask.role, **shown))

    def begin(self, welcome: Welcome) -> None:
        """On the call."""
        ask = self.visit.ask
        self._welcome, self._listener = welcome, welcome.listener
        history: list[dict[str, object]] = []
        if self._is_caller:
            self._screen = CallerScreen(welcome.started_at)
        else:
            desk = self._screen = DeskScreen(welcome.started_at, welcome.seating, welcome.seat)
            for entry in welcome.history:
                desk.recall(entry)
                history.append(entry.as_json())
        self.outbox.words(
            words.message(
                "joined",
                call_id=welcome.call_id,
                name=ask.call,
                seat=welcome.seat,
                leg=welcome.leg,
                role=ask.role,
                stance=welcome.stance,
                sample_rate=ask.rate,
                started_at=welcome.started_at.isoformat(),
                **welcome.seating().as_json(),
                history=history,
                coach=dict(welcome.coach),
                transfer={"able": bool(welcome.seat) and not welcome.stays, "reason": welcome.stays},
            )
        )

    def complain(self, error: OffhookError) -> None:
        """Say why a wish was not done; the call goes on."""
        self.outbox.words(words.error(code_of(error)[0], error.reason))

    def changed(self) -> None:
        """Something of the seating is another now."""
        if self._welcome is not None:
            self.outbox.words(words.mode(self._welcome.seating()))

    def card(self, card_id: str) -> CoachingCard | None:
        """One of the latest cards that were shown."""
        return self._screen.card(card_id) if isinstance(self._screen, DeskScreen) else None

    def dismiss(self) -> None:
        """The person goes, the call does not."""
        if not self.gone and self._connection is not None:
            self._ending = self._told_end = True
            self.outbox.words(words.message("ended", reason="left"))
            self.outbox.drain()
            self._connection.close(1000, "left", EndReason.CALLER_HUNG_UP)

    def voiced(self, card_id: str, voice: CardVoice) -> None:
        """A coaching card has a voice now."""
        if isinstance(self._screen, DeskScreen):
            for raw in self._screen.voiced(card_id, voice):
                self.outbox.words(raw)

    def coached(self, settings: dict[str, object]) -> None:
        """How the coach sounds to this operator from now on."""
        self.outbox.words(words.message("coach", settings=settings))

    # From the socket.

    def hear(self, audio: Audio, now: float) -> None:
        """Sound that came at `now`, in the loop's seconds."""
        listener = self._listener
        if listener is not None and not self.muted:
            placed = self._up.take(audio, now)
            if placed is not None:
                listener.on_audio(*placed)

    def detach(self, reason: EndReason) -> None:
        """The connection is gone."""
        self._connection = None
        self._playout.clear()
        listener, self._listener = self._listener, None
        if listener is not None and self._welcome is not None:
            listener.on_closed(reason)
            self._welcome.left(reason)

    def _reached(self, name: str) -> None:
        if self._listener is not None:
            self._listener.on_mark(name)

    def _pass_on(self, raw: bytes, audio: bool) -> None:
        if self._connection is not None:
            self._connection.send(raw, audio and self.visit.ask.binary)


class _Up:
    """A client's sound in the leg's format, on a media time of its own: samples count, and holes of time."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._converter: Converter | None = None
        self._rate = format.rate
        self._begun = -1.0
        self._samples = 0

    def take(self, audio: Audio, now: float) -> tuple[bytes, int] | None:
        """Samples and the media ms of the first one; None for what came too soon to be true."""
        if self._begun < 0:
            self._begun = now
        due_ms = (now - self._begun) * 1000
        at_ms = self._samples * 1000 // self._format.rate
        if at_ms - due_ms > AHEAD_MS:
            return None
        if due_ms - at_ms > HOLE_MS:
            at_ms = int(due_ms)
            self._samples = at_ms * self._format.rate // 1000
        samples = self._convert(audio)
        self._samples += len(samples) // 2
        return samples, at_ms

    def _convert(self, audio: Audio) -> bytes:
        if audio.rate != self._rate:
            self._rate = audio.rate
            source = AudioFormat(Encoding.PCM16, audio.rate)
            self._converter = Converter(source, self._format) if source != self._format else None
        return self._converter.process(audio.samples) if self._converter is not None else audio.samples
