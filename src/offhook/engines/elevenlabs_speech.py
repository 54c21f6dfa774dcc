"""What an ElevenLabs agent says, in a call's terms: utterances that begin and end. No events, no sockets.

The vendor does not say where an utterance ends. It is over when its last words were spoken (as the characters
that come with the sound tell), when the next one begins, or shortly before all of its sound has been heard.
"""

from __future__ import annotations

from offhook.audio.convert import Converter
from offhook.engines.duplex import DuplexListener
from offhook.protocols.elevenlabs_events import Sound

SETTLED_S = 0.15
"""After the last of its words an utterance may have so much silence to come."""
EARLY_S = 0.3
"""So long before the last of its sound is heard an utterance is taken to be over, when no more came …"""
QUIET_S = 0.6
"""… for so long."""
WORDS_S = 2.0
"""So long the words of an utterance may come after the last of its sound, or its sound after its words."""
PAUSE_S = 0.4
"""After a pause of so long a sound is no rest of an utterance that was given up."""
_TAIL_CHARS = 12
_SHARE = 0.8


class AgentSpeech:
    """The utterances of one session, told to `listener`. `item` is the open one, or empty; their ids begin
    with `prefix`. Time is a parameter, in seconds."""

    def __init__(self, listener: DuplexListener, convert: Converter, prefix: str, text_only: bool) -> None:
        self.listener = listener
        self.item = ""
        self._convert = convert
        self._prefix = prefix
        self._text_only = text_only
        self._count = 0
        self._text = ""
        self._whole = False
        self._chars = ""
        self._sounded = False
        self._changed_at = 0.0
        self._ends_at = 0.0

    def sound(self, audio: bytes, chars: str, now: float) -> None:
        """More sound of the open utterance, or the first of the next one."""
        self._ensure(now)
        self._sounded = True
        self._changed_at = now
        self._ends_at = max(self._ends_at, now) + self._convert.source.ms(len(audio)) / 1000
        self._chars += chars
        if converted := self._convert.process(audio):
            self.listener.on_sound(self.item, converted)

    def words(self, text: str, now: float) -> None:
        """All the words of an utterance: of the open one, unless that has its own already."""
        if self.item and self._whole:
            self.close()
        self._ensure(now)
        if not self._text:
            self._tell(text, now)
        elif text.startswith(self._text):
            self._tell(text[len(self._text) :], now)
        self._whole = True
        if self._text_only:
            self.close()

    def part(self, text: str, kind: str, now: float) -> None:
        """Some words of an utterance; `kind` "start" begins one."""
        if self.item and (self._whole or (kind == "start" and self._text)):
            self.close()
        if text:
            self._ensure(now)
            self._tell(text, now)

    def close(self) -> None:
        """The open utterance is over; nothing when none is open."""
        if not self.item:
            return
        if tail := self._convert.flush():
            self.listener.on_sound(self.item, tail)
        item, self.item = self.item, ""
        self.listener.on_spoken(item)

    def drop(self) -> None:
        """The open utterance was interrupted: nothing more of it is told."""
        self.item = ""
        self._ends_at = 0.0
        self._convert.reset()

    def sounding(self, now: float) -> bool:
        """Whether the agent speaks, as far as the caller can hear."""
        return bool(self.item) or now < self._ends_at

    def due(self, now: float) -> float | None:
        """When to ask again; None: no utterance is open. Closes the open one when it is over."""
        if not self.item:
            return None
        if self._whole and _spoken(self._text, self._chars):
            at = self._changed_at + SETTLED_S
        elif self._whole and self._sounded:
            at = max(self._ends_at - EARLY_S, self._changed_at + QUIET_S)
        else:
            at = max(self._ends_at, self._changed_at) + WORDS_S
        if now < at:
            return at
        self.close()
        return None

    def _ensure(self, now: float) -> None:
        """An utterance is open."""
        if self.item:
            return
        self._count += 1
        self.item = f"{self._prefix}{self._count}"
        self._text = self._chars = ""
        self._whole = self._sounded = False
        self._changed_at = now
        self._ends_at = max(self._ends_at, now)
        self._convert.reset()
        if self._text_only:
            self.listener.on_sound(self.item, b"")  # an utterance without sound is heard as it is written

    def _tell(self, text: str, now: float) -> None:
        self._text += text
        self._changed_at = now
        if text:
            self.listener.on_text(self.item, text)


class Stale:
    """Which sounds are not to be heard any more: of interrupted utterances, of those that were given up, and
    (`holds`) the first ones of a session that goes on with a call, until it is known what they are."""

    def __init__(self, holds: bool) -> None:
        self.holds = holds
        self._held: list[Sound] = []
        self._interrupted = -1
        self._latest = -1
        self._quiet = False
        self._sound_at = 0.0

    def admits(self, sound: Sound, now: float) -> bool:
        """Whether this sound is to be heard now."""
        paused, self._sound_at = now - self._sound_at >= PAUSE_S, now
        self._latest = max(self._latest, sound.event_id)
        if sound.event_id <= self._interrupted or (self._quiet and not paused):
            return False
        self._quiet = False
        if self.holds:
            self._held.append(sound)
        return not self.holds

    def interrupted(self, event_id: int) -> None:
        """By the vendor: all up to this one."""
        self._interrupted = max(self._interrupted, event_id)
        self.go_on()

    def give_up(self) -> None:
        """By us: all so far, and what follows without a pause."""
        self._interrupted = self._latest
        self.go_on()
        self._quiet = True

    def go_on(self) -> list[Sound]:
        """What comes next is something new. Returns what was held back."""
        held, self._held = self._held, []
        self.holds = self._quiet = False
        return held


def _spoken(text: str, chars: str) -> bool:
    """Whether the characters that were spoken come to the end of the words. Numbers may be spelled out."""
    said, wanted = _letters(chars), _letters(text)
    return bool(said) and said.endswith(wanted[-_TAIL_CHARS:]) and len(said) >= _SHARE * len(wanted)


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())
