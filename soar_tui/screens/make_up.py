"""What a data set is made of, as rows: of learning that was, and of a dry run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.archive.rows import ExampleCount
from soar_tui.numbers import of
from soar_tui.sanitise import one_line
from soar_tui.screens.rows import Row
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
