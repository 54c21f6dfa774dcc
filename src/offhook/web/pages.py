"""Serves the built console: its page for the console's paths, its files, cached for long. Renders nothing."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

from offhook.web.headers import CONTENT_SECURITY_POLICY

CONSOLE = Path(__file__).parent / "static" / "console"
_NOT_BUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Offhook</title>"
    "<p>The console is not built yet: run <code>make console</code> and load this page again.</p>"
)
_PAGES = (
    "/",
    "/audit",
    "/call",
    "/calls",
    "/calls/{call_id}",
    "/desk",
    "/desk/{call_id}",
    "/live",
    "/login",
    "/playground",
    "/queues",
    "/routing",
    "/users",
)
_HASHED = "public, max-age=31536000, immutable"
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".json": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".map": "application/json",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}


def page_routes(console: Path = CONSOLE, rooms: str = "") -> APIRouter:
    """The console's pages and files. `console` is the directory that the build writes; `rooms` the address of
    a LiveKit server, which the call page may talk to."""
    routes = APIRouter(include_in_schema=False)
    root = console.resolve()

    def page() -> Response:
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, 503)
        return FileResponse(index, media_type="text/html", headers={"Cache-Control": "no-cache"})

    def call_page() -> Response:
        answer = page()
        if rooms:
            answer.headers["Content-Security-Policy"] = with_rooms(rooms)
        return answer

    for path in _PAGES:
        served = call_page if path == "/call" else page
        routes.add_api_route(path, served, methods=["GET", "HEAD"], response_class=Response)

    @routes.api_route("/static/console/{path:path}", methods=["GET", "HEAD"], response_class=Response)
    def file(path: str) -> Response:
        found = _inside(root, path)
        if found is None:
            raise HTTPException(404, "there is no such file")
        hashed = path.startswith("assets/")
        return FileResponse(
            found,
            media_type=_TYPES.get(found.suffix, "application/octet-stream"),
            headers={"Cache-Control": _HASHED if hashed else "no-cache"},
        )

    return routes


def with_rooms(address: str) -> str:
    """The content security policy of a page that may reach the LiveKit server at this ws(s) address."""
    parts = urlsplit(address)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    allowed = f"connect-src 'self' {parts.scheme}://{parts.netloc} {scheme}://{parts.netloc}"
    return CONTENT_SECURITY_POLICY.replace("connect-src 'self'", allowed)


def _inside(root: Path, path: str) -> Path | None:
    """The regular file at `path` under `root`; None for anything that is not there or leads out of it."""
    if "\0" in path or "\\" in path:
        return None
    try:
        found = (root / path).resolve()
        return found if found.is_relative_to(root) and found.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None
