"""What people do to a live call as a whole: done, and noted in the audit log. Judges nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from offhook.call.directory import LiveCall
from offhook.desk.ports import Audit, Calls, Clips
from offhook.foundation.desk_events import Transferred
from offhook.foundation.errors import NotFoundError, OffhookError, RefusedError
from offhook.foundation.events import EndReason
from offhook.foundation.people import Person


class Deeds:
    """What was said is on the call's timeline; the log names its length only."""

    def __init__(self, calls: Calls, audit: Audit, clips: Clips | None = None) -> None:
        self._calls = calls
        self._audit = audit
        self.clips = clips
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, person: Person, call: LiveCall, action: str, **detail: Any) -> None:
        self._audit.note(person, action, call.id, **detail)

    def say(self, person: Person, call: LiveCall, text: str, card: str = "") -> None:
        """The agent's voice says this to the caller."""
        call.session.bridge.say(text, person)
        self.note(person, call, "say", characters=len(text), **({"card": card} if card else {}))

    def instruct(self, person: Person, call: LiveCall, text: str) -> None:
        """The agent is told this; the caller does not hear it."""
        call.session.bridge.instruct(text, person)
        self.note(person, call, "instruct", characters=len(text))

    async def inject(self, person: Person, call: LiveCall, name: str) -> None:
        """A prepared clip sounds to the caller. Raises NotFoundError, StorageError, ConflictError."""
        if self.clips is None:
            raise NotFoundError("there are no prepared clips here")
        clip = await asyncio.to_thread(self.clips.get, name)
        call.session.bridge.inject(name, clip.audio, clip.format, person)
        self.note(person, call, "inject", clip=name)

    def begin_inject(
        self, person: Person, call: LiveCall, name: str, failed: Callable[[OffhookError], None]
    ) -> None:
        """As `inject`, for who does not wait: `failed` is told why it does not sound."""

        async def inject() -> None:
            try:
                await self.inject(person, call, name)
            except OffhookError as error:
                failed(error)

        task = asyncio.get_running_loop().create_task(inject(), name=f"{call.id}:inject")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def hold(self, person: Person, call: LiveCall, on: bool) -> None:
        call.session.bridge.hold(on)
        self.note(person, call, "hold", on=on)

    def speak_for(self, person: Person, call: LiveCall, on: bool) -> None:
        call.session.bridge.speak_for(on)
        self.note(person, call, "ai_speaks", on=on)

    def transfer(self, person: Person, call: LiveCall, to: str) -> None:
        """The caller goes to this number, and the call ends here. Raises RefusedError (this call stays, or
        that is no number); then nothing has happened."""
        if call.stays:
            raise RefusedError(call.stays)
        if call.session.end_reason is not None:
            raise NotFoundError("this call is ending")
        call.session.transfer(to)
        call.session.timeline.emit(Transferred(person.id, person.name, to))
        self.note(person, call, "transfer", to=to)
        self._calls.hang_up(call.id, EndReason.TRANSFERRED)

    def hang_up(self, person: Person, call: LiveCall) -> None:
        self._calls.hang_up(call.id, EndReason.AGENT_HUNG_UP)
        self.note(person, call, "hang_up")
