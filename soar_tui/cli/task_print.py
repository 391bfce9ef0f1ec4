"""A task of a run as terminal text: pairs, submissions, vote, candidates, program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.figures.numbers import money, percent
from soar_tui.cli.answers import Pattern
from soar_tui.cli.grid_text import Cells, Picture, cells_for, draw, draw_mask, side_by_side, words
from soar_tui.cli.results import mark
from soar_tui.cli.show import LISTED, TaskView, number_of
from soar_tui.cli.source_text import entry, print_source
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.arc import Grid
    from engine.archive.rows import CandidateRow
    from engine.programs.candidate import Candidate, Result

BAR = 24
"""Columns of a pattern's bar at a share of 100 %."""


def print_task(console: Console, view: TaskView, *, alone: bool = False) -> None:
    """Print a task of a run; `alone` leaves out what is not about the candidate looked at."""
    console.print(_heading(view))
    cells = cells_for(console, _all_grids(view))
    _print_pairs(console, view, cells)
    if alone:
        _print_test_outputs(console, view, cells)
    else:
        _print_tests(console, view, cells)
        _print_vote(console, view)
        _print_candidates(console, "Best candidates", view.best, view)
    if len(view.chain) > 1:
        _print_candidates(console, "Refinement chain", view.chain, view)
    _print_program(console, view)


def _heading(view: TaskView) -> Text:
    row = view.row
    solved = {True: "solved", False: "not solved", None: "truth unknown"}[row.vote_right]
    if row.state != "finished":
        solved = "search under way"
    perfect = f"{row.perfect:,} of them right on every demonstration"
    return Text.assemble(
        (one_line(view.task.id), "bold"),
        f"  {solved} ({view.run}, iteration {view.iteration + 1})\n",
        f"{row.candidates:,} candidates, {perfect}",
    )


def _all_grids(view: TaskView) -> list[Grid]:
    from engine.arc import unpack

    task = view.task
    grids = [*task.inputs, *(pair.output for pair in task.train), *(task.truth or ())]
    packed = [output for pattern in view.patterns[:2] for output in pattern.outputs]
    if view.detail is not None and view.detail.candidate.evaluation is not None:
        results = view.detail.candidate.evaluation.results
        packed += [result for result in results if isinstance(result, bytes)]
    return grids + [unpack(output) for output in packed]


def _print_pairs(console: Console, view: TaskView, cells: Cells) -> None:
    by = "" if view.detail is None else f" · produced by candidate {view.number}"
    console.print(Text(f"\nDemonstration pairs{by}", style="bold"))
    for pair, result in zip(view.task.train, view.produced()[0], strict=True):
        pictures = [draw(pair.input, cells, caption="input")]
        pictures.append(draw(pair.output, cells, caption="expected"))
        pictures += produced(result, pair.output, cells)
        _print_row(console, pictures)


def produced(result: Result | None, expected: Grid | None, cells: Cells) -> list[Picture]:
    """Draw what a program gave on one input, wrong cells marked where the right ones are known."""
    from engine.arc import unpack

    if result is None:
        return []
    if not isinstance(result, bytes):
        return [words(f"{result.kind}: {one_line(result.text)}", caption="produced nothing")]
    grid = unpack(result)
    if expected is None:
        return [draw(grid, cells, caption="produced ?")]
    if grid.shape != expected.shape:
        return [draw(grid, cells, caption="produced ✗")]
    wrong = grid != expected
    if not wrong.any():
        return [words("the same", caption="produced ✓")]
    count = int(wrong.sum())
    noun = "cell" if count == 1 else "cells"
    pictures = [draw(grid, cells, caption="produced ✗", wrong=wrong)]
    if cells == "half":
        pictures.append(draw_mask(wrong, caption=f"{count} {noun} wrong"))
    return pictures


def _print_tests(console: Console, view: TaskView, cells: Cells) -> None:
    from engine.arc import unpack

    for number, given in enumerate(view.task.test):
        console.print(Text(f"\nTest input {number + 1}", style="bold"))
        pictures = [draw(given, cells, caption="input")]
        for pattern in view.patterns[:2]:
            right = None if pattern.right is None else pattern.right[number]
            caption = f"submission {pattern.rank} {mark(right).plain}"
            pictures.append(draw(unpack(pattern.outputs[number]), cells, caption=caption))
        if not view.patterns:
            pictures.append(words("no program gave an output for every test input"))
        if view.task.truth is not None and view.row.vote_right is not True:
            pictures.append(draw(view.task.truth[number], cells, caption="expected"))
        _print_row(console, pictures)


