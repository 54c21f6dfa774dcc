"""Makes the desk and the floor of a process, and ties them to who is logged in. Opens no sockets."""

from __future__ import annotations

from collections import Counter

from offhook.call.directory import Directory
from offhook.call.prewarm import prewarm
from offhook.channels.bounds import SocketBounds
from offhook.channels.floor import FloorSocket
from offhook.channels.live import LiveSocket
from offhook.channels.watch import Watch
from offhook.desk.desk import Desk
from offhook.desk.floor import Floor
from offhook.desk.floor_board import FloorBoard
from offhook.desk.people import People
from offhook.desk.ports import Aids
from offhook.desk.studio import Studio
from offhook.web.live_site import LiveParts
from offhook.web.metrics import Metrics


def count_desk(metrics: Metrics, live: LiveParts) -> None:
    """What the metrics show of it."""
    desk, watchers = live.desk, live.board
    metrics.gauges.seats = lambda: Counter(place.seat.stance.value for place in desk)
    metrics.gauges.waiting = lambda: desk.waiting
    metrics.gauges.watchers = lambda: len(watchers)


def make_desk(
    directory: Directory,
    floor: Floor,
    people: People,
    studio: Studio,
    bounds: SocketBounds,
    watch: Watch,
    aids: Aids | None = None,
) -> LiveParts:
    """`floor` follows all calls already; `aids` gives each seat its coach."""
    prewarm()
    desk = Desk(directory, people.audit, studio.clips)
    desk.aids = aids
    desk.sessions = people.sessions
    people.ears.attach(studio.memory)
    floor.waits = lambda: desk.waiting
    board = FloorBoard(floor)
    people.sessions.on_revoked.append(desk.eject)
    people.sessions.on_revoked.append(board.eject)
    return LiveParts(
        desk=desk,
        board=board,
        listen_live=lambda visit: LiveSocket(desk, visit, bounds, watch),
        listen_floor=lambda person, session: FloorSocket(
            person, session, bounds, watch, board.join, board.leave
        ),
    )
