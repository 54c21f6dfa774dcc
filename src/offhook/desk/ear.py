"""The operator's ear as the coach's voice knows it: a few names of the seat, and what its person wishes.

No sound is made here. Nothing in this package plays the coach anywhere but in a seat's own ear.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Protocol

from offhook.audio.frame import AudioFormat
from offhook.audio.tempo import FASTEST, SLOWEST
from offhook.foundation.errors import WireError
from offhook.foundation.people import Person

QUIETEST_DB = -40.0
PEOPLE = 1_000
_LONGEST = 128


class Ear(Protocol):
    """Where one operator, and nobody else, hears the coach."""

    volume: float
    """Gain of the coach's voice."""
    duck: float
    """Gain of all others while it sounds."""

    @property
    def open(self) -> bool:
        """Whether the table of modes lets this ear hear the coach now."""

    def play(self, audio: bytes, on_done: Callable[[bool], None]) -> None:
        """Whole samples in the seat's format. `on_done(True)` once they are heard, False when stopped, or
        at once where the ear is not open."""

    def stop(self) -> None:
        """Silence, now."""


class EarSeat(Protocol):
    """A human's place on a call, as far as the coach's voice cares."""

    @property
    def id(self) -> str: ...

    @property
    def person(self) -> Person: ...

    @property
    def format(self) -> AudioFormat: ...

    @property
    def ear(self) -> Ear: ...

    @property
    def gone(self) -> bool:
        """Whether the human has left the call."""

    @property
    def speaking(self) -> bool:
        """Whether the human speaks now."""


@dataclass(frozen=True, slots=True)
class EarWishes:
    """How a person wants the coach to sound. An empty `provider` is the house's voices, an empty `voice`
    the provider's own; `volume` 0..1; `duck_db` at most 0."""

    provider: str = ""
    voice: str = ""
    speed: float = 1.0
    volume: float = 1.0
    duck_db: float = -12.0
    auto_play: bool = True
    mute: bool = False

    @property
    def duck(self) -> float:
        """Gain of the others."""
        return float(10 ** (self.duck_db / 20))

    def changed(self, said: Mapping[str, Any]) -> EarWishes:
        """With what a person says otherwise, any subset of the names. Raises WireError."""
        for name, value in said.items():
            if (check := _CHECKS.get(name)) is None:
                raise WireError(f"the coach's voice has no {name[:32]!r}; it has {', '.join(_CHECKS)}")
            if not check(value):
                raise WireError(f"{name}: {_BOUNDS[name]}")
        return replace(self, **{name: _plain(value) for name, value in said.items()})

    def as_dict(self) -> dict[str, Any]:
        """Names and values, as `changed` takes them."""
        return asdict(self)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | bool) else float(value)


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _between(least: float, most: float) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return math.isfinite(value) and least <= value <= most

    return check


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "provider": _text,
    "voice": _text,
    "speed": _between(SLOWEST, FASTEST),
    "volume": _between(0, 1),
    "duck_db": _between(QUIETEST_DB, 0),
    "auto_play": _flag,
    "mute": _flag,
}
_BOUNDS = {
    "provider": f"a text of at most {_LONGEST} characters",
    "voice": f"a text of at most {_LONGEST} characters",
    "speed": f"a number between {SLOWEST} and {FASTEST}",
    "volume": "a number between 0 and 1",
    "duck_db": f"a number between {QUIETEST_DB:g} and 0",
    "auto_play": "true or false",
    "mute": "true or false",
}
assert set(_CHECKS) == {field.name for field in fields(EarWishes)}


def fit(said: Mapping[str, Any]) -> dict[str, Any]:
    """What of it has a name and a value that `EarWishes.changed` takes."""
    return {name: value for name, value in said.items() if name in _CHECKS and _CHECKS[name](value)}


Watcher = Callable[[EarWishes], None]
Said = Mapping[str, Any]
"""What a person said, of the names of EarWishes: any subset."""


class EarMemory:
    """What each person wishes, the last PEOPLE of them. Who chose nothing has `usual`. Watchers are told of a
    change at once: a live seat's ear follows it.

    `kept` knows what a person said once, where that outlives the process; `on_change` is told all that a
    person has said so far.
    """

    def __init__(self, usual: EarWishes | None = None) -> None:
        self.usual = usual or EarWishes()
        self._said: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._watchers: dict[str, list[Watcher]] = {}
        self.kept: Callable[[str], Said] = lambda person_id: {}
        self.on_change: Callable[[Person, Said], None] = lambda person, said: None

    def of(self, person: Person) -> EarWishes:
        return self._wishes(self._all_said(person.id))

    def change(self, person: Person, said: Said) -> EarWishes:
        """Any subset of the names of EarWishes. Raises WireError, and changes nothing."""
        before = self._all_said(person.id)
        wishes = self._wishes(before).changed(said)
        self._said[person.id] = {**before, **said}
        self._said.move_to_end(person.id)
        if len(self._said) > PEOPLE:
            self._said.popitem(last=False)
        self._tell(person.id, wishes)
        self.on_change(person, self._all_said(person.id))
        return wishes

    def read_again(self, person_id: str) -> None:
        """What is kept of a person may be another now: that counts."""
        before = self._said.pop(person_id, None)
        wishes = self._wishes(self._all_said(person_id))
        if before is None or wishes != self._wishes(before):
            self._tell(person_id, wishes)

    def watch(self, person: Person, watcher: Watcher) -> Callable[[], None]:
        """Tell `watcher` of changes until what this returns is called."""
        watchers = self._watchers.setdefault(person.id, [])
        watchers.append(watcher)

        def stop() -> None:
            if watcher in watchers:
                watchers.remove(watcher)
            if not watchers and self._watchers.get(person.id) is watchers:
                del self._watchers[person.id]

        return stop

    def _all_said(self, person_id: str) -> dict[str, Any]:
        """What another version kept may be nothing that this one takes."""
        said = self._said.get(person_id)
        return fit(self.kept(person_id)) if said is None else said

    def _wishes(self, said: Said) -> EarWishes:
        return self.usual.changed(said)

    def _tell(self, person_id: str, wishes: EarWishes) -> None:
        for watcher in tuple(self._watchers.get(person_id, ())):
            watcher(wishes)
