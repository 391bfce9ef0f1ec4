"""Lines of styled text as strips: fitting parts into a width, and finding what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Part: TypeAlias = tuple[str, Style | None]
"""Text of one style. Strings that are not ours have been through soar_tui.sanitise."""

ELLIPSIS = "…"


def fit(parts: Iterable[Part], width: int) -> Strip:
    """Join parts to a strip of exactly `width` cells, cut with an ellipsis or padded."""
    segments: list[Segment] = []
    left = width
    for text, style in parts:
        length = cell_len(text)
        if length > left:
            if left:
                segments.append(Segment(set_cell_size(text, left - 1) + ELLIPSIS, style))
            return Strip(segments, width)
        if text:
            segments.append(Segment(text, style))
        left -= length
    if left:
        segments.append(Segment(" " * left))
    return Strip(segments, width)


def fit_facts(facts: Iterable[Sequence[Part]], width: int) -> Strip:
    """Join those facts that fit whole, most important first, two blanks apart."""
    parts: list[Part] = []
    used = 0
    for fact in facts:
        needed = sum(cell_len(text) for text, _ in fact) + (2 if parts else 0)
        if used + needed <= width:
            parts += [("  ", None), *fact] if parts else fact
            used += needed
    return fit(parts, width)


def cut(text: str, width: int) -> str:
    """Return text cut to at most `width` cells, visibly."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + ELLIPSIS if width > 0 else ""


def left(text: str, width: int) -> str:
    """Return text in exactly `width` cells, aligned left."""
    return set_cell_size(cut(text, width), width)


def right(text: str, width: int) -> str:
    """Return text in exactly `width` cells, aligned right."""
    text = cut(text, width)
    return " " * (width - cell_len(text)) + text


def beside(strips: Iterable[Strip]) -> Strip:
    """Join strips to one line."""
    return Strip.join(list(strips))


def lay_over(strip: Strip, style: Style) -> Strip:
    """Add a style to a strip; parts with a background of their own keep it as it is."""
    over = style + Style(reverse=False) if style.reverse else style

    def added(own: Style | None) -> Style:
        if own is None:
            return style
        return own + style if own.bgcolor is None else over + own

    return Strip(
        [segment._replace(style=added(segment.style)) for segment in strip], strip.cell_length
    )


def columns(blocks: Sequence[Sequence[Strip]], gap: int = 1) -> list[Strip]:
    """Put blocks of lines beside each other, `gap` cells apart; a block's lines are of one width."""
    height = max((len(block) for block in blocks), default=0)
    blanks = [Strip.blank(block[0].cell_length) if block else Strip([]) for block in blocks]
    lines = []
    for row in range(height):
        line: list[Strip] = []
        for place, block in enumerate(blocks):
            if place and gap:
                line.append(Strip.blank(gap))
            line.append(block[row] if row < len(block) else blanks[place])
        lines.append(beside(line))
    return lines


def changed_span(old: Strip, new: Strip) -> tuple[int, int] | None:
    """Return the half-open range of cells outside which two strips are alike, None when they are.

    One range even when several parts differ: Textual sends a line from its start to the end of
    each range, so that two ranges would be sent twice.
    """
    if old == new:
        return None
    before, after = list(_cells(old)), list(_cells(new))
    shared, longest = min(len(before), len(after)), max(len(before), len(after))
    start = next((x for x in range(shared) if before[x] != after[x]), shared)
    if len(before) != len(after):
        return start, longest
    end = next((x for x in range(longest, start, -1) if before[x - 1] != after[x - 1]), start)
    return (start, end) if end > start else None


def _cells(strip: Strip) -> Iterator[tuple[str, Style | None]]:
    for text, style, _ in strip:
        if len(text) == cell_len(text):
            for character in text:
                yield character, style
            continue
        for character in text:
            # The second half of a wide character repeats it, so that both halves change together.
            for _half in range(cell_len(character)):
                yield character, style
