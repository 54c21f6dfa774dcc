"""Says which slots of a booking a caller has just changed, before the next question. Changes none."""

from __future__ import annotations

from dataclasses import replace

from offhook.speech.llm.receptionist.scene import Scene
from offhook.speech.llm.receptionist.state import Draft, Reply
from offhook.speech.llm.receptionist.words import grouped


def corrected(scene: Scene, reply: Reply) -> Reply:
    """`reply`, led by "Friday, then." where a slot that was filled before holds something else now."""
    what = _changes(scene, scene.state.draft, reply.state.draft)
    if not what:
        return reply
    lead = scene.say("changed", what=scene.listing(what))
    parts = (lead, *reply.parts)
    return replace(reply, parts=parts, state=replace(reply.state, said=parts))


def _changes(scene: Scene, before: Draft, now: Draft) -> list[str]:
    """The new values in words. A slot that was refused (a closed day) is empty again, and not named."""
    what = []
    if before.service and now.service != before.service:
        what.append(str(scene.language.article(now.service)))
    moment = []
    if before.day and now.day and now.day != before.day:
        moment.append(scene.day(now.day).removeprefix("on "))
    if before.time and now.time and scene.when.time and now.time != before.time:
        moment.append(f"at {scene.clock(now.time)}" if moment else scene.clock(now.time))
    elif before.part and now.part and now.part != before.part and not now.time:
        moment.append(f"the {scene.language.part_of_day(now.part)}")
    if moment:
        what.append(" ".join(moment))
    if before.name and now.name and now.name != before.name:
        what.append(now.name)
    if before.phone and now.phone and now.phone != before.phone:
        what.append(grouped(now.phone) if now.phone.isdigit() else now.phone)
    return what
