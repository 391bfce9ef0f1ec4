"""The user's desk: bookmarks, notes, the view of each run and preferences, in the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.archive.catalogue import Catalogue, CatalogueError
from engine.control import catalogue as users_catalogue


class Desk:
    """What the user keeps, read at most once per kind until it is changed here.

    `fault` says why the catalogue cannot be read; then nothing is remembered from earlier.
    """

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self._catalogue = catalogue or users_catalogue()
        self.fault: str | None = None
        try:
            self._preferences = self._catalogue.preferences()
        except CatalogueError as error:
            self.fault = str(error)
            self._preferences = {}

    def preference(self, name: str) -> object:
        """Return a preference, None when it was never set."""
        return self._preferences.get(name)

    def prefer(self, name: str, value: object) -> None:
        """Set a preference. Raises CatalogueError."""
        self._preferences[name] = value
        self._catalogue.set_preference(name, value)

    def view(self, folder: Path) -> Any:
        """Return the view saved for a run, an empty document when there is none."""
        return self._preferences.get(_view_name(folder), {})

    def save_view(self, folder: Path, document: dict[str, Any]) -> None:
        """Save the view of a run. Raises CatalogueError."""
        self.prefer(_view_name(folder), document)

    def opened(self, folder: Path) -> None:
        """Note that a run was opened now; what cannot be noted is a fault to tell about."""
        try:
            self._catalogue.add_run(folder)
        except CatalogueError as error:
            self.fault = str(error)

    def known_runs(self) -> list[Path]:
        """Return the folders of the runs opened from elsewhere and earlier."""
        try:
            return [Path(run.folder) for run in self._catalogue.runs()]
        except CatalogueError as error:
            self.fault = str(error)
            return []

    def bookmarks(self, folder: Path) -> frozenset[int]:
        """Return the bookmarked candidates of a run. Raises CatalogueError."""
        return frozenset(mark.candidate for mark in self._catalogue.bookmarks(folder))

    def bookmark(self, folder: Path, candidate: int, *, on: bool) -> None:
        """Set or take away a bookmark. Raises CatalogueError."""
        self._catalogue.set_bookmark(folder, candidate, on=on)

    def note(self, folder: Path, candidate: int | None) -> str:
        """Return the note on a candidate or a run, "" when there is none. Raises CatalogueError."""
        for note in self._catalogue.notes(folder):
            if note.candidate == candidate:
                return note.text
        return ""

    def write_note(self, folder: Path, candidate: int | None, text: str) -> None:
        """Write a note; an empty text takes it away. Raises CatalogueError."""
        self._catalogue.set_note(folder, candidate, text)


def _view_name(folder: Path) -> str:
    return f"view:{folder.absolute()}"
