"""The archive: everything a run found, in SQLite; one writer, any number of readers."""
