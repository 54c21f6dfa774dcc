"""The disk of a real server fills up in mid-call: the call goes on, and that nothing is recorded is told."""

from __future__ import annotations

import resource

from tests.chaos.callers import console_of, on_the_line, until
from tests.chaos.conftest import Serve

from offhook.cli.caller.clips import Clip

FULL = (16_384, resource.RLIM_INFINITY)
ROOM = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


async def test_a_full_disk_costs_the_recording_alone(serve: Serve, question: Clip) -> None:
    server = serve()
    async with console_of(server) as console, on_the_line(server.port) as line:
        [call] = await console.begun()
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, FULL)  # no file grows any more

        async def told() -> bool:
            return (await console.metrics())["offhook_recordings_failed_total"] == 1

        await until(told, 5, "the recording failed and is counted")
        await until(lambda: line.playout.quiet_for(line.now) > 1_600, 5, "the greeting was heard")
        heard = line.playout.counts.received
        line.say(question.audio)
        await until(lambda: line.playout.counts.received > heard, 6, "the call is still answered")
        ready = await console.http.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["the database refuses writes"])

        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, ROOM)

        async def well() -> bool:
            return (await console.http.get("/readyz")).status_code == 200

        await until(well, 5, "the server is ready again")
        await line.hang_up()
        await console.empty()
        assert any("not recorded" in event["text"] for event in await console.events(call, "notice"))
        legs = {event["leg"] for event in await console.events(call, "transcript_final")}
        assert legs == {"agent", "caller"}  # what was said while the disk was full was kept for later

        async def ended() -> bool:
            row = await console.call(call)
            return row["state"] == "ended" and row["recording"] != "taping"

        await until(ended, 5, "the call's row is complete")
    assert any("a call is not recorded" in each and call in each for each in server.lines)
