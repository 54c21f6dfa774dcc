"""The sound of a call with humans on it: sources into ears, 20 ms at a time, as the mode says.

What each ear hears comes from the table of call/modes.py alone. Decides no modes, knows no words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from offhook.audio.convert import to_bytes
from offhook.audio.frame import WIDEBAND
from offhook.audio.g711 import Samples
from offhook.audio.mix import mix
from offhook.call.blend import Blend
from offhook.call.caller_mix import CallerMix
from offhook.call.elastic import FRAME_MS
from offhook.call.hold_audio import HoldAudio, Pattern, hold_pattern
from offhook.call.modes import Part, is_heard
from offhook.call.playback import Playback
from offhook.call.seat import Seat
from offhook.call.sources import Source
from offhook.call.timeline import Timeline
from offhook.channels.base import Channel
from offhook.foundation.desk_events import LegLevels
from offhook.foundation.events import LegKind
from offhook.foundation.people import Mode

SPOKEN = WIDEBAND
"""Humans are taped, and listened to for words, in this format."""
SPOKEN_RATE = SPOKEN.rate
DUCK = 0.25
LEVEL_STEPS = 5
MAX_STEPS = 25
_SILENT = np.zeros(SPOKEN_RATE * FRAME_MS // 1000, np.int16).tobytes()

Taping = Callable[[LegKind, int, bytes], None]
"""Sound of a human's leg, as the caller hears it, for the tape: kind, number of its first sample, SPOKEN."""


