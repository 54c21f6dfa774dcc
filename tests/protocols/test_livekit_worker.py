"""The worker protocol's messages, as the server's own protobuf types read and write them."""

from __future__ import annotations

import pytest
from livekit.protocol import agent as wire
from livekit.protocol import models

from offhook.foundation.errors import WireError
from offhook.protocols import livekit_worker as worker


def server(**given: object) -> bytes:
    return wire.ServerMessage(**given).SerializeToString()


def sent(raw: bytes) -> wire.WorkerMessage:
    message = wire.WorkerMessage()
    message.ParseFromString(raw)
    return message


JOB = wire.Job(
    id="AJ_1",
    dispatch_id="AD_1",
    room=models.Room(name="lobby", sid="RM_1"),
    agent_name="offhook",
    metadata='{"agent": "clinic"}',
    attributes={"k": "v"},
)


class TestWhatTheServerSays:
    def test_it_registers_the_worker(self) -> None:
        told = wire.RegisterWorkerResponse(worker_id="AW_1", server_info=models.ServerInfo(version="1.13.5"))
        assert worker.read(server(register=told)) == worker.Registered("AW_1", "1.13.5")

    def test_it_offers_a_job(self) -> None:
        offered = worker.read(server(availability=wire.AvailabilityRequest(job=JOB, resuming=True)))
        assert offered == worker.Offered(
            worker.Job("AJ_1", "lobby", "RM_1", "AD_1", "offhook", '{"agent": "clinic"}', {"k": "v"}, True)
        )

    def test_it_assigns_one(self) -> None:
        told = worker.read(server(assignment=wire.JobAssignment(job=JOB, url="ws://x", token="t")))
        assert isinstance(told, worker.Assigned)
        assert (told.job.room, told.url, told.token, told.job.resuming) == ("lobby", "ws://x", "t", False)

    def test_it_ends_one_answers_pings_and_goes(self) -> None:
        assert worker.read(server(termination=wire.JobTermination(job_id="AJ_1"))) == worker.Terminated(
            "AJ_1"
        )
        assert worker.read(server(pong=wire.WorkerPong(last_timestamp=7, timestamp=9))) == worker.Pong(7)
        assert worker.read(server(go_away=wire.AgentHttp.GoAway())) == worker.SentAway()

    def test_what_is_not_known_is_nothing(self) -> None:
        assert worker.read(b"") is None

    @pytest.mark.parametrize(
        "raw",
        [
            b"\xff\xff\xff",
            server(assignment=wire.JobAssignment(job=JOB, url="ws://x")),
            server(availability=wire.AvailabilityRequest(job=wire.Job(id="AJ_1"))),
            server(availability=wire.AvailabilityRequest(job=wire.Job(room=models.Room(name="x")))),
            server(
                availability=wire.AvailabilityRequest(job=wire.Job(id="x" * 201, room=models.Room(name="x")))
            ),
            server(
                availability=wire.AvailabilityRequest(
                    job=wire.Job(id="x", room=models.Room(name="x"), metadata="m" * 65_537)
                )
            ),
        ],
    )
    def test_what_is_wrong_is_told_in_one_sentence(self, raw: bytes) -> None:
        with pytest.raises(WireError) as found:
            worker.read(raw)
        assert found.value.reason
        assert "\n" not in found.value.reason


class TestWhatTheWorkerSays:
    def test_it_introduces_itself(self) -> None:
        register = sent(worker.register("offhook", "0.1", 5)).register
        assert (register.agent_name, register.version, register.ping_interval) == ("offhook", "0.1", 5)
        assert register.type == wire.JobType.JT_ROOM
        may = register.allowed_permissions
        assert may.can_publish
        assert may.can_subscribe
        assert may.can_publish_data
        assert may.can_update_metadata

    def test_it_takes_a_job(self) -> None:
        acceptance = worker.Acceptance("agent-1", "Clinic", {"lk.agent.state": "initializing"})
        answer = sent(worker.accept("AJ_1", acceptance)).availability
        assert (answer.job_id, answer.available, answer.participant_identity) == ("AJ_1", True, "agent-1")
        assert answer.participant_name == "Clinic"
        assert dict(answer.participant_attributes) == {"lk.agent.state": "initializing"}

    @pytest.mark.parametrize("for_good", [True, False])
    def test_it_does_not(self, for_good: bool) -> None:
        answer = sent(worker.decline("AJ_1", for_good=for_good)).availability
        assert (answer.job_id, answer.available, answer.terminate) == ("AJ_1", False, for_good)

    @pytest.mark.parametrize(
        ("full", "draining", "status"),
        [
            (False, False, wire.WorkerStatus.WS_AVAILABLE),
            (True, False, wire.WorkerStatus.WS_FULL),
            (False, True, wire.WorkerStatus.WS_FULL),
        ],
    )
    def test_it_tells_how_busy_it_is(self, full: bool, draining: bool, status: int) -> None:
        told = sent(worker.worker(0.5, 3, full=full, draining=draining)).update_worker
        assert (told.load, told.job_count, told.status, told.draining) == (0.5, 3, status, draining)

    def test_it_tells_how_far_a_job_is_and_pings(self) -> None:
        told = sent(worker.job("AJ_1", worker.Outcome.FAILED, "no room")).update_job
        assert (told.job_id, told.status, told.error) == ("AJ_1", wire.JobStatus.JS_FAILED, "no room")
        assert sent(worker.ping(42)).ping.timestamp == 42
