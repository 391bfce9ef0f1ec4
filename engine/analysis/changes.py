"""What changed in the settings: of runs and of settings files, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.config import Settings, load_settings


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting in which the sides differ."""

    field: str
    """Its dotted name."""
    values: tuple[str | None, ...]
    """Per side, its value written as JSON; None where it is not set."""


@dataclass(frozen=True, slots=True)
class NamedSettings:
    """The settings of a run or of a settings file, and what a table calls it."""

    name: str
    settings: Settings


def setting_changes(settings: Sequence[Settings | None]) -> tuple[SettingChange, ...]:
    """Return the settings in which some differ, by dotted name; unknown settings count as unset."""
    flat = [_flat("", {} if one is None else msgspec.to_builtins(one)) for one in settings]
    names = dict.fromkeys(name for one in flat for name in one)
    found = []
    for name in names:
        values = tuple(one.get(name) for one in flat)
        if len(set(values)) > 1:
            found.append(SettingChange(name, values))
    return tuple(found)


def read_settings_files(paths: Sequence[Path]) -> list[NamedSettings]:
    """Read settings files, each under what a table calls it. Raises ConfigError."""
    names = file_names(paths)
    return [
        NamedSettings(name, load_settings(path)) for name, path in zip(names, paths, strict=True)
    ]


def file_names(paths: Sequence[Path]) -> list[str]:
    """Return what a table calls files: their names, with as many folders as tell them apart."""
    return [_told_apart(path, paths) for path in paths]


def _told_apart(path: Path, paths: Sequence[Path]) -> str:
    others = [other.parts for other in paths if other != path]
    for length in range(1, len(path.parts)):
        end = path.parts[-length:]
        if all(other[-length:] != end for other in others):
            return str(Path(*end))
    return str(path)


def _flat(prefix: str, document: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(f"{prefix}{name}.", value)
        elif value is not None:
            found[prefix + name] = msgspec.json.encode(value).decode()
    return found
