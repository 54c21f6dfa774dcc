"""Pages that may place calls do not sit at the desk: only our own do, by cookie or on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from picows import WSListener, WSUpgradeResponseWithListener

from offhook.desk.sessions import LOCAL
from offhook.foundation.clock import ManualClock
from offhook.web.call_tokens import CallTokens, UsedIds
from offhook.web.desk_tokens import DeskTokens
from offhook.web.live_door import FloorDoor, LiveDoor
from offhook.web.origin import Origins
from offhook.web.throttle import Occupancy, Throttle
from offhook.web.visitors import Visitors

SHOP = "https://shop.example"
OURS = "http://127.0.0.1:8080"


@dataclass
class Upgrade:
    path: bytes
    headers: dict[str, str] = field(default_factory=dict)


def status(answer: Any) -> int:
    if isinstance(answer, WSUpgradeResponseWithListener):
        return int(answer.response.status)
    assert isinstance(answer, WSListener)
    return 101


def upgrade(path: str, origin: str | None) -> Upgrade:
    named = {"origin": origin} if origin is not None else {}
    return Upgrade(path.encode(), {"host": "127.0.0.1:8080", **named})


@pytest.mark.parametrize(
    ("origin", "operator", "caller"),
    [(SHOP, 403, 101), (OURS, 101, 101), (None, 101, 101), ("null", 403, 403)],
)
def test_whose_pages_sit_where(stage: Any, origin: str | None, operator: int, caller: int) -> None:
    clock = ManualClock()
    visitors = Visitors(stage.parts.people.sessions, "", Throttle(clock, 1, 10))
    origins, tokens = Origins("", [SHOP]), CallTokens(bytes(32), clock)
    live = LiveDoor(
        stage.calls,
        lambda visit: WSListener(),
        visitors,
        None,
        tokens,
        False,
        origins,
        Throttle(clock, 1, 10),
    )
    floor = FloorDoor(lambda person, session: WSListener(), visitors)
    asked: Any = upgrade("/ws/live?call_id=x&role=operator", origin)
    assert status(live.open(asked, "127.0.0.1")) == operator
    asked = upgrade("/ws/live?call_id=x&role=caller", origin)
    assert status(live.open(asked, "127.0.0.1")) == caller
    asked = upgrade("/ws/floor", origin)
    assert status(floor.open(asked, "127.0.0.1")) == operator


def test_callers_of_an_address_count_with_its_browsers_and_people_do_not(stage: Any) -> None:
    clock = ManualClock()
    places, tokens = Occupancy(2), CallTokens(bytes(32), clock)
    live = LiveDoor(
        stage.calls,
        lambda visit: WSListener(),
        Visitors(stage.parts.people.sessions, "", Throttle(clock, 1, 10)),
        None,
        tokens,
        False,
        Origins("", [SHOP]),
        Throttle(clock, 1, 50),
        places=places,
    )

    def come(role: str, more: str = "") -> Any:
        asked: Any = upgrade(f"/ws/live?call_id=x&role={role}{more}", OURS)
        return live.open(asked, "127.0.0.1")

    assert places.enter("127.0.0.1")  # a browser's call
    caller = come("caller")
    assert status(caller) == 101
    operator = come("operator")
    assert status(operator) == 101
    token = tokens.mint("default")
    assert status(come("caller", f"&token={token}")) == 429
    live.closed("127.0.0.1", operator)
    assert status(come("caller")) == 429, "the operator held no place"
    places.leave("127.0.0.1")
    assert status(come("caller", f"&token={token}")) == 101, "a refused call did not use the token up"
    live.closed("127.0.0.1", caller)
    assert status(come("caller", "&token=nonsense")) in (401, 403)
    assert status(come("caller")) == 101, "who was refused for another reason holds no place"


def test_a_caller_comes_with_either_token(stage: Any) -> None:
    """Also where people log in: a call token was taken for a desk token, and refused."""
    clock = ManualClock()
    visits: list[Any] = []

    def listen(visit: Any) -> WSListener:
        visits.append(visit)
        return WSListener()

    sessions = stage.parts.people.sessions
    calls, desks = CallTokens(bytes(32), clock), DeskTokens(bytes(32), clock, UsedIds(clock), sessions)
    visitor = sessions.find(LOCAL)

    def door(wanted: bool) -> LiveDoor:
        visitors = Visitors(sessions, "", Throttle(clock, 1, 10))
        origins, throttle = Origins("", [SHOP]), Throttle(clock, 1, 50)
        return LiveDoor(stage.calls, listen, visitors, desks, calls, wanted, origins, throttle)

    def come(live: LiveDoor, token: str) -> int:
        asked: Any = upgrade(f"/ws/live?call_id=x&role=caller&token={token}", OURS)
        return status(live.open(asked, "127.0.0.1"))

    for wanted in (False, True):
        live, token = door(wanted), calls.mint("sales")
        assert come(live, token) == 101
        assert visits[-1].agent == "sales"
        assert come(live, token) == 401, "once"
        assert come(live, desks.mint(visitor, "caller", "x")) == (401 if wanted else 101)
        assert come(live, desks.mint(visitor, "caller", "another")) == 401
        assert come(live, "nonsense") == 401
