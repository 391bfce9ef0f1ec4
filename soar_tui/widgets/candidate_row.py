"""One candidate as a line of a list."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from textual.strip import Strip

from engine.archive.rows import CandidateRow
from engine.figures.numbers import short
from engine.programs.candidate import split_candidate_id
from soar_tui.sanitise import one_line
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.strips import Part, fit, left, right

_FIXED: Final = 54
_TASK: Final = 12
_CHARS: Final = 6
_TOKENS: Final = 7


@dataclass(frozen=True, slots=True)
class RowContext:
    """What rows are shown with: per task index its id and number of demonstrations; bookmarks.

    With one task shown, `tasks` is empty and the column is left out.
    """

    pairs: Mapping[int, int] = field(default_factory=dict)
    tasks: Mapping[int, str] = field(default_factory=dict)
    bookmarks: AbstractSet[int] = frozenset()


def draw_candidate(row: CandidateRow, width: int, context: RowContext, palette: Palette) -> Strip:
    """Draw one candidate as a line; its length and tokens only where there is room for them."""
    word, role = outcome(row)
    chars, tokens = _room(width, context)
    pairs = context.pairs.get(row.task)
    plain, muted = palette.ink("text"), palette.ink("muted")
    parts: list[Part] = [
        ("★" if row.id in context.bookmarks else " ", palette.ink("accent")),
        (right(f"#{row.number}", 7), plain),
    ]
    if context.tasks:
        parts.append((f"  {left(one_line(context.tasks.get(row.task, '?')), 10)}", muted))
    parts += [
        (right(f"{row.iteration + 1}", 5), muted),
        ("  sample" if row.operator == "sample" else "  refine", muted),
        (right("" if row.parent is None else f"#{split_candidate_id(row.parent)[2]}", 8), muted),
        (right(_fraction(row.accuracy, pairs), 7), palette.ink(role)),
        (f"  {left(word, 14)}", palette.ink(role)),
        (f"{_truth(row.right)} ", palette.ink(_TRUTH_ROLES[row.right], bold=True)),
        (right("–" if row.length is None else short(row.length), chars), muted),
        (right(short(row.tokens_out) if row.tokens_out else "", tokens), muted),
    ]
    return fit(parts, width)


def _room(width: int, context: RowContext) -> tuple[int, int]:
    """Return how many cells the columns of length and tokens have."""
    left_over = width - _FIXED - (_TASK if context.tasks else 0)
    return (_CHARS if left_over >= _CHARS else 0, _TOKENS if left_over >= _CHARS + _TOKENS else 0)


def outcome(row: CandidateRow) -> tuple[str, Role]:
    """Return in a word what became of a candidate, and its role."""
    if row.length is None:
        return ("aborted" if row.finish == "abort" else "no program"), "warn"
    if row.runs is False:
        return "error", "bad"
    if row.filter is not None:
        return row.filter, "warn"
    if row.accuracy is not None and row.accuracy >= 1:
        return "fits", "good"
    return ("partly" if row.accuracy else "none right"), ("text" if row.accuracy else "muted")


_TRUTH_ROLES: dict[bool | None, Role] = {True: "good", False: "bad", None: "muted"}


def _truth(known: bool | None) -> str:
    return {True: "✓", False: "✗", None: "?"}[known]


def _fraction(accuracy: float | None, pairs: int | None) -> str:
    if accuracy is None:
        return "–"
    if pairs is None:
        return f"{100 * accuracy:.0f} %"
    return f"{round(accuracy * pairs)}/{pairs}"


def titles(width: int, context: RowContext, palette: Palette) -> Strip:
    """Draw the titles of draw_candidate's columns."""
    task = f"  {left('task', 10)}" if context.tasks else ""
    chars, tokens = _room(width, context)
    text = (
        " "
        + right("number", 7)
        + task
        + right("iter", 5)
        + "  by    "
        + right("parent", 8)
        + right("right", 7)
        + f"  {left('outcome', 14)}"
        + "t "
        + right("chars" if chars else "", chars)
        + right("tokens" if tokens else "", tokens)
    )
    return fit([(text, palette.ink("muted"))], width)
