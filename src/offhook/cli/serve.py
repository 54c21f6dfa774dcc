"""`offhook serve`: settings from flags and files, logging, then the server. Builds nothing of it here."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Annotated

import typer

from offhook.foundation.errors import OffhookError


class AddressError(OffhookError):
    """The address to listen on is taken, or not ours."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for any (8080).")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that answer calls, one per core (1).")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="cascade, openai-realtime, elevenlabs; scripted for load tests.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for calls and recordings (./data).")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error (info).")] = None,
) -> None:
    """Answer calls until interrupted."""
    from offhook.foundation import log
    from offhook.settings import load, secret_values

    flags = {
        "host": host,
        "port": port,
        "workers": workers,
        "engine": engine,
        "data": data,
        "log_level": log_level,
    }
    settings = load(flags)
    log.configure(settings.log_level, settings.log_format, secret_values(settings))
    if settings.workers > 1:
        from offhook.workers.supervisor import serve as run
    else:
        from offhook.app import serve as run

    try:
        code = run(settings, on_ready=_ready)
    except OSError as error:
        raise _address_error(error, settings.host, settings.port) from error
    raise typer.Exit(code)


def _ready(url: str) -> None:
    typer.echo(f"Offhook is ready: {url.rstrip('/').removesuffix('/call')}/call")


def _address_error(error: OSError, host: str, port: int) -> Exception:
    match error.errno:
        case errno.EADDRINUSE:
            return AddressError(f"port {port} on {host} is taken; choose another with --port")
        case errno.EACCES:
            return AddressError(f"this user may not listen on port {port}; choose one above 1023")
        case errno.EADDRNOTAVAIL:
            return AddressError(f"{host} is no address of this machine; choose another with --host")
    return error
