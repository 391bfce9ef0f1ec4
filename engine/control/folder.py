"""Run folders: where they live, how they are named, and making a new one."""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from engine.config import Settings, save_settings

if TYPE_CHECKING:
    from engine.archive.catalogue import Catalogue

SETTINGS_NAME = "run.toml"
LOG_NAME = Path("logs") / "engine.log"


class RunFolderError(RuntimeError):
    """A run folder that cannot be made, found or used; the message names it."""


def soar_home() -> Path:
    """Return the folder that holds all runs: $SOAR_HOME, else the user's data folder."""
    named = os.environ.get("SOAR_HOME")
    return Path(named) if named else Path(platformdirs.user_data_dir("soar-tui"))


def catalogue() -> Catalogue:
    """Return the user's catalogue of small documents, runs opened elsewhere among them."""
    from engine.archive.catalogue import Catalogue

    return Catalogue(soar_home() / "catalogue.json")


def create_run(settings: Settings, *, name: str | None = None, day: datetime.date) -> Path:
    """Make a new run folder holding the settings and return its path.

    Without a name it is the day, the task set and the policy, e.g. `2026-11-20-arc1-grammar`,
    numbered when taken. Raises RunFolderError when the name is taken or not a plain name.
    """
    home = soar_home() / "runs"
    if name is not None:
        folder = _named(name)
        if not _make(folder):
            raise RunFolderError(f"{folder}: there is a run of that name already")
    else:
        label = re.sub(r"[^A-Za-z0-9]+", "-", Path(settings.tasks).name).strip("-").lower()
        stem = f"{day.isoformat()}-{label or 'tasks'}-{settings.policy.kind}"
        number = 1
        folder = home / stem
        while not _make(folder):
            number += 1
            folder = home / f"{stem}-{number}"
    (folder / "logs").mkdir()
    save_settings(settings, folder / SETTINGS_NAME)
    return folder


def reserve_run(name: str) -> Path:
    """Make the folder of a run that becomes one when its settings are saved in it.

    One that was reserved before and has no settings yet is found again. Raises RunFolderError when
    the name is taken or not a plain name.
    """
    folder = _named(name)
    if not _make(folder) and (folder / SETTINGS_NAME).exists():
        raise RunFolderError(f"{folder}: there is a run of that name already")
    (folder / "logs").mkdir(exist_ok=True)
    return folder


def _named(name: str) -> Path:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise RunFolderError(f"{name!r} is no run name: letters, digits, '.', '_' and '-'")
    return soar_home() / "runs" / name


def _make(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return False
    except OSError as error:
        raise RunFolderError(f"{folder}: cannot be made: {error.strerror}") from error
    return True


def find_run(name: str) -> Path:
    """Return the run folder a user means: a path, or the name (or a unique beginning) of a run.

    A name is looked for under soar_home() first, then among runs opened elsewhere. `last` is the
    run under soar_home() whose settings were written most recently. Raises RunFolderError, and
    CatalogueError when the list of runs elsewhere cannot be read.
    """
    path = Path(name)
    if (path / SETTINGS_NAME).is_file():
        return path.resolve()
    here = run_folders()
    if name == "last" and here:
        return max(here, key=_written)
    matches = [folder for folder in here if folder.name == name]
    if not matches:
        known = known_runs()
        matches = [folder for folder in known if folder.name == name]
        matches = matches or [folder for folder in known if folder.name.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        many = len({folder.name for folder in matches}) < len(matches)
        names = ", ".join(str(folder) if many else folder.name for folder in matches)
        raise RunFolderError(f"{name!r} could be any of {names}")
    raise RunFolderError(f"no run {name!r} under {soar_home()} and no run folder of that path")


def known_runs() -> list[Path]:
    """Return the run folders under soar_home() and those opened elsewhere that are still there.

    By name; those that cannot be looked into are among them, so that whoever reads them can say
    why. Raises CatalogueError.
    """
    elsewhere = [Path(run.folder) for run in catalogue().runs()]
    there = [folder for folder in elsewhere if may_be_run(folder)]
    distinct = {_resolved(folder): folder for folder in (*there, *run_folders())}
    return sorted(distinct.values(), key=lambda folder: folder.name)


def run_folders() -> list[Path]:
    """Return every run folder under soar_home(), by name; those that cannot be looked into too."""
    try:
        entries = sorted((soar_home() / "runs").iterdir())
    except OSError:
        return []
    return [entry for entry in entries if may_be_run(entry)]


def may_be_run(folder: Path) -> bool:
    """Whether a folder holds a run, or cannot be looked into, as on a disk that is gone."""
    try:
        return (folder / SETTINGS_NAME).is_file()
    except OSError:
        return True


def _written(folder: Path) -> int:
    """Return when a run's settings were written; 0 where that cannot be told."""
    try:
        return (folder / SETTINGS_NAME).stat().st_mtime_ns
    except OSError:
        return 0


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):  # a loop of links is the latter
        return folder.absolute()
