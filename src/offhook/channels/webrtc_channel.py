"""A caller's WebRTC leg, outliving its connections: plays, shows, waits for one who went. Parses no SDP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from offhook.audio.frame import WIDEBAND, AudioFormat
from offhook.channels.base import CallerListener, Reception
from offhook.channels.bounds import SocketBounds
from offhook.channels.outbox import Outbox
from offhook.channels.pacer import Pacer
from offhook.channels.resume import ResumeDesk, Seat
from offhook.channels.rtp_ear import RtpEar
from offhook.channels.rtp_mouth import FRAME_S, RtpMouth
from offhook.channels.screen import ended, show
from offhook.channels.watch import Pulse, Watch
from offhook.channels.webrtc_peer import Peer, written_report
from offhook.channels.webrtc_sessions import Newcomer
from offhook.channels.webrtc_talk import Talk
from offhook.foundation.errors import OffhookError
from offhook.foundation.events import CallEnded, ChannelKind, EndReason, Entry, Levels
from offhook.protocols.browser import BrowserWriter, Codec, Mute, Stats
from offhook.protocols.rtp import Report, RtpPacket, round_trip_s

MOST_UNSENT = 65_536
"""Bytes of messages that may wait in the data channel before we hold more back."""
CHECKS_PER_REPORT = 4
MOST_DELAY_S = 0.5
LINGER_S = 0.2
"""Between the last word of the data channel and the end of the connection: it may have to be sent again."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all WebRTC callers of the process have in common. `spawn` runs what a leg leaves behind."""

    reception: Reception
    bounds: SocketBounds
    watch: Watch
    pacer: Pacer
    sessions: ResumeDesk[WebRtcChannel]
    spawn: Callable[[Coroutine[Any, Any, None], str], None]


