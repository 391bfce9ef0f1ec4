"""The environments that serve and tune models: what is in each, and which interpreter has it.

`soar-tui setup` builds them and notes their interpreters in the user's configuration, the table
`[environments]` of config.toml. A run whose settings name no interpreter takes these.
"""

from __future__ import annotations

import platform
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from engine.config import ConfigError, PolicyConfig, TrainConfig

TABLE = "environments"
"""The table of config.toml that holds interpreters by the environment's name."""

OVERRIDES = Path(__file__).with_name("overrides.txt")
"""For uv: what a package's own requirements are overruled by."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A set of packages with an interpreter of its own.

    `requirements` are those of the extra of the same name in pyproject.toml; `imports` must be
    importable once it is built; `shown` are the packages whose versions matter; `bytes` is about
    what it takes on disk; `glibc` is the oldest C library its wheels run with.
    """

    name: str
    about: str
    requirements: tuple[str, ...]
    imports: tuple[str, ...]
    shown: tuple[str, ...]
    bytes: int
    linux_x86_64: bool = False
    glibc: tuple[int, int] | None = None

    def unfit(self) -> str | None:
        """Return why its packages cannot run on this machine, or None."""
        machine = (platform.system(), platform.machine())
        if self.linux_x86_64 and machine != ("Linux", "x86_64"):
            return f"its packages are for Linux on x86_64, this is {machine[0]} on {machine[1]}"
        found = glibc()
        if self.glibc is not None and found is not None and found < self.glibc:
            wanted, here = (".".join(map(str, version)) for version in (self.glibc, found))
            return f"its packages need glibc {wanted} or newer, this system has {here}"
        return None


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment(
            "serve",
            "sglang, which serves a model on GPUs",
            ("sglang==0.5.23",),
            ("sglang", "torch", "transformers"),
            ("sglang", "torch", "transformers"),
            9_500_000_000,
            linux_x86_64=True,
            glibc=(2, 34),
        ),
        Environment(
            "train",
            "unsloth, which tunes a model on a GPU",
            ("unsloth==2026.10.9",),
            ("unsloth", "transformers", "trl", "peft", "torch"),
            ("unsloth", "torch", "transformers", "trl", "peft"),
            7_000_000_000,
            linux_x86_64=True,
        ),
        Environment(
            "train-hf",
            "transformers with peft and trl, which tune a small model on a CPU",
            (
                "accelerate==1.15.0",
                "datasets==5.2.0",
                "gguf==0.19.0",
                "peft==0.21.2",
                "torch==2.13.0",
                "transformers==5.23.0",
                "trl==1.16.0",
            ),
            ("transformers", "trl", "peft", "torch", "datasets", "gguf"),
            ("torch", "transformers", "trl", "peft"),
            1_600_000_000,
        ),
        Environment(
            "local",
            "xllamacpp, which serves a GGUF file on a CPU",
            ("xllamacpp>=2026.10",),
            ("xllamacpp",),
            ("xllamacpp",),
            400_000_000,
        ),
    )
}


def glibc() -> tuple[int, int] | None:
    """Return the version of the C library, None where it is not glibc."""
    name, version = platform.libc_ver()
    parts = version.split(".")
    if name != "glibc" or len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):
        return None
    return int(parts[0]), int(parts[1])


def config_path() -> Path:
    """Return the file of the user's configuration."""
    return platformdirs.user_config_path("soar-tui", appauthor=False) / "config.toml"


def noted_interpreters() -> dict[str, str]:
    """Return the interpreters noted in the user's configuration, by the environment's name.

    Raises ConfigError naming the file when it cannot be read, or what is noted is no text.
    """
    path = config_path()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    table = document.get(TABLE, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {TABLE}: must be a table of interpreters by environment")
    for name, python in table.items():
        if name not in ENVIRONMENTS or not isinstance(python, str) or not python:
            raise ConfigError(
                f"{path}: [{TABLE}] {name}: must be the path of an interpreter, for one of "
                f"{', '.join(ENVIRONMENTS)}"
            )
    return table


def serving_python(policy: PolicyConfig, named: str | None) -> str:
    """Return the interpreter that serves a run's model: as named in its settings, else as noted.

    With neither it is the engine's own. Raises ConfigError as `noted_interpreters`.
    """
    return named or _noted("local" if policy.kind == "local" else "serve")


def training_python(train: TrainConfig) -> str:
    """Return the interpreter that tunes a run's model, found as `serving_python` does."""
    return train.python or _noted(training_environment(train))


def training_environment(train: TrainConfig) -> str:
    """Return the name of the environment that has a run's trainer."""
    return "train" if train.trainer == "unsloth" else "train-hf"


def _noted(name: str) -> str:
    return noted_interpreters().get(name, sys.executable)