def _print_test_outputs(console: Console, view: TaskView, cells: Cells) -> None:
    for number, (given, result) in enumerate(zip(view.task.test, view.produced()[1], strict=True)):
        console.print(Text(f"\nTest input {number + 1}", style="bold"))
        pictures = [draw(given, cells, caption="input")]
        truth = None if view.task.truth is None else view.task.truth[number]
        if truth is not None:
            pictures.append(draw(truth, cells, caption="expected"))
        _print_row(console, pictures + produced(result, truth, cells))


def _print_row(console: Console, pictures: list[Picture]) -> None:
    for line in side_by_side(pictures, console.width):
        console.print(line, no_wrap=True)


def _print_vote(console: Console, view: TaskView) -> None:
    if not view.patterns:
        return
    count = len(view.patterns)
    noun = "pattern" if count == 1 else "patterns"
    console.print(Text(f"\nVote: {count:,} {noun}, weight by {view.formula}", style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("rank", "weight"):
        table.add_column(name)
    for name in ("share", "programs", "right", ""):
        table.add_column(name, justify="right")
    for pattern in view.patterns[:LISTED]:
        table.add_row(
            str(pattern.rank),
            _bar(pattern),
            percent(pattern.share),
            f"{pattern.count:,}",
            mark(None if pattern.right is None else all(pattern.right)),
            "submitted" if pattern.submitted else "",
        )
    console.print(table)
    if count > LISTED:
        console.print(Text(f"  and {count - LISTED:,} lighter ones", style="dim"))


def _bar(pattern: Pattern) -> Text:
    eighths = max(1, round(pattern.share * BAR * 8))
    full, part = divmod(eighths, 8)
    bar = "█" * full + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[part]
    return Text(bar, style="cyan" if pattern.submitted else "dim")


def _print_candidates(
    console: Console, title: str, rows: Sequence[CandidateRow], view: TaskView
) -> None:
    if not rows:
        return
    console.print(Text(f"\n{title}", style="bold"))
    pairs = len(view.task.train)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("candidate", justify="right")
    table.add_column("by")
    for name in ("demonstrations", "test", "length"):
        table.add_column(name, justify="right")
    filtered = any(row.filter for row in rows)
    if filtered:
        table.add_column("filter")
    for row in rows:
        origin = row.operator if row.parent is None else f"refined from {number_of(row.parent)}"
        table.add_row(
            str(row.number),
            origin,
            "–" if row.accuracy is None else f"{round(row.accuracy * pairs)}/{pairs}",
            mark(row.right),
            "–" if row.length is None else f"{row.length:,}",
            *([row.filter or ""] if filtered else []),
        )
    console.print(table)


def _print_cost(console: Console, candidate: Candidate) -> None:
    """Print what a language model took to write a candidate; nothing for the embedded policy."""
    if not candidate.tokens_in and not candidate.tokens_out:
        return
    parts = [
        f"{candidate.tokens_out:,} tokens written",
        f"{candidate.tokens_in:,} of the prompt, {candidate.tokens_cached:,} of them cached",
    ]
    if candidate.cost:
        parts.append(f"cost {money(candidate.cost)}")
    if candidate.finish != "stop":
        parts.append(f"ended by {one_line(candidate.finish)}")
    if candidate.weights is not None:
        parts.append(f"weights {one_line(candidate.weights)}")
    console.print(Text(" · ".join(parts), style="dim"))


def _print_program(console: Console, view: TaskView) -> None:
    if view.detail is None:
        console.print("\nNo candidate held a program that ran.")
        return
    candidate = view.detail.candidate
    source = candidate.source
    if source is None:
        console.print(
            Text(f"\nThe reply of candidate {view.number} held no program.", style="bold")
        )
        _print_cost(console, candidate)
        return
    shown = entry(source)
    console.print(Text(f"\nProgram of candidate {view.number}", style="bold"))
    _print_cost(console, candidate)
    print_source(console, shown)
    more = len(source.splitlines()) - len(shown.splitlines())
    if more > 0:
        console.print(
            Text(f"and {more:,} lines it rests on: --program prints it whole", style="dim")
        )
