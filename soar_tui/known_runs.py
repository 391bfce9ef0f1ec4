"""The runs this user knows: those under the folder of runs, and those made or opened elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.archive.catalogue import Catalogue


def known_runs() -> list[Path]:
    """Return the known run folders that are still there, by name. Raises CatalogueError."""
    from engine.control import SETTINGS_NAME, run_folders

    elsewhere = [Path(run.folder) for run in catalogue().runs()]
    there = [folder for folder in elsewhere if (folder / SETTINGS_NAME).is_file()]
    distinct = {folder.resolve(): folder for folder in (*there, *run_folders())}
    return sorted(distinct.values(), key=lambda folder: folder.name)


def remember(folder: Path) -> None:
    """Note in the user's catalogue that a run was made or opened now. Raises CatalogueError."""
    catalogue().add_run(folder)


def catalogue() -> Catalogue:
    """Return the user's catalogue of small documents."""
    from engine.archive.catalogue import Catalogue
    from engine.control import CATALOGUE_NAME, soar_home

    return Catalogue(soar_home() / CATALOGUE_NAME)
