"""When things happened in the reply that a caller waits for, where a vendor makes it. No clock."""

from __future__ import annotations

from offhook.foundation.events import TurnTimed


class AwaitedReply:
    """One reply's waterfall. What did not happen before the first sound counts as of it."""

    __slots__ = ("_ended_ms", "_endpoint_ms", "_text_ms", "_words_ms", "turn")

    def __init__(self, turn: int, ended_ms: int, endpoint_ms: float) -> None:
        self.turn = turn
        self._ended_ms = ended_ms
        self._endpoint_ms = endpoint_ms
        self._words_ms = self._text_ms = 0.0

    def words(self, now_ms: float) -> None:
        """The caller's words are known."""
        self._words_ms = self._words_ms or now_ms

    def text(self, now_ms: float) -> None:
        """The first words of the reply came."""
        self._text_ms = self._text_ms or now_ms

    def sounds(self, now_ms: float) -> TurnTimed:
        """The first sound is on its way."""
        times = (self._endpoint_ms, self._words_ms or now_ms, self._text_ms or now_ms, now_ms)
        since = [max(0, round(time - self._ended_ms)) for time in times]
        return TurnTimed(self.turn, self._ended_ms, *since)
