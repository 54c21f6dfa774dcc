"""Entities of a whole call with no operator on it, from the caller's audio to the store and the screen."""

from __future__ import annotations

from dataclasses import replace

from tests.call.conftest import Stage

from offhook.call.directory import Directory
from offhook.desk.entities.watch import EntityWatch
from offhook.foundation.desk_events import EntityFound, EntityMentioned, EntityPinned
from offhook.foundation.events import EndReason, LegKind


async def test_what_a_caller_says_reaches_the_store_and_the_screen() -> None:
    stage = Stage(texts=["My card number is 4111 1111 1111 1111."])
    stage.llm.replies = [["So that is 4111 1111 1111 1111. Call us at 202-555-0143."]]
    house = replace(stage.directory._house, followers=lambda timeline: (EntityWatch(timeline.emit),))
    stage.directory = Directory(house)
    await stage.greeted()
    await stage.say(1_000)
    await stage.until("speaking")
    await stage.until("listening", 30_000)
    card, phone = stage.events(EntityFound)
    assert (card.type, card.value, card.leg) == ("card", "4111111111111111", LegKind.CALLER)
    assert (phone.type, phone.value, phone.leg) == ("phone", "+12025550143", LegKind.AGENT)
    assert [one.id for one in stage.events(EntityMentioned)] == [card.id]
    assert stage.directory.emit(stage.call_id, EntityPinned(card.id, "local", True))
    assert not stage.directory.emit("call_x", EntityPinned(card.id, "local", True))
    kept = [entry.event for entry in stage.store.entries]
    assert kept.index(card) > 0
    assert any(isinstance(event, EntityPinned) for event in kept)
    seqs = [entry.seq for entry in stage.line.entries]
    assert seqs == sorted(seqs)
    await stage.directory.close(EndReason.SERVER_STOPPED, 0)
