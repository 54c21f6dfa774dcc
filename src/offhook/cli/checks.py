"""What `offhook doctor` looks at. Each check gives findings and never raises; none prints a key."""

from __future__ import annotations

import platform
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import httpx

from offhook.foundation.errors import SettingsError
from offhook.settings import Settings, load

_WAIT = httpx.Timeout(5.0)
_SPACE_WRONG, _SPACE_NOTE = 200 << 20, 2 << 30


class Mark(StrEnum):
    GOOD = "✓"
    NOTE = "!"
    WRONG = "✗"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, what was found, and what to do about it."""

    name: str
    mark: Mark
    finding: str
    advice: str = ""


def run_checks(online: bool = False) -> Iterator[Check]:
    """All checks, in the order in which a newcomer would mend things; `online` calls the vendors, too."""
    yield from check_python()
    try:
        settings = load()
        yield Check("settings", Mark.GOOD, f"{len(settings.agents)} agent(s), {settings.engine} engine")
    except SettingsError as error:
        yield Check("settings", Mark.WRONG, error.reason, "correct it; the rest is checked with defaults")
        settings = Settings()
    from offhook.cli.engine_checks import check_engines, check_tools
    from offhook.cli.house_checks import check_agents, check_database, check_hold
    from offhook.cli.model_checks import check_models
    from offhook.cli.provider_checks import check_providers
    from offhook.cli.webrtc_checks import check_webrtc

    checks: tuple[Callable[[Settings], Iterator[Check]], ...] = (
        check_data,
        check_database,
        check_hold,
        check_port,
        check_models,
        check_agents,
        check_sound,
        check_webrtc,
        check_twilio,
        partial(check_engines, online=online),
        partial(check_providers, online=online),
        check_tools,
        check_public_url,
        check_api_key,
        partial(check_livekit, online=online),
        check_memory,
    )
    for check in checks:
        yield from check(settings)


def check_python() -> Iterator[Check]:
    found = f"{platform.python_version()} on {platform.machine()}"
    yield Check("python", Mark.GOOD, found)
    try:
        yield Check("onnxruntime", Mark.GOOD, version("onnxruntime"))
    except PackageNotFoundError:
        yield Check("onnxruntime", Mark.WRONG, "not installed", "make setup")


def check_data(settings: Settings) -> Iterator[Check]:
    folder = settings.data.absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Check(
            "data", Mark.WRONG, f"{existing}: {error.strerror}", "set OFFHOOK_DATA to a folder you own"
        )
        return
    free = shutil.disk_usage(existing).free
    finding = f"{settings.data} is writable, {free / 1e9:.1f} GB free"
    advice = "" if free > _SPACE_NOTE else "make room: recordings are kept there"
    mark = Mark.GOOD if free > _SPACE_NOTE else Mark.NOTE if free > _SPACE_WRONG else Mark.WRONG
    yield Check("data", mark, finding, advice)


def check_port(settings: Settings) -> Iterator[Check]:
    where = f"{settings.host}:{settings.port}" if settings.port else f"{settings.host}, any port"
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        if _is_offhook(f"http://{_reachable_host(settings.host)}:{settings.port}/healthz"):
            yield Check("port", Mark.GOOD, f"Offhook is running on {where}")
        else:
            yield Check("port", Mark.WRONG, f"{where}: {error.strerror}", "choose another: --port, --host")
        return
    yield Check("port", Mark.GOOD, f"{where} is free")


def check_sound(settings: Settings) -> Iterator[Check]:
    if settings.use_websocket_audio:
        yield Check("sound card", Mark.GOOD, "not needed: callers come by browser and phone")
    elif find_spec("sounddevice") is None:
        yield Check("sound card", Mark.WRONG, "sounddevice is missing", "pip install 'offhook[sound]'")
    else:
        yield Check("sound card", Mark.GOOD, "sounddevice is installed")


def check_twilio(settings: Settings) -> Iterator[Check]:
    twilio = settings.twilio
    token = twilio.auth_token.get_secret_value() if twilio.auth_token else ""
    if not token and not twilio.account_sid:
        advice = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to take real phone calls"
        yield Check("twilio", Mark.NOTE, "no account: phone calls from this machine only", advice)
    elif not re.fullmatch(r"AC[0-9a-f]{32}", twilio.account_sid):
        yield Check("twilio", Mark.WRONG, "TWILIO_ACCOUNT_SID is not AC and 32 hex digits", "copy it again")
    elif not re.fullmatch(r"[0-9a-f]{32}", token):
        yield Check("twilio", Mark.WRONG, "TWILIO_AUTH_TOKEN is not 32 hex digits", "copy it again")
    elif find_spec("twilio") is None:
        advice = "pip install 'offhook[twilio]'"
        yield Check("twilio", Mark.NOTE, "calling out and hanging up need the SDK", advice)
    else:
        yield Check("twilio", Mark.GOOD, "account and token are set and look right")


def check_public_url(settings: Settings) -> Iterator[Check]:
    url = settings.public_url
    if not url:
        advice = "set OFFHOOK_PUBLIC_URL to the https:// address that leads here"
        yield Check("public url", Mark.NOTE, "not set: phone vendors cannot reach this server", advice)
    elif not url.startswith("https://"):
        yield Check("public url", Mark.WRONG, f"{url} is not https", "phone vendors speak TLS only")
    else:
        try:
            answer = httpx.get(f"{url}/healthz", timeout=_WAIT)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            advice = "start the tunnel or proxy; its certificate must be valid"
            yield Check("public url", Mark.WRONG, f"{url}: {_first_line(error)}", advice)
            return
        if _healthy(answer):
            yield Check("public url", Mark.GOOD, f"an Offhook answers at {url}, over valid TLS")
        elif answer.status_code == httpx.codes.OK:
            advice = f"lead it to port {settings.port} of this machine"
            yield Check("public url", Mark.WRONG, f"something else than Offhook answers at {url}", advice)
        else:
            finding = f"{url}/healthz answers {answer.status_code}"
            yield Check("public url", Mark.NOTE, finding, "is `offhook serve` running behind it?")


def check_api_key(settings: Settings) -> Iterator[Check]:
    from offhook.cli.house_checks import has_users

    if settings.api_key is not None and settings.api_key.get_secret_value():
        yield Check("api key", Mark.GOOD, "set: the console and the API want it, or a user")
    elif has_users(settings):
        yield Check("api key", Mark.GOOD, "none: people log in")
    elif settings.public_url:
        finding = (
            "public_url is set, and there is no user and no key: the console and the API answer to no one"
        )
        advice = "offhook user add NAME --role admin, or set OFFHOOK_API_KEY"
        yield Check("api key", Mark.WRONG, finding, advice)
    else:
        yield Check("api key", Mark.GOOD, "none: the console and the API answer on this machine only")


def check_livekit(settings: Settings, online: bool = False) -> Iterator[Check]:
    """`online` asks the rooms' server whether it is there."""
    wanted = settings.livekit
    if wanted == type(wanted)():
        return
    if not wanted.complete:
        yield Check("livekit", Mark.NOTE, "no rooms: they need url, api_key and api_secret")
    elif find_spec("livekit.rtc") is None or find_spec("livekit.api") is None:
        yield Check("livekit", Mark.WRONG, "its packages are missing", "pip install 'offhook[livekit]'")
    else:
        how = "agents are sent there" if wanted.join == "dispatch" else "agents join by themselves"
        where = f"rooms at {wanted.url}: {how} as {wanted.agent_name!r}"
        if not online:
            yield Check("livekit", Mark.GOOD, f"{where} (not called; --online does)")
        elif _answers(re.sub("^ws", "http", wanted.url)):
            yield Check("livekit", Mark.GOOD, where)
        else:
            yield Check(
                "livekit",
                Mark.WRONG,
                f"{where}: no answer",
                "start the LiveKit server, or correct livekit.url",
            )


def check_memory(settings: Settings) -> Iterator[Check]:
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        free = int(text.partition("MemAvailable:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return
    finding = f"{free / 1e9:.1f} GB available; at most {settings.limits.max_calls} calls (limits.max_calls)"
    low = free < 1 << 30
    yield Check("memory", Mark.NOTE if low else Mark.GOOD, finding, "lower limits.max_calls" if low else "")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=_WAIT).status_code == httpx.codes.OK
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def _is_offhook(url: str) -> bool:
    try:
        return _healthy(httpx.get(url, timeout=_WAIT))
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def _healthy(answer: httpx.Response) -> bool:
    """Whether this is what Offhook's /healthz says, and not any web server's page."""
    return answer.status_code == httpx.codes.OK and answer.text == '{"status":"ok"}'


def _reachable_host(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
