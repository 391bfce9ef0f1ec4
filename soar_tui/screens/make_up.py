"""What a data set is made of, as rows: of learning that was, and of a dry run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.archive.rows import Example, ExampleCount
from engine.figures.numbers import of
from engine.programs.candidate import split_candidate_id
from soar_tui.sanitise import one_line
from soar_tui.screens.rows import Column, Row
from soar_tui.widgets.palette import Role

_ROLES: Final[dict[str, Role]] = {"correct": "good", "hindsight": "primary", "rejected": "muted"}


def label_role(label: str) -> Role:
    """Return the colour role of an example's label; accuracy bins of parents share one."""
    return _ROLES.get(label, "accent")


def make_up(counts: Sequence[ExampleCount]) -> list[Row]:
    """Return a row per kind and label, then the reasons for which candidates are left out."""
    used = [entry for entry in counts if entry.rejected is None]
    rejected = [entry for entry in counts if entry.rejected is not None]
    total = sum(entry.count for entry in counts)

    def row(entry: ExampleCount, kind: str, label: str, role: Role) -> Row:
        told: Role = "text" if entry.rejected is None else "muted"
        cells = ((kind, told), (one_line(label), role), (of(entry.count, total), told))
        return Row((kind, label), cells)

    return [
        *(
            row(entry, entry.kind, entry.label, label_role(entry.label))
            for entry in sorted(used, key=lambda entry: (entry.kind, -entry.count))
        ),
        *(
            row(entry, "left out", entry.rejected or "", "muted")
            for entry in sorted(rejected, key=lambda entry: -entry.count)
        ),
    ]


EXAMPLE_COLUMNS: Final = (
    Column("task", most=32),
    Column("from", "right"),
    Column("as", most=17),
)


def example_row(
    key: int, task: str, candidate: int, label: str, *, rejected: str | None = None
) -> Row:
    """Return an example's row under EXAMPLE_COLUMNS; `task` is named, `candidate` is an id."""
    number = split_candidate_id(candidate)[2]
    role = label_role(label) if rejected is None else "muted"
    return Row(
        key,
        (
            (one_line(task), "text"),
            (f"#{number}", "text"),
            (one_line(label if rejected is None else rejected), role),
        ),
    )


def task_name(example: Example, names: Sequence[str]) -> str:
    """Return the task an archived example is of; one of another run's by run and index."""
    _, task, _ = split_candidate_id(example.candidate)
    if example.run is not None:
        return f"{example.run}/{task}"
    return names[task] if task < len(names) else str(task)
