"""A real server, a real Chromium with a spoken WAV as its microphone, pages that must not complain."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from offhook.audio.frame import AudioFormat, Encoding

sys.path.insert(0, str(Path(__file__).parent))

from served import Open, Server
from stage import DESK, Files, Stage

MICROPHONE = AudioFormat(Encoding.PCM16, 16_000)
expect.set_options(timeout=20_000)  # a machine that is busy with other things is slow, not broken
SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
REPORTS = """
window.cspReports = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.cspReports.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """These tests run when asked for: `-m e2e`, or `make e2e`."""
    if "e2e" in config.getoption("markexpr"):
        return
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    items[:] = [item for item in items if item not in mine]
    config.hook.pytest_deselected(items=mine)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("served"))
    yield running
    running.stop()
    failures = [line for line in running.lines if "Traceback" in line]
    assert not failures, "\n".join(running.lines[-60:])


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes microphones: a WAV of lines said by Offhook's own voice, each after some silence.

    `speech((6, "What are your opening hours?"), tail=15)`: six seconds of silence, the line,
    fifteen seconds of silence; Chromium plays it in a loop.
    """
    folder = tmp_path_factory.mktemp("microphones")

    def make(*lines: tuple[float, str], tail: float) -> Path:
        path = folder / f"{abs(hash((lines, tail)))}.wav"
        if not path.exists():
            with ThreadPoolExecutor(1) as thread:
                sound = thread.submit(asyncio.run, _say(lines)).result(60)
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(MICROPHONE.width)
                file.setframerate(MICROPHONE.rate)
                file.writeframes(sound + MICROPHONE.silence(MICROPHONE.samples(tail * 1000)))
        return path

    return make


async def _say(lines: tuple[tuple[float, str], ...]) -> bytes:
    from offhook.speech.tts.hibari import HibariTts

    voice = HibariTts()
    try:
        sound = b""
        for pause, text in lines:
            sound += MICROPHONE.silence(MICROPHONE.samples(pause * 1000))
            sound += b"".join([piece async for piece in voice.speak(text, "", "en", MICROPHONE)])
        return sound
    finally:
        await voice.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None and not os.environ.get("CI"):
        pytest.skip("there is no chromium on this machine (Debian: apt-get install chromium)")
    assert found is not None, "CI needs chromium"
    return found


@pytest.fixture
def open_page(playwright: Playwright, chromium: str) -> Iterator[Open]:
    """Opens pages in browsers: `open_page(url, microphone=path)`; without one, permission is refused.

    A page that logs an error, throws, or breaks the content security policy fails its test.
    """
    browsers: list[Browser] = []
    pages: list[Page] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(known in message.text for known in allowed):
            complaints.append(f"{message.text} {message.location}")

    allowed: list[str] = []

    def make(url: str, microphone: Path | None = None, *flags: str, expect: tuple[str, ...] = ()) -> Page:
        allowed.extend(expect)
        args = ["--no-sandbox", "--use-fake-device-for-media-stream", *flags]
        if microphone is not None:
            args += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}"]
        browser = playwright.chromium.launch(executable_path=chromium, args=args)
        browsers.append(browser)
        granted = ["microphone"] if microphone is not None else []
        context = browser.new_context(viewport=SIZES["desk"], permissions=granted)
        context.add_init_script(REPORTS)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        pages.append(page)
        page.goto(url)
        return page

    yield make
    for page in pages:
        complaints += page.evaluate("window.cspReports")
    for browser in browsers:
        browser.close()
    assert complaints == []


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    flags = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with playwright.chromium.launch(executable_path=chromium, args=flags) as running:
        yield running


@pytest.fixture(scope="module")
def files() -> Iterator[Files]:
    running = Files()
    yield running
    running.close()


@pytest.fixture
def stage_page(browser: Browser, files: Files) -> Iterator[tuple[Stage, Page]]:
    context = browser.new_context(viewport=DESK, permissions=["microphone"])
    complaints: list[str] = []
    stage, page = Stage(context, files.url), context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield stage, page
    context.close()
    assert complaints == []


@pytest.fixture
def shoot() -> Callable[[Page, str], None]:
    """Keeps pictures of a screen, light and dark, desk and phone, where OFFHOOK_SHOTS names a folder."""
    folder = os.environ.get("OFFHOOK_SHOTS")

    def take(page: Page, name: str) -> None:
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(150)
                page.screenshot(path=Path(folder) / f"{name}-{size}-{scheme}.png")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(SIZES["desk"])

    return take
