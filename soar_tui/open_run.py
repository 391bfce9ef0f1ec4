"""A run folder that the app reads: its archive, its settings, and what was worked out of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from engine.archive.reader import RunReader
from engine.archive.rows import IterationRow
from engine.config import ConfigError, Settings, load_settings
from engine.control import SETTINGS_NAME

T = TypeVar("T")


class OpenRun:
    """A run folder being read: its reader, its settings, and what questions keep between turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The stamp before the settings: these may be newer than it, never older.
        self._stamp = _stamp(folder / SETTINGS_NAME)
        self.settings: Settings = load_settings(folder / SETTINGS_NAME)
        self.reader = RunReader(folder)
        self._kept: dict[str, tuple[object, object]] = {}

    def close(self) -> None:
        """Let go of the files."""
        self.reader.close()

    def reread_settings(self) -> bool:
        """Read the settings anew if their file has changed; return whether they have.

        While it cannot be read, as an editor may leave it for a moment, the last ones stand.
        """
        path = self.folder / SETTINGS_NAME
        stamp = _stamp(path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            settings = load_settings(path)
        except ConfigError:
            return False
        if settings == self.settings:
            return False
        self.settings = settings
        self._kept.clear()
        return True

    @property
    def planned(self) -> int:
        """Iterations the run is to have, those on tasks to learn from included."""
        return self.settings.planned_iterations

    def task_range(self, row: IterationRow) -> range:
        """Return the indexes of the tasks that an iteration searches."""
        total, training = len(self.reader.tasks()), self.reader.training_tasks()
        if row.phase == "train":
            return range(training)
        return range(training if training < total else 0, total)

    def keep(self, name: str, version: object, make: Callable[[], T]) -> T:
        """Return what was made for this version of something, or make it now."""
        held = self._kept.get(name)
        if held is None or held[0] != version:
            held = self._kept[name] = (version, make())
        # Each name is only ever used with one type.
        value: Any = held[1]
        return value  # type: ignore[no-any-return]  # see above

    def latest(self) -> int:
        """Return the index of the iteration begun last, 0 before the first."""
        rows = self.iterations()
        return rows[-1].index if rows else 0

    def iterations(self) -> list[IterationRow]:
        """Return the iterations begun so far; read once per version of the archive."""
        return self.keep("iterations", self.reader.data_version, self.reader.iterations)


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return status.st_mtime_ns, status.st_size, status.st_ino
