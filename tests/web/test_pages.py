"""The console's pages and files, and the metrics page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from offhook.foundation.events import (
    CallEnded,
    CallEvent,
    CallStarted,
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    Interrupted,
    NoInput,
    ProviderFailed,
    TurnTimed,
)
from offhook.speech.breaker import Health, State
from offhook.web import faults
from offhook.web.metrics import Gauges, Metrics, metric_routes
from offhook.web.pages import page_routes
from offhook.web.provider_routes import provider_routes


def client(*routers: Any) -> httpx.AsyncClient:
    app = FastAPI()
    faults.install(app)
    for router in routers:
        app.include_router(router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.fixture
def console(tmp_path: Path) -> Path:
    root = tmp_path / "console"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>console</title>")
    (root / "assets" / "main-abc123.js").write_text("1")
    (root / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret.txt")
    return root


async def test_the_console_is_served_for_all_of_its_paths(console: Path) -> None:
    async with client(page_routes(console)) as http:
        for path in ("/", "/call", "/calls/call_x"):
            page = await http.get(path)
            assert page.status_code == 200
            assert "<title>console</title>" in page.text
            assert page.headers["cache-control"] == "no-cache"
        script = await http.get("/static/console/assets/main-abc123.js")
        assert script.headers["content-type"].startswith("text/javascript")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        icon = await http.head("/static/console/icon.svg")
        assert icon.headers["content-type"] == "image/svg+xml"
        assert icon.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "link",
        "assets",
        "",
        "none.js",
        "a%00b",
        "..%5csecret.txt",
        "x" * 5000,
    ],
)
async def test_nothing_outside_of_the_console_is_served(console: Path, path: str) -> None:
    async with client(page_routes(console)) as http:
        assert (await http.get(f"/static/console/{path}")).status_code == 404


async def test_a_console_that_is_not_built_says_how(tmp_path: Path) -> None:
    async with client(page_routes(tmp_path / "nothing")) as http:
        page = await http.get("/call")
    assert page.status_code == 503
    assert "make console" in page.text


def entry(event: CallEvent) -> Entry:
    return Entry("call_x", 1, 0, event)


async def test_metrics_count_what_happened() -> None:
    metrics = Metrics(
        Gauges(
            live=lambda: {"phone": 2},
            store_pending=lambda: 7,
            frames=lambda: (100, 90),
            refused=lambda: {"capacity": 1},
            lateness=lambda: ((0.001, 0.01), (5, 3, 2), 0.25),
        )
    )
    for event in (
        CallStarted(Direction.INBOUND, ChannelKind.PHONE, "default"),
        CallStarted(Direction.INBOUND, ChannelKind.BROWSER, "default"),
        CallEnded(EndReason.CALLER_HUNG_UP),
        TurnTimed(1, 0, 300, 350, 360, 450),
        TurnTimed(2, 0, 300, 350, 360, 9_000),
        Interrupted(1, 5),
        ProviderFailed("openai", "no answer"),
        NoInput(1),
    ):
        metrics.observe(entry(event))
    metrics.measured([480, 700])
    async with client(metric_routes(metrics)) as http:
        text = (await http.get("/metrics")).text
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["offhook_calls_live", "phone"] == 2
    assert found["offhook_calls_started_total", "phone"] == 1
    assert found["offhook_calls_ended_total", "caller_hung_up"] == 1
    assert found["offhook_interruptions_total",] == 1
    assert found["offhook_provider_errors_total", "openai"] == 1
    assert found["offhook_store_pending",] == 7
    assert found["offhook_media_frames_total", "in"] == 100
    assert found["offhook_calls_refused_total", "capacity"] == 1
    assert found["offhook_turn_first_audio_seconds_bucket", "0.5"] == 1
    assert found["offhook_turn_first_audio_seconds_bucket", "5.0"] == 1
    assert found["offhook_turn_first_audio_seconds_bucket", "+Inf"] == 2
    assert found["offhook_turn_first_audio_seconds_count",] == 2
    assert found["offhook_turn_first_audio_seconds_sum",] == pytest.approx(9.45)
    assert found["offhook_turn_response_seconds_bucket", "0.5"] == 1
    assert found["offhook_clock_lateness_seconds_bucket", "0.01"] == 8
    assert found["offhook_clock_lateness_seconds_count",] == 10


HEALTH = (
    Health("tts", "elevenlabs", State.REFUSED, 4, 0, "elevenlabs: refused the key"),
    Health("tts", "hibari", State.UP, 0, 9),
)


async def test_metrics_show_each_providers_state() -> None:
    async with client(metric_routes(Metrics(Gauges(providers=lambda: HEALTH)))) as http:
        text = (await http.get("/metrics")).text
    assert 'offhook_provider_state{kind="tts",provider="elevenlabs",state="refused"} 1.0' in text
    assert 'offhook_provider_state{kind="tts",provider="elevenlabs",state="up"} 0.0' in text
    assert 'offhook_provider_failures_total{kind="tts",provider="elevenlabs"} 4.0' in text
    assert 'offhook_provider_rescues_total{kind="tts",provider="hibari"} 9.0' in text


async def test_providers_by_the_api() -> None:
    async def health() -> tuple[Health, ...]:
        return HEALTH

    async with client(provider_routes(health)) as http:
        found = (await http.get("/api/providers")).json()
    assert [(one["provider"], one["state"]) for one in found["providers"]] == [
        ("elevenlabs", "refused"),
        ("hibari", "up"),
    ]
    assert found["providers"][0]["reason"] == "elevenlabs: refused the key"


async def test_metrics_before_the_first_call() -> None:
    async with client(metric_routes(Metrics())) as http:
        text = (await http.get("/metrics")).text
    assert "offhook_turn_first_audio_seconds_count 0.0" in text
    assert "clock_lateness" not in text
