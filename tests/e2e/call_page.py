"""What a caller does and sees on the call page, as short verbs for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page


def figures(page: Page) -> dict[str, Any]:
    """The page's own counters of the call."""
    return page.evaluate("({...window.offhookCall})")  # type: ignore[no-any-return]


def start(page: Page) -> None:
    page.get_by_role("button", name="Start the call").click()


def wait(page: Page, condition: Callable[[dict[str, Any]], bool], seconds: float = 15) -> dict[str, Any]:
    """The figures once `condition` holds of them."""
    end = time.monotonic() + seconds
    while not condition(seen := figures(page)):
        assert time.monotonic() < end, f"the call is stuck at {seen}; the page says: {said(page)}"
        page.wait_for_timeout(50)
    return seen


def is_up(seen: dict[str, Any]) -> bool:
    return seen["state"] not in {"permission", "connecting", "lost", "over"}


def loudest(page: Page, seconds: float) -> float:
    """The greatest root mean square (0 to 1) that the page's analyser sees in `seconds`."""
    top, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        top = max(top, figures(page)["rms"])
        page.wait_for_timeout(30)
    return top


def said(page: Page, speaker: str = "") -> list[str]:
    """The lines of the transcript as shown, of one speaker ("caller" or "agent") or both."""
    lines = page.locator(f".line.{speaker} .words" if speaker else ".line .words")
    return lines.all_inner_texts()


def sentence(page: Page) -> str:
    return page.locator(".state").inner_text()
