"""The items of a Realtime conversation as its client sees them, with the words that count. No events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from offhook.foundation.events import LegKind
from offhook.protocols.realtime_door_events import JsonItem
from offhook.protocols.realtime_door_items import EventError

MAX_ITEMS = 2_000
MAX_CHARS = 1 << 20
"""Of all items that the client brought: more would be copied at every change."""


@dataclass(slots=True)
class Kept:
    """An item: how it is shown, who said it (None: nobody), what was `said`, the `text` heard of it.

    `sent_ms` of sound were sent for it, in which all of `said` was spoken. `brought` characters came from the
    client.
    """

    json: JsonItem
    leg: LegKind | None = None
    text: str = ""
    said: str = ""
    sent_ms: float = 0.0
    brought: int = 0


class Items:
    """In the conversation's order. The oldest are forgotten beyond MAX_ITEMS and MAX_CHARS."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._brought = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._kept

    @property
    def last(self) -> str | None:
        """The id of the last item."""
        return next(reversed(self._kept), None)

    @property
    def begun(self) -> bool:
        """Whether anybody said anything."""
        return any(kept.leg is not None for kept in self._kept.values())

    def get(self, item_id: str) -> Kept:
        """Raises EventError."""
        kept = self._kept.get(item_id)
        if kept is None:
            raise EventError("there is no item with this id", "item_not_found", "item_id")
        return kept

    def call(self, call_id: str) -> JsonItem | None:
        """The function call of this id, the latest of them."""
        items = (kept.json for kept in reversed(self._kept.values()))
        return next((x for x in items if x["type"] == "function_call" and x["call_id"] == call_id), None)

    def add(self, kept: Kept, after: str = "") -> str | None:
        """Put it behind the item `after` ("root": first, empty: last); the id of the one before it.

        Raises EventError when the id is taken, or `after` unknown."""
        item_id = str(kept.json["id"])
        if item_id in self._kept:
            raise EventError("there is an item with this id", "item_create_duplicate_item_id", "item.id")
        before = self.last
        if after in ("", before):
            self._kept[item_id] = kept
        else:
            before = self._insert(item_id, kept, after)
        self._brought += kept.brought
        while len(self._kept) > MAX_ITEMS or self._brought > MAX_CHARS:
            self.remove(next(iter(self._kept)))
        return before

    def remove(self, item_id: str) -> None:
        """Raises EventError."""
        self._brought -= self.get(item_id).brought
        del self._kept[item_id]

    def lines(self) -> Iterator[tuple[LegKind, str]]:
        """What was said, by whom, oldest first."""
        for kept in self._kept.values():
            if kept.leg is not None and kept.text:
                yield kept.leg, kept.text

    def systems(self) -> Iterator[str]:
        """What system messages say."""
        return (kept.said for kept in self._kept.values() if kept.leg is None and kept.said)

    def _insert(self, item_id: str, kept: Kept, after: str) -> str | None:
        if after != "root" and after not in self._kept:
            raise EventError("there is no item with this id", "item_not_found", "previous_item_id")
        order = list(self._kept.items())
        at = 0 if after == "root" else list(self._kept).index(after) + 1
        order.insert(at, (item_id, kept))
        self._kept = dict(order)
        return None if after == "root" else after


def shortened(text: str, share: float) -> str:
    """The words within the first `share` (0…1) of a text; a word that is cut is left out."""
    end = int(len(text) * min(max(share, 0.0), 1.0))
    if end == len(text) or text[end].isspace():
        return text[:end].rstrip()
    return text[:end].rpartition(" ")[0].rstrip()