class SoundBridge:
    """`on` while there are ears besides the caller's, or the caller's sound is mixed."""

    def __init__(
        self,
        channel: Channel,
        playback: Playback,
        timeline: Timeline,
        tape: Taping,
        hold: Pattern = hold_pattern,
    ) -> None:
        format = channel.format
        self._timeline = timeline
        self._tape = tape
        self._mode = Mode.AGENT
        self._seats: list[Seat] = []
        self._leaving: list[Source] = []
        self.company: tuple[Source, ...] = ()
        """Others at the caller's end: heard wherever the caller is, but not by the caller."""
        self._caller = Source(Part.CALLER, LegKind.CALLER, format)
        self._agent = Source(Part.AGENT, LegKind.AGENT, format, FRAME_MS)
        self._hold = HoldAudio(format.rate, hold)
        self._to_caller = Blend(format.rate)
        self._to_tape = Blend(SPOKEN_RATE)
        self._mix = CallerMix(channel, playback)
        self._steps = 0
        self._next_ms = 0.0
        self._rest = True

    @property
    def on(self) -> bool:
        return bool(self._seats) or self._mix.on

    def caller(self, audio: bytes) -> None:
        """The caller's sound, as it comes."""
        self._caller.push(audio)

    def agent(self, audio: bytes) -> None:
        """The agent's sound, as it was heard by the caller."""
        self._agent.push(audio)

    def add(self, seat: Seat) -> None:
        if self._rest:
            self._rest = False
            self._next_ms = self._timeline.now_ms()
        self._seats.append(seat)
        self._prepare()

    def remove(self, seat: Seat) -> None:
        if seat in self._seats:
            self._seats.remove(seat)
            if self._to_caller.hears(seat.source):
                self._leaving.append(seat.source)

    def route(self, mode: Mode, now_ms: float) -> None:
        """From now on this mode holds."""
        self._mode = mode
        if mode is not Mode.AGENT:
            if self._rest:
                self._rest = False
                self._next_ms = now_ms
            if not self._mix.on:
                self._mix.begin(now_ms)
            if not is_heard(Part.AGENT, Part.CALLER, mode):
                self._mix.fade()
        self.duck(False)

    def duck(self, on: bool) -> None:
        """The agent is low in the caller's ear while a human speaks."""
        heard = is_heard(Part.AGENT, Part.CALLER, self._mode)
        self._mix.duck = 0.0 if not heard else DUCK if on else 1.0

    def hold_with(self, pattern: Pattern | None) -> None:
        """What a caller hears who waits, from now on."""
        self._hold.pattern = pattern

    def close(self) -> None:
        self._mix.end()
        self._seats.clear()
        self._leaving.clear()

    def tick(self, now_ms: float) -> None:
        """Move all sound that is due."""
        steps = 0
        while self._next_ms <= now_ms and self.on:
            steps += 1
            if steps > MAX_STEPS:  # the process stood still: the legs' buffers dropped what is too old
                self._next_ms = now_ms
            self._step(self._next_ms)
            self._next_ms += FRAME_MS
        if not self.on:
            self._rest = True

    # Within.

    def _prepare(self) -> None:
        """What the ears that there are will want of each source is made now, not on the tick."""
        rates = {self._to_caller.rate, self._to_tape.rate, *(seat.blend.rate for seat in self._seats)}
        for source in (self._caller, *self.company, self._agent, *(seat.source for seat in self._seats)):
            for rate in rates:
                source.prepare(rate)

    # Within: 20 ms.

    def _step(self, at_ms: float) -> None:
        seats = self._seats
        self._caller.advance()
        self._agent.advance()
        for source in self.company:
            source.advance()
        for seat in seats:
            seat.source.advance()
        if self._leaving:
            self._say_farewell()
        if self._mix.on:
            self._serve_caller(at_ms)
        for seat in seats:
            self._serve(seat)
        for seat in seats:
            if seat.hearing is not None:
                self._listen(seat, at_ms)
        self._steps += 1
        if seats and self._steps % LEVEL_STEPS == 0:
            self._tell_levels()

    def _say_farewell(self) -> None:
        """Who left is gone once nothing of theirs is heard any more."""
        self._leaving = [source for source in self._leaving if self._to_caller.hears(source)]
        for source in self._leaving:
            source.advance()

    def _heard(self, seat: Seat) -> bool:
        return not seat.muted and is_heard(seat.part, Part.CALLER, self._mode)

    def _serve_caller(self, at_ms: float) -> None:
        if not self._mix.due(at_ms):
            return
        at_sample = round(self._mix.head_ms * SPOKEN_RATE / 1000)
        frames: list[Samples] = []
        taped: dict[LegKind, list[Samples]] = {}
        for source, gain in self._humans():
            samples = self._to_caller.one(source, gain)
            if samples is not None:
                frames.append(samples)
            samples = self._to_tape.one(source, gain)
            if samples is not None:
                taped.setdefault(source.leg, []).append(samples)
        held = self._hold.frame(on=is_heard(Part.HOLD_AUDIO, Part.CALLER, self._mode))
        if held is not None:
            frames.append(held)
        self._mix.send(mix(frames) if frames else None)
        for leg, pieces in taped.items():
            self._tape(leg, at_sample, mix(pieces).tobytes())
        if self._mode is Mode.AGENT and not frames and self._mix.settled:
            self._mix.end()

    def _humans(self) -> Iterator[tuple[Source, float]]:
        for seat in self._seats:
            yield seat.source, 1.0 if self._heard(seat) else 0.0
        for source in self._leaving:
            yield source, 0.0

    def _serve(self, seat: Seat) -> None:
        """What one human hears."""
        mode, part, blend = self._mode, seat.part, seat.blend
        ear = seat.ear
        coach = ear.frame() if is_heard(Part.COACH, part, mode) else None
        gain = ear.duck if coach is not None else 1.0
        frames: list[Samples] = [] if coach is None else [coach]
        for source in (self._caller, *self.company, self._agent):
            samples = blend.one(source, gain if is_heard(source.part, part, mode) else 0.0)
            if samples is not None:
                frames.append(samples)
        for other in self._seats:
            if other is not seat:
                talks = not other.muted and is_heard(other.part, part, mode)
                samples = blend.one(other.source, gain if talks else 0.0)
                if samples is not None:
                    frames.append(samples)
        if frames:
            seat.channel.play(to_bytes(mix(frames), seat.format.encoding))

    def _listen(self, seat: Seat, at_ms: float) -> None:
        """Whom the caller hears is listened to for words, and who is told about the call, for questions."""
        hearing, asks = seat.hearing, seat.part is Part.CONSULTED and not seat.muted
        if hearing is None or not (asks or self._heard(seat)):
            return
        samples = seat.source.at(SPOKEN_RATE)
        audio = samples.astype("<i2", copy=False).tobytes() if samples is not None else _SILENT
        hearing.leg.take(audio, int(at_ms), self._timeline.now_ms())

    def _tell_levels(self) -> None:
        levels: dict[str, float] = {
            LegKind.CALLER: self._caller.level(),
            LegKind.AGENT: self._agent.level(),
        }
        for seat in self._seats:
            level = seat.source.level()
            if not seat.muted and seat.part is Part.OPERATOR:
                levels[seat.leg] = max(level, levels.get(seat.leg, level))
            if seat.leg is LegKind.OPERATOR or seat.ear.sounding:
                coach = seat.ear.level()
                levels[LegKind.COACH] = max(coach, levels.get(LegKind.COACH, coach))
        self._timeline.emit(LegLevels(levels))
