"""What the commands print that write files or take them in: export and import."""

from __future__ import annotations

from soar_tui.cli.documents import Document


class ExportDocument(Document, frozen=True):
    """What `export submission` prints; `placeholders` are tasks that have no pattern."""

    run: str
    path: str
    tasks: int
    test_inputs: int
    placeholders: list[str]


class FileDocument(Document, frozen=True):
    """A file written; `rows` is null where it holds none."""

    path: str
    rows: int | None
    bytes: int


class CountDocument(Document, frozen=True):
    """How many there are of one kind or for one reason."""

    what: str
    count: int


class WrittenDocument(Document, frozen=True):
    """What the other `export` commands print; `left_out` says what is not in it and why.

    An earlier export of that name had been cut off where it was `begun_anew`, or gone on with:
    `kept_rows` were there already.
    """

    run: str
    path: str
    source: str
    rows: int
    files: list[FileDocument]
    left_out: list[CountDocument]
    seconds: float
    begun_anew: bool
    kept_rows: int


class RefusedDocument(Document, frozen=True):
    """Rows that were not taken in, for one reason; `first` is the number of the first of them."""

    reason: str
    count: int
    first: int


class ImportDocument(Document, frozen=True):
    """What `import` prints.

    `claims` are rows that say what they got right, `denied` those that running did not bear out.
    """

    run: str
    folder: str
    rows: int
    programs: int
    run_now: int
    tasks: int
    perfect: int
    solved: int | None
    known: int
    claims: int
    denied: int
    refused: list[RefusedDocument]
    seconds: float
