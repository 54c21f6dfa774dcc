"""The API's one error form, `{"error": {"code", "message"}}`, and how exceptions become it. No logging."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from offhook.foundation.errors import (
    ConflictError,
    LimitError,
    NotFoundError,
    OffhookError,
    ProviderError,
    RefusedError,
    StorageError,
    UnfitError,
    WireError,
)


class Fault(BaseModel):
    """What went wrong: a code for programs, a sentence for people."""

    code: str
    message: str


class FaultBody(BaseModel):
    """The body of every answer that is not a success."""

    error: Fault


_CODES = {
    400: "bad_request",
    401: "key_wanted",
    403: "refused",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    411: "length_wanted",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "invalid",
    429: "too_many",
    502: "provider_failed",
    503: "unavailable",
}
_STATUS: tuple[tuple[type[OffhookError], int], ...] = (
    (NotFoundError, 404),
    (LimitError, 503),
    (ConflictError, 409),
    (RefusedError, 403),
    (WireError, 400),
    (UnfitError, 400),
    (ProviderError, 502),
    (StorageError, 503),
)


def body(status: int, message: str, code: str = "") -> dict[str, Any]:
    """The error form as a JSON value."""
    return {"error": {"code": code or _CODES.get(status, "failed"), "message": message}}


def fault(status: int, message: str, code: str = "", headers: dict[str, str] | None = None) -> JSONResponse:
    """An error answer."""
    return JSONResponse(body(status, message, code), status, headers)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its OpenAPI description."""
    return {status: {"model": FaultBody} for status in statuses}


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OffhookError)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return fault(status, error.reason)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return fault(error.status_code, str(error.detail), headers=dict(error.headers or {}))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    if first["type"] == "json_invalid":
        return fault(422, "the body is no JSON")
    return fault(422, f"{where}: {first['msg'].removeprefix('Value error, ')}")


async def _bug(request: Request, error: Exception) -> JSONResponse:
    return fault(500, "something went wrong on our side")


def install(app: FastAPI) -> None:
    """Make every error of the app take the one form."""
    app.add_exception_handler(OffhookError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _bug)
