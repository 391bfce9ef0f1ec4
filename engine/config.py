"""A run's settings: every budget and threshold of the method by name, presets, TOML in and out.

Defaults are the preset `paper` (SOAR.md §2-6). A settings file that cannot be used is refused
with the file, the field and what is allowed.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0)]
Level: TypeAlias = Literal["strong", "reduced", "weak"]
Bandit: TypeAlias = Literal["rex", "uniform", "greedy", "thompson-no-discount"]
Formula: TypeAlias = Literal["sum", "text", "appendix"]


class ConfigError(ValueError):
    """Settings that cannot be used; the message names the file, the field and what is allowed."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all sections share: frozen, by keyword, unknown fields refused."""


class PolicyConfig(_Section, frozen=True):
    """Which policy writes programs, and from which checkpoint (none: untrained)."""

    kind: Literal["grammar"] = "grammar"
    checkpoint: str | None = None
    workers: Count = 0
    """Processes of the embedded policy; 0 means one per core."""


class SearchConfig(_Section, frozen=True):
    """How one task is searched (SOAR §2, §5)."""

    samples: Count = 3000
    wave: Positive = 50
    refinements: Count = 3000
    pull: Positive = 4
    perfect_stop: Positive = 100
    bandit: Bandit = "rex"
    c: Annotated[float, Meta(gt=0)] = 20.0
    islands: Positive = 1
    in_flight: Positive = 4
    """Pulls of one task under way at once; pull k sees what pulls up to k - in_flight showed."""


class VoteConfig(_Section, frozen=True):
    """How submissions are chosen (SOAR §6)."""

    formula: Formula = "sum"
    c: Annotated[float, Meta(ge=0)] = 1000.0


class SandboxConfig(_Section, frozen=True):
    """What a program may use (SOAR §4)."""

    workers: Count = 0
    """Zygotes; 0 means one per core."""
    fast_cpu: Seconds = 0.1
    """CPU seconds in the first lane; what needs longer is tried again in the slow lane."""
    cpu: Seconds = 2.0
    """CPU seconds per grid in the slow lane."""
    wall: Seconds = 10.0
    memory_mb: Positive = 1024
    minimum: Level = "reduced"


class Settings(_Section, frozen=True):
    """All settings of a run, as `run.toml` holds them."""

    tasks: str = "sample"
    seed: Count = 0
    iterations: Positive = 1
    tasks_in_flight: Positive = 64
    policy: PolicyConfig = msgspec.field(default_factory=PolicyConfig)
    search: SearchConfig = msgspec.field(default_factory=SearchConfig)
    vote: VoteConfig = msgspec.field(default_factory=VoteConfig)
    sandbox: SandboxConfig = msgspec.field(default_factory=SandboxConfig)


PRESETS: dict[str, Settings] = {
    "paper": Settings(),
    "cpu": Settings(
        tasks_in_flight=8,
        search=SearchConfig(samples=200, wave=50, refinements=200, in_flight=2),
    ),
    "demo": Settings(
        tasks_in_flight=8,
        search=SearchConfig(samples=200, wave=50, refinements=200, in_flight=2),
    ),
}


def preset(name: str) -> Settings:
    """Return a preset's settings. Raises ConfigError naming the presets there are."""
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def load_settings(path: Path) -> Settings:
    """Read settings from a TOML file; fields left out keep their defaults.

    Raises ConfigError naming the file, the field and what is allowed.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    return _settings(document, str(path))


def override(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Return the settings with dotted fields replaced, e.g. {"search.samples": 100}.

    Raises ConfigError naming the field and what is allowed.
    """
    document = msgspec.to_builtins(settings)
    for name, value in changes.items():
        *sections, last = name.split(".")
        place = document
        for section in sections:
            place = place.get(section)
            if not isinstance(place, dict):
                raise ConfigError(f"{name}: no section {section!r}")
        place[last] = value
    return _settings(document, "settings")


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings as TOML, whole or not at all (fields that are None are left out)."""
    import tomli_w

    document = _without_none(msgspec.to_builtins(settings))
    unfinished = path.with_name(path.name + ".new")
    with unfinished.open("wb") as file:
        tomli_w.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _settings(document: dict[str, Any], source: str) -> Settings:
    try:
        return msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {_readable(str(error))}") from error


def _readable(message: str) -> str:
    text, _, place = message.partition(" - at `$.")
    return f"{place.rstrip('`')}: {text}" if place else text


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in document.items()
        if value is not None
    }
