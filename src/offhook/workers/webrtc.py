"""WebRTC sessions of several workers as one: who offers is answered where they came, what follows goes there.

A session's secret begins with the slot of its worker, as that of a browser's call does.
"""

from __future__ import annotations

from typing import Any

from offhook.channels.webrtc_sessions import Answered, Newcomer, RtcSessions
from offhook.foundation.errors import ConflictError, LimitError, NotFoundError, OffhookError, WireError
from offhook.workers.peers import Peers

ASK_S = 5.0
_NAME = "webrtc"
_ERRORS: dict[str, type[OffhookError]] = {
    error.__name__: error for error in (ConflictError, LimitError, NotFoundError, WireError)
}


class WideSessions:
    """Implements RtcSessions: this worker's, and the way to those of the others."""

    def __init__(self, own: RtcSessions, peers: Peers, slot: int) -> None:
        self._own = own
        self._peers = peers
        self._slot = slot
        peers.answer(_NAME, self._serve)

    @property
    def waiting(self) -> int:
        return self._own.waiting

    async def begin(self, sdp: str, newcomer: Newcomer) -> Answered:
        return await self._own.begin(sdp, newcomer)

    async def renew(self, session: str, sdp: str) -> Answered:
        if self._is_here(session):
            return await self._own.renew(session, sdp)
        return Answered(*await self._ask(session, "renew", sdp))

    async def trickle(self, session: str, fragment: str, tag: str = "") -> tuple[str, str]:
        if self._is_here(session):
            return await self._own.trickle(session, fragment, tag)
        ours, now = await self._ask(session, "trickle", fragment, tag)
        return ours, now

    async def leave(self, session: str) -> None:
        if self._is_here(session):
            await self._own.leave(session)
        else:
            await self._ask(session, "leave")

    def _is_here(self, session: str) -> bool:
        slot = _slot_of(session)
        return slot == self._slot or slot not in self._peers.roster

    async def _ask(self, session: str, verb: str, *given: str) -> list[str]:
        slot = _slot_of(session)
        answers = await self._peers.ask(_NAME, [verb, session, *given], [slot], ASK_S)
        answer = answers.get(slot)
        if answer is None:
            raise LimitError("the worker that has this session does not answer; try again")
        if answer["error"]:
            raise _ERRORS.get(answer["error"], WireError)(answer["reason"])
        found: list[str] = answer["found"]
        return found

    async def _serve(self, value: Any) -> dict[str, Any]:
        verb, session, *given = value
        found: list[str] = []
        try:
            if verb == "renew":
                answered = await self._own.renew(session, *given)
                found = [answered.call_id, answered.session, answered.sdp, answered.tag]
            elif verb == "trickle":
                found = list(await self._own.trickle(session, *given))
            else:
                await self._own.leave(session)
        except OffhookError as error:
            return {"error": type(error).__name__, "reason": error.reason, "found": []}
        return {"error": "", "reason": "", "found": found}


def _slot_of(session: str) -> int:
    word, _, _ = session.partition(".")
    return int(word) if word.isdecimal() and len(word) < 4 else -1
