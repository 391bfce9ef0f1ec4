"""Themes: `themes/*.toml` and the user's own, checked before Textual ever sees them.

A theme file holds `name`, `dark`, a table `[colours]` (Textual's theme colours; `primary` is
required) and a table `[arc]` with the ten grid colours `0` … `9`, which become the variables
`$arc-0` … `$arc-9`. A file that cannot be used is a fault to tell about, never a crash.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_config_path
from textual.color import Color, ColorParseError
from textual.theme import Theme

from engine.arc.grid import COLOURS
from engine.arc.palette import PALETTE
from soar_tui.sanitise import one_line

DEFAULT_THEME = "dark"

THEME_COLOURS = (
    "primary",
    "secondary",
    "accent",
    "background",
    "surface",
    "panel",
    "foreground",
    "success",
    "warning",
    "error",
)
"""The keys `[colours]` may hold."""

ARC_DEFAULTS: dict[str, str] = {f"arc-{cell}": colour for cell, colour in enumerate(PALETTE)}
"""The grid colours of a theme that brings none: what an app's get_theme_variable_defaults is."""

_NAME_LENGTH = 40


class ThemeError(ValueError):
    """A theme that cannot be used; the message names the file, the key and what is allowed."""


@dataclass(frozen=True, slots=True)
class ThemeFault:
    """A theme file that was left out, and one sentence saying why."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Themes:
    """The themes that can be used, in the order found, and the files that cannot."""

    themes: tuple[Theme, ...]
    faults: tuple[ThemeFault, ...]


def theme_folders() -> tuple[Path, Path]:
    """Return the folder of our themes and that of the user's, which may not exist."""
    root = Path(__file__).parents[1]
    packaged = Path(__file__).parent / "_data" / "themes"
    ours = packaged if packaged.is_dir() else root / "themes"
    return ours, user_config_path("soar-tui", appauthor=False) / "themes"


def load_themes(folders: Iterable[Path] | None = None) -> Themes:
    """Read every theme of the folders (theme_folders()); a later one of the same name replaces."""
    themes: dict[str, Theme] = {}
    faults: list[ThemeFault] = []
    for folder in theme_folders() if folders is None else folders:
        for path in _theme_files(folder):
            try:
                theme = read_theme(path)
            except ThemeError as error:
                faults.append(ThemeFault(path, one_line(str(error))))
            else:
                themes[theme.name] = theme
    return Themes(tuple(themes.values()), tuple(faults))


def read_theme(path: Path) -> Theme:
    """Read one theme file. Raises ThemeError naming the file, the key and what is allowed."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThemeError(f"{path.name}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ThemeError(f"{path.name}: not TOML: {error}") from error
    allowed = ("name", "dark", "colours", "arc")
    for key in document:
        if key not in allowed:
            raise ThemeError(f"{path.name}: {key}: no such key; there are {', '.join(allowed)}")
    name, dark = document.get("name"), document.get("dark")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _NAME_LENGTH:
        raise ThemeError(f"{path.name}: name: must be 1 to {_NAME_LENGTH} printable characters")
    if not isinstance(dark, bool):
        raise ThemeError(f"{path.name}: dark: must be true or false")
    colours = _colours(path, document, "colours", THEME_COLOURS, ("primary",))
    cells = tuple(str(cell) for cell in range(COLOURS))
    arc = _colours(path, document, "arc", cells, cells)
    variables = {f"arc-{cell}": colour for cell, colour in arc.items()}
    return Theme(name=name, dark=dark, variables=variables, **_keywords(colours))


def _keywords(colours: dict[str, str]) -> dict[str, Any]:
    # Theme mixes strings and other types in its keywords; the keys are those of THEME_COLOURS.
    return dict(colours)


def _theme_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError:
        # A folder that is not there holds no themes; most users have none of their own.
        return []


def _colours(
    path: Path,
    document: dict[str, Any],
    table: str,
    allowed: tuple[str, ...],
    required: tuple[str, ...],
) -> dict[str, str]:
    colours = document.get(table)
    if not isinstance(colours, dict):
        raise ThemeError(f"{path.name}: [{table}]: this table must be there")
    for key in required:
        if key not in colours:
            raise ThemeError(f"{path.name}: [{table}] {key}: must be there")
    for key, value in colours.items():
        if key not in allowed:
            raise ThemeError(
                f"{path.name}: [{table}] {key}: no such key; there are {', '.join(allowed)}"
            )
        if not _opaque(value):
            raise ThemeError(
                f"{path.name}: [{table}] {key}: {str(value)[:_NAME_LENGTH]!r} is no opaque colour; "
                'write it as "#rrggbb", "rgb(r, g, b)" or a CSS name'
            )
    return colours


def _opaque(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        colour = Color.parse(value)
    except ColorParseError:
        return False
    # Colours are blended, so that one a terminal chooses itself ("ansi_red", "auto") is of no use.
    return colour.a == 1 and colour.ansi is None and not colour.auto
