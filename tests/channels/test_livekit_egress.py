"""LiveKit's recording of a call beside ours: ordered, stopped, its result noted; its faults harm no call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

api = pytest.importorskip("livekit.api")
from tests.fakes.livekit_egress import KEY, SECRET, FakeEgress, fake_egress  # noqa: E402

from offhook.channels.livekit_egress import Bucket, Egress, EgressRules  # noqa: E402
from offhook.channels.livekit_server import Keys, RoomServer  # noqa: E402
from offhook.foundation.desk_events import RoomTape  # noqa: E402
from offhook.foundation.errors import NotFoundError  # noqa: E402
from offhook.foundation.events import CallEvent, Notice  # noqa: E402

PACE = 0.001


class Stage:
    def __init__(self, fake: FakeEgress, rules: EgressRules) -> None:
        self.fake = fake
        self.noted: list[CallEvent] = []
        self.over = asyncio.Event()
        self.known = asyncio.Event()
        self.server = RoomServer(Keys(fake.url, KEY, SECRET))
        self.egress = Egress(self.server, rules, self._note, PACE)

    async def _note(self, call_id: str, event: CallEvent) -> None:
        assert call_id == "call_1"
        self.noted.append(event)
        self.known.set()

    async def record(self) -> None:
        """A call that is over once its recording has begun."""
        task = asyncio.create_task(self.egress.record("lobby", "call_1", self.over))
        await self.known.wait()
        self.over.set()
        await task


@pytest.fixture
async def fake() -> AsyncIterator[FakeEgress]:
    async with fake_egress() as running:
        yield running


@pytest.fixture
async def stage(fake: FakeEgress) -> AsyncIterator[Stage]:
    bucket = Bucket("calls", "eu-west-1", "https://s3.test", "AK", "a-secret", path_style=True)
    made = Stage(fake, EgressRules("calls/{room_name}/{call_id}.mp3", bucket))
    yield made
    await made.server.close()


async def test_a_call_is_recorded_from_its_beginning_to_its_end(stage: Stage) -> None:
    await stage.record()
    (wish,) = stage.fake.ordered
    assert (wish.room_name, wish.audio_only) == ("lobby", True)
    (file,) = wish.file_outputs
    assert (file.filepath, file.file_type) == ("calls/{room_name}/call_1.mp3", api.EncodedFileType.MP3)
    assert (file.s3.bucket, file.s3.region, file.s3.endpoint) == ("calls", "eu-west-1", "https://s3.test")
    assert (file.s3.access_key, file.s3.secret, file.s3.force_path_style) == ("AK", "a-secret", True)
    assert stage.fake.stopped == ["EG_1"]
    where = "https://files.test/calls/{room_name}/call_1.mp3"
    assert stage.noted == [RoomTape("EG_1", "started"), RoomTape("EG_1", "complete", where, "", 4_711)]


async def test_what_the_service_does_not_do_is_told(stage: Stage) -> None:
    stage.fake.fault = (500, "internal", "twirp error unknown: egress not connected (redis required)")
    await stage.record()
    (told,) = stage.noted
    assert isinstance(told, Notice)
    assert "no egress service" in told.text
    assert "a-secret" not in told.text


async def test_a_recording_that_breaks_off_is_told_while_the_call_goes_on(stage: Stage) -> None:
    stage.fake.dies = True
    await stage.egress.record("lobby", "call_1", stage.over)
    assert stage.noted[1] == RoomTape("EG_1", "failed", "", "the recorder died")
    assert isinstance(stage.noted[2], Notice)
    assert stage.fake.stopped == []


async def test_a_recording_that_came_to_nothing_is_told(stage: Stage) -> None:
    stage.fake.ends = api.EgressStatus.EGRESS_ABORTED
    await stage.record()
    assert stage.noted[-1] == RoomTape("EG_1", "aborted")


async def test_one_of_which_nothing_is_heard_any_more(stage: Stage) -> None:
    stage.fake.ends = api.EgressStatus.EGRESS_ENDING
    await stage.record()
    last = stage.noted[-1]
    assert isinstance(last, RoomTape)
    assert last.status == "unknown"
    assert last.error


async def test_a_server_that_is_not_there_and_a_call_that_is_forgotten() -> None:
    noted = []

    async def note(call_id: str, event: CallEvent) -> None:
        noted.append(event)
        raise NotFoundError("there is no such call")

    server = RoomServer(Keys("ws://127.0.0.1:9", KEY, SECRET))
    await Egress(server, EgressRules("x.ogg"), note, PACE).record("lobby", "call_1", asyncio.Event())
    await server.close()
    assert [type(event) for event in noted] == [Notice]


def test_secrets_of_a_bucket_are_not_shown() -> None:
    assert "hidden" not in repr(EgressRules("x.ogg", Bucket("calls", access_key="k", secret="hidden")))
