"""The contact center's part of the site: its routes and its socket. Serves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from picows import WSListener

from offhook.center.queue_desk import QueueDesk
from offhook.center.routing import Table
from offhook.center.skill_book import SkillBook
from offhook.foundation.clock import Clock
from offhook.foundation.people import Person
from offhook.storage.center import CenterRows
from offhook.web.call_back_routes import call_back_routes
from offhook.web.live_door import FloorDoor
from offhook.web.people import Notes
from offhook.web.queue_routes import queue_routes
from offhook.web.routing_routes import routing_routes
from offhook.web.visitors import Visitors

OPERATOR_PATH = "/ws/operator"


@dataclass(frozen=True, slots=True)
class CenterParts:
    """`listen` makes the listener of one operator's socket."""

    table: Table
    queues: QueueDesk
    rows: CenterRows
    skills: SkillBook
    listen: Callable[[Person, str], WSListener]


def center_routes(parts: CenterParts, clock: Clock, notes: Notes) -> tuple[APIRouter, ...]:
    """`/api/routing…`, and `/api/queues`, `presence`, `rings…`, `operators…`, `call-backs…`."""
    return (
        routing_routes(parts.table, clock.wall),
        queue_routes(parts.queues, notes),
        call_back_routes(parts.rows, parts.skills, clock, notes),
    )


def center_doors(parts: CenterParts, visitors: Visitors) -> dict[str, FloorDoor]:
    """By path."""
    return {OPERATOR_PATH: FloorDoor(parts.listen, visitors)}
