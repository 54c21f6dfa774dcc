"""What the agent was given to say, piece by piece: sent, heard, confirmed. No sound is moved here."""

from __future__ import annotations

from dataclasses import dataclass, field

from offhook.call.history import cut


@dataclass(slots=True)
class Spoken:
    """A piece of sound in flight: bytes of it sent, heard by the estimate, confirmed by a mark."""

    said: Said
    audio: bytes
    sent: int = 0
    heard: int = 0
    confirmed: int = 0
    size: int = 0
    """Of the sound, also once it is let go of."""

    def __post_init__(self) -> None:
        self.size = len(self.audio)

    def spend(self) -> None:
        """It is over: the sound goes now, and not when a collector finds that clause and piece hold each
        other."""
        self.audio = b""


@dataclass(slots=True)
class Said:
    """A clause on its way: its words, its sound in one or more pieces, `whole` once no more will come;
    a `broken` one never is: its sound ended before its words."""

    text: str
    pieces: list[Spoken] = field(default_factory=list)
    whole: bool = False
    broken: bool = False

    @property
    def heard(self) -> int:
        """Bytes that the caller heard."""
        return sum(piece.heard for piece in self.pieces)

    def words(self, char_bytes: float) -> tuple[str, str]:
        """The words heard and unheard."""
        size = sum(piece.size for piece in self.pieces)
        if not self.whole:
            size = max(size, int(len(self.text) * char_bytes))
        return cut(self.text, self.heard / max(1, size))
