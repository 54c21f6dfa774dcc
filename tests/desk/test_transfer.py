"""A human puts a telephone's caller through to a number: who may, from where, what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.desk.desk_stage import ANN, BOB, SUE, DeskStage, staged

from offhook.audio.frame import PHONE
from offhook.channels.base import Arrival
from offhook.channels.silent import SilentChannel
from offhook.desk.errands import Errand, run
from offhook.foundation.clock import ManualClock
from offhook.foundation.desk_events import Transferred
from offhook.foundation.errors import RefusedError
from offhook.foundation.events import ChannelKind, EndReason
from offhook.web.transfers import TransferBook

NUMBER = "+15550142"


class Telephone(SilentChannel):
    """A line that can be connected elsewhere."""

    def __init__(self) -> None:
        super().__init__(PHONE)
        self.hung_up: list[EndReason] = []

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.PHONE

    def hang_up(self, reason: EndReason) -> None:
        self.hung_up.append(reason)
        super().hang_up(reason)


@pytest.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with staged() as found:
        found.book = TransferBook(ManualClock())  # type: ignore[attr-defined]
        found.directory.on_transfer = found.book.ask  # type: ignore[attr-defined]
        yield found


def ring(stage: DeskStage, agent: str = "default") -> tuple[Telephone, str]:
    line = Telephone()
    return line, line.begin(stage.directory, Arrival(agent=agent, vendor_id="CA1", caller="+15550100"))


async def test_a_telephone_is_put_through_from_the_desk(stage: DeskStage) -> None:
    line, call_id = ring(stage)
    ann = await stage.operator("ann", call_id, stance="listen")
    assert (await ann.wait("joined"))["transfer"] == {"able": True, "reason": ""}
    await ann.send("transfer", to="call me maybe")
    assert (await ann.wait("error"))["code"] == "refused"
    assert not line.hung_up, "what is no number changes nothing"
    assert stage.audit.of(ANN) == ["joined"]
    await ann.send("transfer", to="+1 555-0142")
    assert (await ann.wait("ended"))["reason"] == "transferred"
    assert line.hung_up == [EndReason.TRANSFERRED]
    assert stage.book.destination_of("CA1") == NUMBER  # type: ignore[attr-defined]
    (kept,) = [e.event for e in stage.store.entries if isinstance(e.event, Transferred)]
    assert (kept.by, kept.name, kept.to) == (ANN.id, "Ann", "+1 555-0142")
    assert ("u_ann", "transfer", call_id, {"to": "+1 555-0142"}) in stage.audit.notes


async def test_who_may_and_who_may_not(stage: DeskStage) -> None:
    line, call_id = ring(stage)
    with pytest.raises(RefusedError, match="on this call"):  # Bob serves sales alone
        await run(stage.desk, BOB, call_id, {"kind": Errand.TRANSFER, "to": NUMBER})
    assert not line.hung_up
    await run(stage.desk, SUE, call_id, {"kind": Errand.TRANSFER, "to": NUMBER})
    assert line.hung_up == [EndReason.TRANSFERRED]
    assert stage.audit.of(SUE) == ["transfer"]


async def test_other_channels_say_why_they_cannot(stage: DeskStage) -> None:
    caller = await stage.caller()
    assert caller.joined["transfer"]["able"] is False  # type: ignore[attr-defined]
    ann = await stage.operator("ann")
    reason = "only a telephone call can be put through to a number"
    assert (await ann.wait("joined"))["transfer"] == {"able": False, "reason": reason}
    await ann.send("transfer", to=NUMBER)
    refused = await ann.wait("error")
    assert (refused["code"], refused["reason"]) == ("refused", reason)
    assert stage.call.session.end_reason is None
