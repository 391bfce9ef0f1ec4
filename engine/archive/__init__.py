"""The archive: everything a run found, in SQLite; one writer, any number of readers."""

from engine.archive.schema import ArchiveError

__all__ = ["ArchiveError"]
