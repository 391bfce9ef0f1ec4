"""The runs this user knows: those under the folder of runs, and those made or opened elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.archive.catalogue import Catalogue


def known_runs() -> list[Path]:
    """Return the known run folders that are still there, by name. Raises CatalogueError.

    Those that cannot be looked into are among them, so that whoever reads them can say why.
    """
    elsewhere = [Path(run.folder) for run in catalogue().runs()]
    there = [folder for folder in elsewhere if may_be_run(folder)]
    distinct = {_resolved(folder): folder for folder in (*there, *runs_here())}
    return sorted(distinct.values(), key=lambda folder: folder.name)


def runs_here() -> list[Path]:
    """Return the run folders under the folder of runs, those that cannot be looked into too."""
    from engine.control import soar_home

    try:
        entries = sorted((soar_home() / "runs").iterdir())
    except OSError:
        return []
    return [entry for entry in entries if may_be_run(entry)]


def may_be_run(folder: Path) -> bool:
    """Whether a folder holds a run, or cannot be looked into, as on a disk that is gone."""
    from engine.control import SETTINGS_NAME

    try:
        return (folder / SETTINGS_NAME).is_file()
    except OSError:
        return True


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):  # a loop of links is the latter
        return folder.absolute()


def remember(folder: Path) -> None:
    """Note in the user's catalogue that a run was made or opened now. Raises CatalogueError."""
    catalogue().add_run(folder)


def catalogue() -> Catalogue:
    """Return the user's catalogue of small documents."""
    from engine.archive.catalogue import Catalogue
    from engine.control import CATALOGUE_NAME, soar_home

    return Catalogue(soar_home() / CATALOGUE_NAME)
