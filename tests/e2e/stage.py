"""The built console against recorded answers: API and sockets are Playwright's routes, pages are files."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import recorded
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect

from offhook.web.headers import SECURITY_HEADERS
from offhook.web.pages import CONSOLE

DESK, TABLET = {"width": 1280, "height": 800}, {"width": 820, "height": 1180}
AXE = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
RUN_AXE = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, { runOnly: rules });
  return found.violations.flatMap((each) => each.nodes.map((node) =>
    `${each.id}: ${node.target.join(" ")} | ${node.any.concat(node.all).map((c) => c.message).join("; ")}`));
}"""


class _Files(BaseHTTPRequestHandler):
    """The console's page for every path that is not a file of its build. Worklets escape
    Playwright's routes."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name = path.removeprefix("/static/console/") if path.startswith("/static/") else "index.html"
        file = CONSOLE / ("favicon.svg" if path == "/favicon.svg" else name)
        self.send_response(200 if file.is_file() else 404)
        for header, value in SECURITY_HEADERS.items():
            self.send_header(header, value)
        self.send_header("Content-Type", _TYPES.get(file.suffix, "application/octet-stream"))
        self.end_headers()
        if file.is_file():
            self.wfile.write(file.read_bytes())

    def log_message(self, format: str, *args: object) -> None: ...


class Files:
    """A server of the build on a free port, until closed."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class Stage:
    """`sent` is what the page said on `/ws/live`; `say` speaks to it there, `ring` on `/ws/operator`.
    `silent` paths answer 503; `known` answers are given to GET, those of `posts` to POST."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.sent: list[dict[str, Any]] = []
        self.posted: list[tuple[str, str, Any]] = []
        self.sound = 0
        self.desks: list[WebSocketRoute] = []
        self.floors: list[WebSocketRoute] = []
        self.operators: list[WebSocketRoute] = []
        self.known: dict[str, Any] = dict(recorded.API)
        self.posts: dict[str, Any] = {}
        self.silent: set[str] = set()
        context.add_init_script(path=AXE)
        context.route("**/api/**", self._answer)
        context.route_web_socket("**/ws/floor", self._floor)
        context.route_web_socket("**/ws/live*", self._live)
        context.route_web_socket("**/ws/operator", self._operator)

    def ring(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self.operators[-1].send(json.dumps(message))

    def say(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self.desks[-1].send(json.dumps(message))

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path in self.silent:
            route.fulfill(status=503, json={"error": {"message": "closed for a moment"}})
        else:
            self._api(route, path)

    def _api(self, route: Route, path: str) -> None:
        request = route.request
        if request.method != "GET":
            self.posted.append((request.method, path, request.post_data_json))
            if path in self.posts:
                return route.fulfill(json=self.posts[path])
            return route.fulfill(status=204)
        known = self.known.get(path)
        if known is None:
            return route.fulfill(status=404, json={"error": {"message": "there is no such thing"}})
        return route.fulfill(json=known)

    def _floor(self, socket: WebSocketRoute) -> None:
        if "/ws/floor" in self.silent:
            socket.close(code=1012)
            return
        self.floors.append(socket)
        socket.on_message(lambda said: _answer_ping(socket, said))
        socket.send(json.dumps(recorded.FLOOR_MESSAGE))

    def _operator(self, socket: WebSocketRoute) -> None:
        self.operators.append(socket)
        socket.on_message(lambda said: _answer_ping(socket, said))
        self.ring({"type": "presence", "presence": "available"})

    def _live(self, socket: WebSocketRoute) -> None:
        if "/ws/live" in self.silent:
            socket.close(code=1012)
            return
        self.desks.append(socket)
        socket.on_message(self._heard)
        socket.send(json.dumps(recorded.JOINED))

    def _heard(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.sound += 1
            return
        said = json.loads(message)
        self.sent.append(said)
        if said["type"] == "ping":
            self.say({"type": "pong", "t": said["t"]})


def _answer_ping(socket: WebSocketRoute, message: str | bytes) -> None:
    socket.send(json.dumps({"type": "pong", "t": json.loads(message)["t"]}))


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it stands."""
    return page.evaluate(RUN_AXE)  # type: ignore[no-any-return]


def strip(page: Page, words: str, tone: str) -> None:
    """What the strip says, and the look that goes with it."""
    expect(page.locator(".hears strong")).to_have_text(words)
    expect(page.locator(".hears")).to_have_attribute("data-tone", tone)


def sit(stage: Stage, page: Page, key: str = "l") -> None:
    page.goto(f"{stage.url}/desk/{recorded.CALL}")
    expect(page.get_by_role("button", name="Listen")).to_be_enabled()
    page.keyboard.press(key)
    expect(page.locator(".cockpit")).to_be_visible()
    expect(page.locator(".commands").get_by_role("button", name="Hold")).to_be_enabled()
