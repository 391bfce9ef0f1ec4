"""Changing one entry of the user's config.toml, with everything else in it left as it is."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from soar_tui.cli.errors import InputError


def note(path: Path, table: str, name: str, value: str) -> bool:
    """Set `name` in `[table]` of a TOML file, made if absent; return whether that changed it.

    Comments, order and all other entries stay. The file is replaced whole. Raises InputError when
    it is not TOML, or written so that a line cannot be put in.
    """
    path = path.resolve()  # a file that is a link into someone's dotfiles stays one
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        before = ""
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from error
    document = _parsed(before, path)
    section = document.get(table, {})
    if isinstance(section, dict) and section.get(name) == value:
        return False
    after = _changed(before, table, name, json.dumps(value, ensure_ascii=False))
    wanted = document | {table: (section if isinstance(section, dict) else {}) | {name: value}}
    if not isinstance(section, dict) or _readable(after) != wanted:
        raise InputError(
            f"{path}: [{table}] is written so that this cannot change it; put in yourself: "
            f"{name} = {json.dumps(value, ensure_ascii=False)}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(after, encoding="utf-8")
    unfinished.replace(path)
    return True


def _changed(text: str, table: str, name: str, value: str) -> str:
    """Return the text with `name = value` as a line of `[table]`."""
    lines = text.splitlines(keepends=True)
    line = f"{name} = {value}\n"
    header = re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]\s*(#.*)?$")
    start = next((at for at, had in enumerate(lines) if header.match(had)), None)
    if start is None:
        gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{gap}[{table}]\n{line}"
    end = start + 1
    while end < len(lines) and not lines[end].lstrip().startswith("["):
        if re.match(rf"\s*(\"{re.escape(name)}\"|{re.escape(name)})\s*=", lines[end]):
            return "".join([*lines[:end], line, *lines[end + 1 :]])
        end += 1
    if not lines[start].endswith("\n"):
        lines[start] += "\n"
    return "".join([*lines[: start + 1], line, *lines[start + 1 :]])


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from error


def _readable(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
