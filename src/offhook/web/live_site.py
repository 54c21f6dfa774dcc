"""The desk's part of the site: its sockets' doors and its routes, from a desk and a floor. Serves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import APIRouter
from picows import WSListener

from offhook.channels.live_guest import Visit
from offhook.desk.desk import Desk
from offhook.desk.floor_board import FloorBoard
from offhook.foundation.people import Person
from offhook.web.call_tokens import CallTokens
from offhook.web.desk_tokens import DeskTokens
from offhook.web.live_door import FLOOR_PATH, LIVE_PATH, FloorDoor, Hand, LiveDoor
from offhook.web.live_routes import Afar, NoOneAfar, live_routes
from offhook.web.origin import Origins
from offhook.web.ports import Bucket, Directory, Places
from offhook.web.visitors import Visitors


@dataclass(frozen=True, slots=True)
class LiveParts:
    """`listen_live` and `listen_floor` make the listener of one socket; `afar` are other processes' calls,
    and `far` is the way to them."""

    desk: Desk
    board: FloorBoard
    listen_live: Callable[[Visit], WSListener]
    listen_floor: Callable[[Person, str], WSListener]
    afar: Afar = field(default_factory=NoOneAfar)
    far: Callable[[str], Hand | None] = lambda call_id: None


@dataclass(frozen=True, slots=True)
class DoorRules:
    """What the doors judge by."""

    directory: Directory
    visitors: Visitors
    desk_tokens: DeskTokens
    call_tokens: CallTokens
    tokens_wanted: bool
    origins: Origins
    throttle: Bucket
    places: Places


def live_doors(parts: LiveParts, rules: DoorRules) -> dict[str, LiveDoor | FloorDoor]:
    """By path."""
    live = LiveDoor(
        rules.directory,
        parts.listen_live,
        rules.visitors,
        rules.desk_tokens,
        rules.call_tokens,
        rules.tokens_wanted,
        rules.origins,
        rules.throttle,
        parts.far,
        rules.places,
    )
    floor = FloorDoor(parts.listen_floor, rules.visitors)
    return {LIVE_PATH: live, FLOOR_PATH: floor}


def desk_routes(parts: LiveParts) -> APIRouter:
    """`/api/live…`."""
    return live_routes(parts.desk, parts.board, parts.afar)
