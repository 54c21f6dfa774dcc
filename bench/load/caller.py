"""One caller of a load run: says something, is silent, now and then interrupts; notes when it is answered."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from typing import Any

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from load.plan import FRAME_S, Plan, Voices
from load.playout import Pacing, Playout
from offhook.protocols.twilio_peer import TwilioPeer

_now = time.monotonic


@dataclass(slots=True)
class Turn:
    """Something a caller said. Times are moments; 0 is never."""

    onset: float
    over_reply: bool
    ended: float = 0.0
    answered: float = 0.0
    cleared: float = 0.0
    early: bool = False
    """Reply audio came while the caller was still speaking."""
    leftover: float = 0.0
    """Seconds of the old reply that came after the clear."""


class QuickPeer(TwilioPeer):
    """Twilio's side, with a media message that costs a microsecond."""

    def rendered(self, payload: bytes) -> bytes:
        """A media message of 20 ms that are in base64 already."""
        self._sequence += 1
        self._chunks += 1
        return (
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d",'
            b'"timestamp":"%d","payload":"%b"},"streamSid":"%b"}'
            % (self._sequence, self._chunks, self._chunks * 20, payload, self.stream_sid.encode())
        )


class Mouth:
    """What the caller does next: frames of a clip, or of silence. Pure counting."""

    __slots__ = ("_chance", "_clip", "_noise_at", "_plan", "_position", "_voices", "silent")

    def __init__(self, plan: Plan, voices: Voices, number: int) -> None:
        self._plan = plan
        self._voices = voices
        self._chance = random.Random(plan.seed * 100_003 + number)
        self._clip: list[bytes] | None = None
        self._position = 0
        self._noise_at = number
        period = voices.mean_frames + int(plan.silence / FRAME_S)
        self.silent = int(plan.lead_in / FRAME_S) + self._chance.randrange(period)

    @property
    def begins(self) -> bool:
        """Whether the next frame is the first of something to say."""
        return self._clip is None and self.silent <= 0 and self._plan.speak

    def begin(self) -> None:
        self._clip, self._position = self._chance.choice(self._voices.clips), 0

    def next(self) -> tuple[bytes, bool]:
        """A frame, and whether it was the last of what was said."""
        if self._clip is None:
            self.silent -= 1
            self._noise_at += 1
            return self._voices.noise[self._noise_at % len(self._voices.noise)], False
        frame = self._clip[self._position]
        self._position += 1
        if self._position < len(self._clip):
            return frame, False
        self._clip, self.silent = None, int(self._plan.silence / FRAME_S)
        return frame, True


class Caller(WSListener):  # type: ignore[misc]
    """A connection to the server. `tick` sends 20 ms; the rest reacts to what the server sends."""

    def __init__(self, plan: Plan, voices: Voices, pacing: Pacing, number: int) -> None:
        super().__init__()
        self.peer = QuickPeer(f"CA{number:032x}", f"MZ{number:032x}", "AC" + "0" * 32, plan.parameters)
        self.playout = Playout(number, pacing)
        self.turns: list[Turn] = []
        self.alive = False
        self.began = self.greeted = 0.0
        self._plan = plan
        self._mouth = Mouth(plan, voices, number)
        self._turn: Turn | None = None
        self._transport: WSTransport | None = None

    def start(self) -> None:
        """Announce the call."""
        self._send(self.peer.connected())
        self._send(self.peer.start())
        self.began = _now()

    def stop(self) -> None:
        """Hang up."""
        if self.alive and self._transport is not None:
            self._send(self.peer.stop())
            self._transport.send_close(WSCloseCode.OK)

    def leave(self, politely: bool) -> None:
        """Go without `stop`: with a close frame, or with none."""
        if self._transport is not None:
            if politely:
                self._transport.send_close(WSCloseCode.OK)
            else:
                self._transport.disconnect(graceful=False)

    def tick(self) -> None:
        """Send the next 20 ms."""
        mouth = self._mouth
        begins = mouth.begins
        if begins:
            mouth.begin()
        frame, ended = mouth.next()
        self._send(self.peer.rendered(frame))
        now = _now()
        if begins:
            playing = self.playout.end > now
            self._turn = Turn(now, playing)
            if not playing:
                self.playout.new_reply()
        if ended and self._turn is not None:
            self._turn.ended = now
            self.turns.append(self._turn)
            self.playout.new_reply()
        self._return(self.playout.due(now))

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport, self.alive = transport, True

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.alive = False

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()
        elif frame.msg_type is WSMsgType.TEXT:
            self._receive(_now(), json.loads(frame.get_payload_as_bytes()))

    def _receive(self, now: float, message: dict[str, Any]) -> None:
        match message["event"]:
            case "media":
                text = message["media"]["payload"]
                self._heard(now, (len(text) * 3 // 4 - text.count("=", -2)) / 8000)
            case "mark":
                self.playout.mark(now, message["mark"]["name"])
            case "clear":
                turn = self._turn
                if turn is not None and not turn.cleared and not (turn.ended and turn.answered):
                    turn.cleared = now
                self._return(self.playout.clear(now))

    def _heard(self, now: float, seconds: float) -> None:
        turn = self._turn
        if turn is None:
            self.greeted = self.greeted or now
        elif turn.ended:
            if not turn.answered:
                turn.answered = now
                every = self._plan.interrupt_every
                if every and len(self.turns) % every == 0:
                    self._mouth.silent = int(self._plan.interrupt_after / FRAME_S)  # to speak over this reply
        elif not turn.over_reply:
            turn.early = True
        elif turn.cleared:
            turn.leftover += seconds
        self.playout.add(now, seconds)

    def _return(self, names: list[str]) -> None:
        for name in names:
            self._send(self.peer.mark(name))

    def _send(self, message: bytes) -> None:
        if self.alive and self._transport is not None:
            self._transport.send(WSMsgType.TEXT, message)
