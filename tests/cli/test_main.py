"""The command itself: exit codes, one line for what is wrong, and what each verb prints."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from offhook.cli import checks, house_checks
from offhook.cli.checks import Check, Mark
from offhook.cli.main import app, main
from offhook.cli.provider_checks import check_providers
from offhook.cli.serve import _address_error
from offhook.settings import Settings
from offhook.speech.models import MODELS
from offhook.storage.sql import SqlStore


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["offhook", *arguments])
    with pytest.raises(SystemExit) as raised:
        main()
    return int(raised.value.code or 0)


def test_the_command_starts_quickly_and_imports_little() -> None:
    program = "import sys; import offhook.cli.main; print('numpy' in sys.modules, 'pydantic' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20
    )
    assert ran.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_version(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, *arguments) == 0
    assert capsys.readouterr().out.startswith("offhook 0.")


def test_wrong_settings_stop_the_start_with_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFFHOOK_PROT", "1")
    assert _run(monkeypatch, "serve") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "offhook: OFFHOOK_PROT (environment) is no setting; did you mean OFFHOOK_PORT?\n"


def test_a_wrong_flag_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(monkeypatch, "serve", "--engine", "x") == 2
    assert 'engine (command line) = "x" is not allowed: one of cascade' in capsys.readouterr().err


def test_a_refused_call_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "call", "ws://127.0.0.1:1/media/twilio") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_files_that_cannot_be_written_are_refused_before_the_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing" / "call.json"
    assert _run(monkeypatch, "call", "ws://127.0.0.1:1/x", "--json", str(path)) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_an_unknown_model_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "models", "pull", "nonesuch") == 1
    assert "nonesuch" in capsys.readouterr().err


def test_models_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(monkeypatch, "models", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("moonshine-tiny-en") for line in lines)
    assert len(lines) == 1 + len(MODELS)  # a command that is to be copied stays on its line


def test_the_help_says_what_the_defaults_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert _run(monkeypatch, "serve", "--help") == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    for default in ("(127.0.0.1)", "(8080)", "(./data)", "(info)"):
        assert default in text


def test_every_verb_has_help() -> None:
    assert {command.callback.__name__ for command in app.registered_commands if command.callback} == {
        "serve", "call", "doctor", "route", "version",
    }  # fmt: skip


def test_a_taken_port_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError) as raised:
        socket.create_server(taken.getsockname()[:2])
    error = _address_error(raised.value, "127.0.0.1", 80)
    assert str(error) == "port 80 on 127.0.0.1 is taken; choose another with --port"


class TestDoctor:
    def test_json_and_exit_code(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (tmp_path / "offhook.toml").write_text(f'engine = "scripted"\nport = {port}\n')
        assert _run(monkeypatch, "doctor", "--json") == 0
        found = {check["name"]: check["mark"] for check in json.loads(capsys.readouterr().out)}
        assert found["settings"] == found["data"] == found["port"] == "✓"
        (tmp_path / "offhook.toml").write_text("prot = 1")
        assert _run(monkeypatch, "doctor") == 1
        assert "✗ settings: prot (offhook.toml) is no setting; did you mean port?" in capsys.readouterr().out

    def test_a_port_taken_by_something_else(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            taken.listen()
            settings = Settings(port=taken.getsockname()[1])
            taken.settimeout(0)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(checks, "_WAIT", 0.1)
                (check,) = checks.check_port(settings)
        assert (check.mark, check.advice) == (Mark.WRONG, "choose another: --port, --host")

    @pytest.mark.parametrize(
        ("twilio", "mark"),
        [
            ({}, Mark.NOTE),
            ({"account_sid": "AC" + "0a" * 16, "auth_token": "0b" * 16}, Mark.GOOD),
            ({"account_sid": "AC1", "auth_token": "0b" * 16}, Mark.WRONG),
            ({"account_sid": "AC" + "0a" * 16, "auth_token": "canary"}, Mark.WRONG),
        ],
    )
    def test_the_vendors_keys_are_checked_by_shape_and_never_shown(
        self, twilio: dict[str, str], mark: Mark
    ) -> None:
        (check,) = checks.check_twilio(Settings.model_validate({"twilio": twilio}))
        assert check.mark is mark
        assert "canary" not in repr(check)
        assert "0b0b" not in repr(check)

    @pytest.mark.parametrize(
        ("url", "mark"),
        [("", Mark.NOTE), ("http://calls.example", Mark.WRONG), ("https://127.0.0.1:1", Mark.WRONG)],
    )
    def test_the_public_url(self, url: str, mark: Mark) -> None:
        (check,) = checks.check_public_url(Settings(public_url=url))
        assert check.mark is mark

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        (check,) = checks.check_data(Settings(data=tmp_path / "file" / "below"))
        assert check.mark is Mark.WRONG

    @pytest.mark.parametrize(
        ("given", "marks"),
        [
            ({}, []),
            ({"url": "wss://x.example"}, [Mark.NOTE]),
            ({"url": "wss://x.example", "api_key": "k", "api_secret": "canary"}, [Mark.GOOD]),
        ],
    )
    def test_livekit(self, given: dict[str, str], marks: list[Mark]) -> None:
        found = list(checks.check_livekit(Settings.model_validate({"livekit": given})))
        assert [check.mark for check in found] == marks
        assert "canary" not in repr(found)

    def test_online_a_livekit_server_that_is_not_there_is_told(self) -> None:
        with socket.socket() as taken:  # bound, and nobody listens
            taken.bind(("127.0.0.1", 0))
            url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
            given = {"url": url, "api_key": "k", "api_secret": "canary"}
            settings = Settings.model_validate({"livekit": given})
            (check,) = checks.check_livekit(settings, online=True)
        assert (check.mark, check.advice) == (Mark.WRONG, "start the LiveKit server, or correct livekit.url")

    def test_a_vendor_needs_its_key(self) -> None:
        (check,) = check_providers(Settings.model_validate({"speech": {"llm": "openai"}}))
        assert (check.name, check.mark) == ("speech.llm", Mark.WRONG)
        local = {"llm": "openai", "llm_url": "http://127.0.0.1:9000/v1"}
        (check,) = check_providers(Settings.model_validate({"speech": local}))
        assert (check.mark, check.finding) == (
            Mark.GOOD,
            "openai at 127.0.0.1:9000 (not called; --online does)",
        )

    def test_online_a_vendor_is_called(self) -> None:
        class Vendor(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_known = self.headers["Authorization"] == "Bearer right-key"
                self.send_response(200 if is_known else 401)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        def found(key: str, port: int) -> tuple[Mark, str]:
            speech = {"llm": "openai", "llm_url": f"http://127.0.0.1:{port}/v1", "llm_key": key}
            (check,) = check_providers(Settings.model_validate({"speech": speech}), online=True)
            return check.mark, check.finding

        with HTTPServer(("127.0.0.1", 0), Vendor) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
            mark, finding = found("right-key", server.server_port)
            assert (mark, "is well, in" in finding) == (Mark.GOOD, True)
            mark, finding = found("wrong-key", server.server_port)
            assert (mark, finding.rpartition(": ")[2]) == (Mark.WRONG, "refused the key")
            server.shutdown()
        mark, finding = found("right-key", server.server_port)
        assert (mark, finding.rpartition(": ")[2]) == (Mark.WRONG, "cannot be reached")

    def test_so_does_a_fallback(self) -> None:
        settings = Settings.model_validate({"speech": {"llm_fallback": "openai"}})
        (check,) = check_providers(settings)
        assert (check.name, check.mark) == ("speech.llm_fallback", Mark.WRONG)
        assert "OPENAI_API_KEY" in check.advice

    def test_every_place_of_an_order_is_looked_at(self) -> None:
        speech = {"tts": ["hibari", "cartesia"], "languages": {"ar": {"stt": "whisper"}}}
        found = list(check_providers(Settings.model_validate({"speech": speech})))
        assert [(check.name, check.mark) for check in found] == [
            ("speech.languages.ar.stt", Mark.WRONG),
            ("speech.tts", Mark.WRONG),
        ]

    def test_an_agent_that_its_providers_cannot_serve_is_named(self) -> None:
        speech = {"stt": "scripted", "tts": "scripted", "llm": "scripted", "turn": "silence"}
        agents = {"good": {}, "mute": {"voice": "nobody"}}
        settings = Settings.model_validate({"speech": speech, "agents": agents, "default_agent": "good"})
        (check,) = house_checks.check_agents(settings)
        assert (check.name, check.mark) == ("agents.mute", Mark.WRONG)
        assert "has no voice 'nobody'" in check.finding
        settings = Settings.model_validate({"speech": speech, "agents": {"good": {}}})
        (check,) = house_checks.check_agents(settings)
        assert check.mark is Mark.GOOD

    def test_a_database_is_read_and_left_as_it_is(self, tmp_path: Path) -> None:
        settings = Settings(data=tmp_path)
        path = tmp_path / "offhook.db"
        assert [c.mark for c in house_checks.check_database(settings)] == [Mark.GOOD]
        assert not path.exists()
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE calls (words TEXT)")
        connection.execute("INSERT INTO calls VALUES (?)", ("x" * 20_000,))
        connection.commit()
        connection.close()
        (check,) = house_checks.check_database(settings)
        assert (check.mark, check.finding) == (Mark.GOOD, f"{path} is whole")
        assert [each.name for each in tmp_path.iterdir()] == ["offhook.db"]

    @pytest.mark.parametrize("at", [0, 4096])
    def test_a_damaged_database_is_found(self, tmp_path: Path, at: int) -> None:
        self.test_a_database_is_read_and_left_as_it_is(tmp_path)
        with (tmp_path / "offhook.db").open("r+b") as file:
            file.seek(at)
            file.write(b"\xa5" * 500)
        (check,) = house_checks.check_database(Settings(data=tmp_path))
        assert check.mark is Mark.WRONG
        assert "backup" in check.advice

    async def test_a_database_in_use_is_not_disturbed(self, tmp_path: Path) -> None:
        store = SqlStore(f"sqlite:///{tmp_path / 'offhook.db'}")
        try:
            assert [c.mark for c in house_checks.check_database(Settings(data=tmp_path))] == [Mark.GOOD]
        finally:
            await store.close()

    @pytest.mark.parametrize(
        ("given", "mark"),
        [
            ({}, Mark.GOOD),
            ({"public_url": "https://calls.example"}, Mark.WRONG),
            ({"public_url": "https://calls.example", "api_key": "k" * 16}, Mark.GOOD),
        ],
    )
    def test_a_public_server_needs_a_key(self, given: dict[str, str], mark: Mark) -> None:
        (check,) = checks.check_api_key(Settings.model_validate(given))
        assert check.mark is mark
        assert "kkkk" not in repr(check)

    @pytest.mark.parametrize(("body", "mark"), [(b"welcome", Mark.WRONG), (b'{"status":"ok"}', Mark.GOOD)])
    def test_another_web_server_on_the_port_is_not_taken_for_offhook(self, body: bytes, mark: Mark) -> None:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Page) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            (check,) = checks.check_port(Settings(port=server.server_port))
            server.shutdown()
            thread.join()
        assert check.mark is mark

    def test_the_sound_card_is_needed_only_where_it_is_asked_for(self) -> None:
        assert [c.mark for c in checks.check_sound(Settings())] == [Mark.GOOD]
        found: list[Check] = list(checks.check_sound(Settings(use_websocket_audio=False)))
        assert len(found) == 1
