"""The whole API against its own description: fuzzed, it answers as described, with no fault of ours."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from offhook.web.auth import ACCESS

KEY = "a-long-api-key-for-fuzzing"
API = ("/api/", "/v1/", "/hooks/", "/metrics", "/healthz", "/readyz", "/whip")
OURS = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + KEY.encode())]
DESCRIBED = [content_type_conformance, response_schema_conformance, status_code_conformance]


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(context: Any, value: Any) -> bytes:
    return str(value).encode(errors="replace")


def with_key(app: ASGIApp) -> ASGIApp:
    """The app as a program on this machine reaches it that has the key: users that it adds change nothing."""

    async def local(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            others = [pair for pair in scope["headers"] if pair[0] not in (b"host", b"authorization")]
            scope = {**scope, "client": ("127.0.0.1", 1), "headers": [*others, *OURS]}
        await app(scope, receive, send)

    return local


@pytest.fixture
def described(make_stage: Any) -> Any:
    stage = make_stage(key=KEY)
    stage.calls.add("live")
    return schemathesis.openapi.from_asgi("/api/openapi.json", with_key(stage.site.asgi))


@pytest.mark.leaks("schemathesis keeps its client's thread")
def test_the_api_does_what_it_says(described: Any) -> None:
    seen: Counter[int] = Counter()
    for result in described.get_all_operations():
        probe(result.ok(), seen)
    assert set(seen) >= {200, 400, 404, 422, 503}, "the questions reached what they should"


def probe(operation: Any, seen: Counter[int]) -> None:
    """Ask one operation many things, well and badly formed."""

    @settings(
        max_examples=4,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    def well(case: Any) -> None:
        seen[check(case)] += 1

    @settings(
        max_examples=4,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    def badly(case: Any) -> None:
        seen[check(case)] += 1

    well()
    with contextlib.suppress(Unsatisfiable):  # an operation that takes nothing cannot be asked badly
        badly()


def check(case: Any) -> int:
    answer = case.call()
    # 503 is an honest answer: no phone account is configured here.
    checks = DESCRIBED if answer.status_code == 503 else [not_a_server_error, *DESCRIBED]
    case.validate_response(answer, checks=checks)
    return int(answer.status_code)


def test_the_description_is_complete(described: Any) -> None:
    operations = [result.ok() for result in described.get_all_operations()]
    labels = {tuple(operation.label.split(" ", 1)) for operation in operations}
    assert labels == {route for route in ACCESS if route[1].startswith(API)} - {("GET", "/api/openapi.json")}
    for operation in operations:
        raw = operation.definition.raw
        assert raw.get("responses"), operation.label
        if operation.path.startswith("/api/"):
            assert "403" in raw["responses"], operation.label
            assert raw.get("summary"), operation.label