class WebRtcChannel:
    """The outward half of a WebRTC leg (see channels/base.py), and whom its connections tell (Caller).

    The call begins when the first connection stands; `gone` is told once nothing of it is left.
    """

    def __init__(
        self, around: Surroundings, call_id: str, newcomer: Newcomer, gone: Callable[[], None]
    ) -> None:
        self._around = around
        self._newcomer = newcomer
        self._gone = gone
        self._seat = Seat(around.sessions, self, around.bounds.resume_seconds)
        self._now = asyncio.get_running_loop().time
        self._epoch = self._now()
        self._listener: CallerListener | None = None
        self._ear: RtpEar | None = None
        self._mouth: RtpMouth | None = None
        self._talk = Talk(self, around.bounds, around.watch)
        self._writer = BrowserWriter()
        self._pulse = Pulse(around.watch.checks(around.bounds.media_silence_seconds))
        self._checks = self._seen = 0
        self._lost = self._ending = self._finished = self._told_end = self._shown = False
        self.outbox = Outbox(lambda raw, _: self._pass_on(raw), 0)
        self.outbox.pause()
        self.call_id = call_id
        self.peer_now: Peer | None = None
        self.coming: Peer | None = None
        self.muted = False
        self.stats: Stats | None = None
        self.round_trip_s = 0.0

    @property
    def session(self) -> str:
        """The secret by which the client speaks of this call."""
        return self._seat.secret

    @property
    def begun(self) -> bool:
        return self._listener is not None

    @property
    def over(self) -> bool:
        return self._finished or self._ending

    # Channel.

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.WEBRTC

    @property
    def format(self) -> AudioFormat:
        return WIDEBAND

    @property
    def peer(self) -> str:
        return ""

    def play(self, audio: bytes) -> None:
        if self._mouth is not None and not self._lost:
            self._mouth.play(audio, self._now())

    def clear(self) -> None:
        if self._mouth is not None:
            self._mouth.clear()

    def mark(self, name: str) -> None:
        if self._mouth is not None and not self._lost:
            self._mouth.mark(name, self._now())

    def tell(self, entry: Entry) -> None:
        if self._told_end or isinstance(entry.event, Levels) or not self._has_screen:
            return  # a client measures its levels itself: it has the sound
        raw = show(entry.event)
        if raw is not None:
            self._told_end = isinstance(entry.event, CallEnded)
            self.outbox.words(raw)

    def hang_up(self, reason: EndReason) -> None:
        if self._ending:
            return
        self._ending = True
        self._seat.leave()  # nobody comes back to a call that is ending
        if self.peer_now is None or self._lost:
            self._around.spawn(self._end_now(reason), "webrtc-end")
            return
        if not self._told_end and self._has_screen:
            self._told_end = True
            self.outbox.words(ended(reason))
        self._around.spawn(self._end(reason), "webrtc-end")

    @property
    def _has_screen(self) -> bool:
        peer = self.peer_now or self.coming
        return peer is not None and peer.offer.data >= 0

    # From its connections (Caller).

    def up(self, peer: Peer) -> None:
        if self.over or peer is not self.coming:
            return  # it is closed with the call, or by who took its place
        old, self.peer_now, self.coming = self.peer_now, peer, None
        self._connect(peer)
        if self._listener is None:
            self._begin()
        else:
            self.outbox.pause()
            self._shown = False
            if old is not None and not self._lost:
                self._lose()
            self._regain()
        if old is not None:
            self._around.spawn(old.close(), "webrtc-close")

    def _connect(self, peer: Peer) -> None:
        offer = peer.offer
        hear = self._heard if offer.sends else lambda audio, at_ms: None
        begins = self._ear.ends if self._ear is not None else 0
        self._ear = RtpEar(offer.opus, offer.digits, self._epoch, hear, self.press, begins)
        self._mouth = RtpMouth(offer.opus, peer.ssrc, self._reached)
        if offer.hears:
            self._mouth.send = peer.send
        self._around.pacer.add(self)
        self._around.watch.add(self)

    def _begin(self) -> None:
        try:
            arrival = replace(self._newcomer.admit(), call_id=self.call_id)
            self.call_id, self._listener = self._around.reception.arrive(self, arrival)
        except OffhookError as error:
            self._talk.refuse(error)
            self.hang_up(EndReason.REFUSED)

    def down(self, peer: Peer, why: str) -> None:
        if peer is self.coming:
            self.coming = None
            self._around.spawn(peer.close(), "webrtc-close")
            if self._listener is None:
                self._finish(EndReason.PEER_LOST)
        elif peer is self.peer_now and not self._ending:
            if why:
                self._around.watch.faults["webrtc"] += 1
                self.hang_up(EndReason.PROTOCOL_ERROR)
            elif self.coming is None:
                self._ending = True
                self._finish(EndReason.CALLER_HUNG_UP)

    def sound(self, packet: RtpPacket) -> None:
        if self._ear is not None:
            self._ear.take(packet, self._now())

    def report(self, report: Report) -> None:
        peer, mouth = self.peer_now, self._mouth
        if self._ear is not None:
            self._ear.count.heard(report, self._now())
        for block in report.blocks:
            if peer is not None and mouth is not None and block.ssrc == peer.ssrc:
                trip = round_trip_s(block, time.time())
                if trip is not None:
                    self.round_trip_s = trip
                    mouth.delay_s = min(MOST_DELAY_S, trip / 2)
                mouth.expect_loss(round(100 * block.fraction_lost))

    def opened(self, peer: Peer) -> None:
        if peer is not self.peer_now or self._shown:
            return
        resumed = self._seen > 0
        self._seen += 1
        self._shown = True
        if self._listener is not None:  # else the call was refused
            agent = self._newcomer.agent
            peer.tell(self._writer.started(self.call_id, self.session, Codec.OPUS, agent, resumed))
        self.outbox.resume()

    def said(self, message: str | bytes) -> None:
        if not self.over:
            self._talk.take(message, self._now())

    def drained(self, peer: Peer) -> None:
        if peer is self.peer_now and self._shown:
            self.outbox.resume()

    # What the caller does.

    def press(self, digit: str) -> None:
        if self._listener is not None and not self.over:
            self._listener.on_digit(digit)

    def type(self, text: str) -> None:
        if self._listener is not None and not self.over:
            self._listener.on_text(text)

    def note(self, said: Mute | Stats) -> None:
        """What the page says of itself."""
        if isinstance(said, Mute):
            self.muted = said.muted
        else:
            self.stats = said

    def _heard(self, audio: bytes, at_ms: int) -> None:
        if self._listener is None or self.over:
            return
        if self._talk.hears(audio, self._now()) and not self._lost:
            self._listener.on_audio(audio, at_ms)

    def _reached(self, name: str) -> None:
        if self._listener is not None and not self.over:
            self._listener.on_mark(name)

    # By the clock.

    def pump(self, now: float) -> None:
        """The pacer's tick."""
        if self._mouth is not None:
            self._mouth.pump(now)

    def check(self) -> None:
        """The watch's look."""
        peer, ear, mouth = self.peer_now, self._ear, self._mouth
        if peer is None or ear is None or mouth is None or self.over:
            return
        gone = self._pulse.is_lost(peer.received, False)
        if gone and not self._lost:
            self._lose()
        elif self._lost and not gone:
            self._regain()
        if self._pulse.is_quiet:
            ear.flush(self._now())
        if peer.flooded or (self._shown and self.outbox.overflowed):
            self.hang_up(EndReason.PROTOCOL_ERROR)
            return
        self._checks += 1
        if self._checks % CHECKS_PER_REPORT == 0:
            sent = (mouth.timestamp, mouth.packets, mouth.octets)
            peer.send_report(written_report(peer, ear.count.block(self._now()), sent, "offhook"))

    def _lose(self) -> None:
        self._lost = True
        mouth = self._mouth
        if mouth is not None:
            mouth.send = None
            mouth.clear()
        if self._seat.seconds <= 0:
            self._finish(EndReason.PEER_LOST)
            return
        if self._listener is not None:
            self._listener.on_lost()
        self._seat.wait(lambda: self._finish(EndReason.PEER_LOST))

    def _regain(self) -> None:
        self._lost = False
        self._seat.sit()
        peer, mouth = self.peer_now, self._mouth
        if peer is not None and mouth is not None and peer.offer.hears:
            mouth.send = peer.send
        if self._listener is not None:
            self._listener.on_resumed()

    # The end.

    def _pass_on(self, raw: bytes) -> None:
        if self.peer_now is not None:
            self.peer_now.tell(raw)
            if self.peer_now.buffered > MOST_UNSENT:
                self.outbox.pause()

    async def _end(self, reason: EndReason) -> None:
        """Once what was given has left, or has had the time for it."""
        peer, mouth = self.peer_now, self._mouth
        patience = self._around.bounds.close_seconds
        for _ in range(int(patience / FRAME_S)):
            opening = self._listener is None and self._has_screen and not self._shown
            if mouth is None or peer is None or not (mouth.queued or peer.buffered or opening):
                break
            await asyncio.sleep(FRAME_S)
        if self._shown:
            self.outbox.drain()
            await asyncio.sleep(min(LINGER_S, patience))
        self._finish(reason)

    async def _end_now(self, reason: EndReason) -> None:
        self._finish(reason)

    def abandon(self) -> None:
        """The client gave up before the call began, or nothing came of its offer."""
        self._ending = True
        self._finish(EndReason.CALLER_HUNG_UP)

    def _finish(self, reason: EndReason) -> None:
        if self._finished:
            return
        self._ending = self._finished = True
        self._seat.leave()
        self._around.pacer.remove(self)
        self._around.watch.remove(self)
        peers = [peer for peer in (self.peer_now, self.coming) if peer is not None]
        self._ear = self._mouth = None
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(reason)
        self._around.spawn(self._leave(peers), "webrtc-close")

    async def _leave(self, peers: list[Peer]) -> None:
        try:
            for peer in peers:
                await peer.close()
        finally:
            self._gone()
