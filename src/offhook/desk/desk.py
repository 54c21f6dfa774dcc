"""The desk: seats people on live calls, begins calls for S5's callers, does what is wished without a seat.

Routes no sound and judges no role: see call.bridge and desk.roles.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from offhook.call.directory import LiveCall
from offhook.channels.base import Arrival
from offhook.channels.live_channel import LiveChannel
from offhook.channels.live_guest import Visit, Welcome
from offhook.desk.deeds import Deeds
from offhook.desk.place import Place
from offhook.desk.ports import Aids, Audit, Calls, Clips, LoggedIn
from offhook.desk.roles import Action, may, may_on, may_stand
from offhook.desk.warm.warm_desk import WarmDesk
from offhook.foundation.errors import ConflictError, LimitError, NotFoundError, RefusedError
from offhook.foundation.events import EndReason, LegKind
from offhook.foundation.ids import is_call_id
from offhook.foundation.people import Person, Role, Stance
from offhook.protocols.live import End, Leave, LiveRole, Wish

LOOK_S = 60.0
WAITING_S = 600.0
MOST_WAITING = 64
_RESERVED = re.compile(r"(call_|CA[0-9a-f]{32}\Z)")


@dataclass(slots=True)
class _Waiting:
    """Somebody whose caller has not come yet."""

    channel: LiveChannel
    person: Person
    timer: asyncio.TimerHandle


class Desk:
    """Of one process. Implements Host for the live sockets. `aids` gives a seat its coach.

    A client may name a call that a caller begins by `/ws/live`: people find it by that name, and by the id
    that it has like every call.
    """

    def __init__(self, calls: Calls, audit: Audit, clips: Clips | None = None) -> None:
        self._calls = calls
        self._audit = audit
        self._names: dict[str, str] = {}
        self._places: dict[LiveChannel, Place] = {}
        self._waiting: dict[str, list[_Waiting]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.aids: Aids | None = None
        self.warm: WarmDesk | None = None
        self.sessions: LoggedIn | None = None
        self.deeds = Deeds(calls, audit, clips)

    @property
    def waiting(self) -> int:
        """People whose callers have not come yet."""
        return sum(len(each) for each in self._waiting.values())

    def __iter__(self) -> Iterator[Place]:
        return iter(tuple(self._places.values()))

    def find(self, call_id: str) -> LiveCall | None:
        """A live call of this process, by its id or its client's name."""
        return self._calls.get(call_id) or self._calls.get(self._names.get(call_id, ""))

    # Host.

    def admit(self, visit: Visit, channel: LiveChannel) -> None:
        if visit.ask.role is LiveRole.CALLER:
            self._begin(visit, channel)
            return
        if visit.person is None:
            raise RefusedError("nobody is logged in")
        if visit.ask.role is LiveRole.SUPERVISOR and visit.person.role is Role.OPERATOR:
            raise RefusedError("you are no supervisor")
        name = visit.ask.call
        call = self.find(name)
        if call is not None:
            self._sit(call, visit.person, channel)
        elif is_call_id(name):
            raise NotFoundError("there is no live call with that id")
        else:
            self._wait(name, visit.person, channel)

    def gone(self, channel: LiveChannel) -> None:
        name = channel.visit.ask.call
        for waiting in self._waiting.get(name, ()):
            if waiting.channel is channel:
                self._forget(name, waiting)
                return

    def eject(self, person_id: str, session: str) -> None:
        """This session is over: whoever is here by it is no more."""
        for place in self:
            if place.channel.visit.session == session and place.person.id == person_id:
                place.eject()
        for name, all_of_name in list(self._waiting.items()):
            for waiting in all_of_name:
                if waiting.channel.visit.session == session and waiting.person.id == person_id:
                    self._forget(name, waiting)
                    waiting.channel.hang_up(EndReason.REFUSED)

    # Without a seat.

    def call_for(self, person: Person, action: Action, call_id: str) -> LiveCall:
        """A live call of this process on which a person may do this. Raises NotFoundError, RefusedError."""
        call = self.find(call_id)
        if call is None:
            raise NotFoundError("there is no live call with that id")
        if not may_on(person, action, call.agent):
            raise RefusedError("you may not do this on this call")
        return call

    # Callers.

    def _begin(self, visit: Visit, channel: LiveChannel) -> None:
        name = visit.ask.call
        if self.find(name) is not None:
            raise ConflictError("this call has its caller already")
        if _RESERVED.match(name):
            raise RefusedError("ids of this form are given by the server; choose another call_id")
        arrival = Arrival(agent=visit.agent, vendor_id=f"live:{name}", address=visit.peer)
        call_id, listener = self._calls.arrive(channel, arrival)
        self._names = {each: id for each, id in self._names.items() if self._calls.get(id) is not None}
        self._names[name] = call_id
        call = self._calls.get(call_id)
        assert call is not None

        def obey(wish: Wish) -> None:
            if not isinstance(wish, End | Leave):
                raise RefusedError("a caller may talk, be muted, and hang up")
            channel.hang_up(EndReason.CALLER_HUNG_UP)

        channel.begin(Welcome(call_id, listener, obey, call.session.timeline.started_at, LegKind.CALLER))
        self._seat_waiting(name, call)

    # Operators.

    def _sit(self, call: LiveCall, person: Person, channel: LiveChannel) -> None:
        stance = self._stance(call, person, channel)
        if not may_stand(person, stance, call.agent):
            self._audit.note(person, "refused", call.id, stance=stance)
            raise RefusedError("you may not do this on this call")
        if stance is Stance.CONSULT:
            if self.warm is None:
                raise RefusedError("nobody is asked to take calls here")
            self.warm.check(person, call.id)
        leg = LegKind.SUPERVISOR if channel.visit.ask.role is LiveRole.SUPERVISOR else LegKind.OPERATOR
        seat = call.session.bridge.seat(person, channel, stance, leg)
        place = Place(call, seat, channel, self.deeds, self._left, self._check)
        place.warm = self.warm
        if (aids := self.aids) is not None:
            place.bring_aid = lambda: aids(call, seat, channel)
            place.aid = place.bring_aid() if stance is not Stance.CONSULT else None
        self._places[channel] = place
        self._audit.note(person, "joined", call.id, seat=seat.id, leg=seat.leg, stance=stance)
        channel.begin(place.welcome())
        if stance is Stance.CONSULT and self.warm is not None:
            self.warm.sat(place, call.id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _check(self, place: Place) -> None:
        """Raises RefusedError when the person's session is over; else it is in use."""
        session = place.channel.visit.session
        if self.sessions is None or not session:
            return
        if not self.sessions.is_alive(session):
            place.eject()
            raise RefusedError("this session is over")
        self.sessions.touch(session)

    def _look(self) -> None:
        """Every minute, while anybody is seated: a session may have come to its end."""
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)
        for place in self:
            with suppress(RefusedError):
                self._check(place)

    def _stance(self, call: LiveCall, person: Person, channel: LiveChannel) -> Stance:
        """What was asked for; S5's operators ask for nothing, and answer a call that nobody holds."""
        ask = channel.visit.ask
        if ask.stance is not None:
            return ask.stance
        free = call.session.bridge.holder is None
        answers = ask.role is LiveRole.OPERATOR and free and may_stand(person, Stance.TAKE_OVER, call.agent)
        return Stance.TAKE_OVER if answers else Stance.LISTEN

    def _left(self, place: Place) -> None:
        self._places.pop(place.channel, None)
        if not self._places and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Who comes before the caller.

    def _wait(self, name: str, person: Person, channel: LiveChannel) -> None:
        if _RESERVED.match(name):
            raise NotFoundError("there is no live call with that id")
        if not may(person.role, Action.LISTEN):
            raise RefusedError("you may not listen to calls")
        if self.waiting >= MOST_WAITING:
            raise LimitError("too many people wait for their callers")
        timer = asyncio.get_running_loop().call_later(WAITING_S, self._give_up, name, channel)
        self._waiting.setdefault(name, []).append(_Waiting(channel, person, timer))
        channel.wait()

    def _give_up(self, name: str, channel: LiveChannel) -> None:
        self.gone(channel)
        channel.refuse(NotFoundError(f"no caller came within {WAITING_S / 60:g} minutes"))

    def _seat_waiting(self, name: str, call: LiveCall) -> None:
        for waiting in list(self._waiting.get(name, ())):
            self._forget(name, waiting)
            if waiting.channel.gone:
                continue
            try:
                self._sit(call, waiting.person, waiting.channel)
            except RefusedError as error:
                waiting.channel.refuse(error)

    def _forget(self, name: str, waiting: _Waiting) -> None:
        waiting.timer.cancel()
        left = [each for each in self._waiting.get(name, ()) if each is not waiting]
        if left:
            self._waiting[name] = left
        else:
            self._waiting.pop(name, None)
