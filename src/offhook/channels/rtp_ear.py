"""A caller's sound as it comes by RTP: put in order, decoded, losses filled, timed. No sockets."""

from __future__ import annotations

from collections.abc import Callable

from offhook.audio.reorder import PacketOrder, Slot
from offhook.channels.bounds import MediaTime
from offhook.channels.rtp_codec import Decoder, decoder
from offhook.foundation.errors import WireError
from offhook.protocols.rtp import ReceptionCount, RtpPacket, read_digit

CLOCK = 48_000
_PER_SAMPLE = 3
"""Units of Opus's RTP clock for one sample of WIDEBAND."""
_FRAME = 960
_MOST_FILLED = 12 * _FRAME
"""What is lost beyond 240 ms is a hole, no concealment."""
_HALF = 1 << 31


class RtpEar:
    """`on_audio(samples, at_ms)` is given WIDEBAND in order; `on_digit` each telephone event once. Media time
    began at `epoch`, in the loop's seconds: a stream that begins later begins there, and not before `begins`,
    where the ear before this one ended."""

    def __init__(
        self,
        opus: int,
        digits: int | None,
        epoch: float,
        on_audio: Callable[[bytes, int], None],
        on_digit: Callable[[str], None],
        begins: int = 0,
    ) -> None:
        self._opus = opus
        self._digits = digits
        self._epoch = epoch
        self._on_audio = on_audio
        self._on_digit = on_digit
        self._ssrc: int | None = None
        self._event = -1
        self._time = MediaTime()
        self._begin(begins)
        self.count = ReceptionCount(CLOCK)
        self.concealed = self.recovered = self.malformed = 0

    @property
    def ends(self) -> int:
        """Where the next sample belongs, in units of the RTP clock since the epoch."""
        return self._clock

    def _begin(self, clock: int) -> None:
        """Another stream begins, at this place of our clock."""
        self._decoder: Decoder | None = None
        self._order = PacketOrder()
        self._timestamp: int | None = None
        self._clock = clock
        """Where the next sample belongs, in units of the RTP clock since the first one."""

    def take(self, packet: RtpPacket, now: float) -> None:
        """A packet that came at `now`, in the loop's seconds."""
        if packet.payload_type == self._opus:
            if packet.ssrc != self._ssrc:
                self._ssrc = packet.ssrc
                self._begin(self._clock)
            self.count.add(packet, now)
            for slot in self._order.push(packet.sequence, packet.timestamp, packet.payload):
                self._hear(slot, now)
        elif packet.payload_type == self._digits:
            if packet.ssrc == self._ssrc:  # numbered with the sound's packets: no loss among them
                self.count.add(packet, now, paced=False)
                for slot in self._order.push(packet.sequence, packet.timestamp, b""):
                    self._hear(slot, now)
            self._press(packet)

    def flush(self, now: float) -> None:
        """Nothing has come for a while: what waits for what is missing is heard."""
        for slot in self._order.flush():
            self._hear(slot, now)

    def _press(self, packet: RtpPacket) -> None:
        """Each event comes many times, with the same timestamp."""
        try:
            digit, _ = read_digit(packet.payload)
        except WireError:
            self.malformed += 1
            return
        if digit and packet.timestamp != self._event:
            self._event = packet.timestamp
            self._on_digit(digit)

    def _hear(self, slot: Slot, now: float) -> None:
        if not slot.payload:
            return
        if self._decoder is None:
            self._decoder = decoder()
        if self._timestamp is None:
            self._clock = max(self._clock, int((now - self._epoch) * CLOCK))
        else:
            self._bridge(slot, self._decoder, now)
        try:
            samples = self._decoder.decode(slot.payload)
        except WireError:
            self.malformed += 1
            samples = self._decoder.conceal(_FRAME // _PER_SAMPLE)
        self._timestamp = slot.timestamp
        self._give(samples.tobytes(), now)

    def _bridge(self, slot: Slot, decoder: Decoder, now: float) -> None:
        """From the end of what was heard to this packet."""
        assert self._timestamp is not None
        gap = (slot.timestamp - self._timestamp + _HALF & 0xFFFF_FFFF) - _HALF
        if gap <= 0 or gap > 20 * CLOCK:
            return  # the sender's clock jumped: what follows joins what came before
        if slot.after_loss and gap <= _MOST_FILLED:
            missing = gap // _FRAME * (_FRAME // _PER_SAMPLE)
            last = min(missing, _FRAME // _PER_SAMPLE)
            while missing > last:
                step = min(missing - last, 5 * _FRAME // _PER_SAMPLE)
                self.concealed += step
                self._give(decoder.conceal(step).tobytes(), now)
                missing -= step
            if missing:
                self.recovered += missing
                self._give(decoder.recover(slot.payload, missing).tobytes(), now)
        else:
            self._clock += gap

    def _give(self, audio: bytes, now: float) -> None:
        samples = len(audio) // 2
        at_ms = self._clock * 1000 // CLOCK
        self._clock += samples * _PER_SAMPLE
        if self._timestamp is not None:
            self._timestamp = (self._timestamp + samples * _PER_SAMPLE) & 0xFFFF_FFFF
        if samples:
            self._on_audio(audio, self._time.place(at_ms, now))
