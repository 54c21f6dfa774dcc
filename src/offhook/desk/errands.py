"""What a person has done on a call without a seat on it: values that pass between workers, and the doing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from offhook.call.directory import LiveCall
from offhook.desk.desk import Desk
from offhook.desk.roles import Action
from offhook.foundation.errors import RefusedError
from offhook.foundation.people import Person, Role


class Errand(StrEnum):
    SAY = "say"
    INSTRUCT = "instruct"
    INJECT = "inject"
    HOLD = "hold"
    TRANSFER = "transfer"
    COACH = "coach"
    WARM = "warm"
    WARM_ACCEPT = "warm_accept"
    WARM_DECLINE = "warm_decline"
    WARM_CONNECT = "warm_connect"
    WARM_CANCEL = "warm_cancel"


ACTIONS: Mapping[Errand, Action] = {
    Errand.SAY: Action.TALK,
    Errand.INSTRUCT: Action.COACH,
    Errand.INJECT: Action.TALK,
    Errand.HOLD: Action.TALK,
    Errand.TRANSFER: Action.TRANSFER,
    Errand.COACH: Action.COACH,
    Errand.WARM: Action.TALK,
    Errand.WARM_ACCEPT: Action.TALK,
    Errand.WARM_DECLINE: Action.TALK,
    Errand.WARM_CONNECT: Action.TALK,
    Errand.WARM_CANCEL: Action.TALK,
}


async def run(desk: Desk, person: Person, call_id: str, errand: Mapping[str, Any]) -> None:
    """Do it on a call of this process. `errand` has its `kind` and what that takes: `text`, `clip`, `to` or
    `on`. Raises NotFoundError, RefusedError, ConflictError, StorageError."""
    kind = Errand(errand["kind"])
    call = desk.call_for(person, ACTIONS[kind], call_id)
    deeds = desk.deeds
    match kind:
        case Errand.SAY:
            deeds.say(person, call, errand["text"])
        case Errand.INSTRUCT:
            deeds.instruct(person, call, errand["text"])
        case Errand.INJECT:
            await deeds.inject(person, call, errand["clip"])
        case Errand.HOLD:
            deeds.hold(person, call, errand["on"])
        case Errand.TRANSFER:
            deeds.transfer(person, call, errand["to"])
        case Errand.COACH:
            aids = [place.aid for place in desk if place.call.id == call.id and place.aid is not None]
            if not aids:
                raise RefusedError("no operator with a coach is seated on this call")
            aids[0].coach_now()
            deeds.note(person, call, "coach_now")
        case _:
            _warm(desk, person, call, kind, errand)


def _warm(desk: Desk, person: Person, call: LiveCall, kind: Errand, errand: Mapping[str, Any]) -> None:
    """Raises RefusedError, NotFoundError, ConflictError."""
    warm = desk.warm
    if warm is None:
        raise RefusedError("nobody can be asked here")
    match kind:
        case Errand.WARM:
            warm.ask(person, call, errand["to"], errand["reason"], errand["coach"], errand["auto"])
        case Errand.WARM_ACCEPT:
            warm.accept(person, call.id)
        case Errand.WARM_DECLINE:
            warm.decline(person, call.id)
        case Errand.WARM_CONNECT:
            warm.connect(person, call.id, errand["coach"])
        case _:
            warm.cancel(person, call.id)


def pack(person: Person) -> dict[str, Any]:
    """A person as JSON between workers."""
    return {"id": person.id, "name": person.name, "role": person.role, "agents": list(person.agents)}


def unpack(values: Mapping[str, Any]) -> Person:
    """The person that `pack` was given."""
    return Person(values["id"], values["name"], Role(values["role"]), tuple(values["agents"]))
