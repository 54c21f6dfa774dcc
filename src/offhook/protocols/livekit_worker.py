"""LiveKit's agent worker protocol: what a server asks of a worker, as values, and the answers as bytes.

Binary protobuf messages on one WebSocket (`/agent`). No sockets, no clock; which job is taken is decided
elsewhere. Needs the package livekit-protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from google.protobuf.message import DecodeError
from livekit.protocol import agent as wire
from livekit.protocol import models

from offhook.foundation.errors import WireError

MAX_ID = 200
MAX_METADATA = 65_536


@dataclass(frozen=True, slots=True)
class Job:
    """A room that wants an agent. `metadata` is whatever whoever dispatched wrote; `resuming`: another worker
    had the job and was lost."""

    id: str
    room: str
    room_sid: str = ""
    dispatch: str = ""
    agent_name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    resuming: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """The server knows the worker by this id; `version` is the server's."""

    worker_id: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """The server asks whether this job would be taken."""

    job: Job


@dataclass(frozen=True, slots=True)
class Assigned:
    """The job is this worker's: the room is at `url` (empty: where the worker is connected), by `token`."""

    job: Job
    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Terminated:
    """The job is to end now."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping that was sent at `sent_ms` of the worker's clock."""

    sent_ms: int


@dataclass(frozen=True, slots=True)
class SentAway:
    """The server takes its leave: jobs go on, a new connection is to be made for new ones."""


Told = Registered | Offered | Assigned | Terminated | Pong | SentAway


class Outcome(Enum):
    """How far a job is."""

    RUNNING = wire.JobStatus.JS_RUNNING
    SUCCESS = wire.JobStatus.JS_SUCCESS
    FAILED = wire.JobStatus.JS_FAILED


@dataclass(frozen=True, slots=True)
class Acceptance:
    """As whom the worker will join the room of a job."""

    identity: str
    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def read(raw: bytes) -> Told | None:
    """A message of the server's; None for one that this version does not know. Raises WireError."""
    message = wire.ServerMessage()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        raise WireError("the server's message cannot be read") from None
    match message.WhichOneof("message"):
        case "register":
            told = message.register
            return Registered(told.worker_id[:MAX_ID], told.server_info.version[:MAX_ID])
        case "availability":
            return Offered(_job(message.availability.job, message.availability.resuming))
        case "assignment":
            given = message.assignment
            if not given.token:
                raise WireError("the server assigned a job without a token")
            return Assigned(_job(given.job), given.url, given.token)
        case "termination":
            return Terminated(message.termination.job_id[:MAX_ID])
        case "pong":
            return Pong(message.pong.last_timestamp)
        case "go_away":
            return SentAway()
    return None


def _job(given: wire.Job, resuming: bool = False) -> Job:
    if not given.id or not given.room.name or len(given.id) > MAX_ID:
        raise WireError("the server's job has no id or no room")
    if len(given.metadata) > MAX_METADATA:
        raise WireError("the metadata of a job is too long")
    return Job(
        id=given.id,
        room=given.room.name,
        room_sid=given.room.sid,
        dispatch=given.dispatch_id,
        agent_name=given.agent_name,
        metadata=given.metadata,
        attributes=dict(given.attributes),
        resuming=resuming,
    )


def register(agent_name: str, version: str, ping_seconds: int) -> bytes:
    """A worker introduces itself: it takes rooms that ask for `agent_name`."""
    return _bytes(
        register=wire.RegisterWorkerRequest(
            type=wire.JobType.JT_ROOM,
            agent_name=agent_name,
            version=version,
            ping_interval=ping_seconds,
            allowed_permissions=models.ParticipantPermission(
                can_publish=True,
                can_subscribe=True,
                can_publish_data=True,
                can_update_metadata=True,
                agent=True,
            ),
        )
    )


def accept(job_id: str, acceptance: Acceptance) -> bytes:
    """The job would be taken, and its room joined like this."""
    return _bytes(
        availability=wire.AvailabilityResponse(
            job_id=job_id,
            available=True,
            participant_identity=acceptance.identity,
            participant_name=acceptance.name,
            participant_attributes=dict(acceptance.attributes),
        )
    )


def decline(job_id: str, *, for_good: bool) -> bytes:
    """The job is not taken; `for_good`: by no other worker either."""
    return _bytes(availability=wire.AvailabilityResponse(job_id=job_id, available=False, terminate=for_good))


def worker(load: float, jobs: int, *, full: bool, draining: bool) -> bytes:
    """How busy the worker is; a `full` one is not asked."""
    status = wire.WorkerStatus.WS_FULL if full or draining else wire.WorkerStatus.WS_AVAILABLE
    return _bytes(
        update_worker=wire.UpdateWorkerStatus(status=status, load=load, job_count=jobs, draining=draining)
    )


def job(job_id: str, outcome: Outcome, error: str = "") -> bytes:
    """How far a job is; `error` is one sentence about one that failed."""
    return _bytes(update_job=wire.UpdateJobStatus(job_id=job_id, status=outcome.value, error=error))


def ping(now_ms: int) -> bytes:
    return _bytes(ping=wire.WorkerPing(timestamp=now_ms))


def _bytes(**given: object) -> bytes:
    return bytes(wire.WorkerMessage(**given).SerializeToString())  # type: ignore[arg-type]
