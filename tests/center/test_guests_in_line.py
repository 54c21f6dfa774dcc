"""Others in the room of a caller who waits for an operator: they answer nobody."""

from __future__ import annotations

from tests.center.center_stage import SUPPORT, CenterStage

from offhook.center.routing import Rule, Target, TargetKind
from offhook.channels.base import Arrival
from offhook.foundation.desk_events import LegJoined, LegLeft
from offhook.foundation.events import LegKind
from offhook.foundation.people import Mode, Stance


async def test_a_guest_who_comes_or_goes_leaves_the_caller_in_line() -> None:
    stage = CenterStage([Rule("queue", Target(TargetKind.QUEUE, "support"))], {"support": SUPPORT})
    await stage.arrive(Arrival(caller="+15550199", vendor_id="CA1"))
    for event in (
        LegJoined("guest-1", LegKind.GUEST, "room:bob", "Bob", Stance.JOIN),
        LegLeft("guest-1", LegKind.GUEST, "room:bob"),
    ):
        stage.session.timeline.emit(event)
        await stage.tend(500)
    assert stage.kinds("unqueued") == []
    assert stage.session.bridge.mode in (Mode.HOLD, Mode.SAY)
    view = await stage.queues.view()
    assert [each["call_id"] for each in view["queues"][0]["waiting"]] == [stage.call_id]
    await stage.directory.close(grace_s=0)
