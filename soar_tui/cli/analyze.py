"""`soar-tui analyze`: the figures of a run, or of several and what they solve together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import JsonOption
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from rich.progress import Progress

    from engine.analysis import Pool, ReadRun
    from engine.figures.figure import Figure

EPILOG = """Examples:

  soar-tui analyze last

  soar-tui analyze last --figure budget --figure diversity

  soar-tui analyze small-7b large-32b --json | jq .pool

  soar-tui analyze last:1 last:2 --figure pooled"""

ROWS = 40
"""Rows of one table that are printed; --json has all."""

RunsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN",
        help="Runs by name, a unique beginning of it, folder, or `last`; RUN:I is its iteration I, "
        "counted from 1, in place of the latest one voted on.",
        show_default=False,
    ),
]
FigureOption = Annotated[
    list[str] | None,
    typer.Option(
        "--figure",
        metavar="NAME",
        help="Only the figures whose name holds this; may be given again.",
        show_default=False,
    ),
]


def analyze(
    *,
    runs: RunsArgument,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show the figures of a run: solved by vote and oracle, pass@k, diversity, spending, hard tasks.

    Of several runs, or several iterations of one: each of them, all voted together with what each
    contributes, and solved against model size.
    """
    from engine.analysis import scaling

    with ExitStack() as stack:
        bar = stack.enter_context(progress(shown=not as_json))
        read = open_runs(runs, bar, stack)
        together = pool_of(read, bar)
    different = list({one.name: one for one in read}.values())
    points = scaling(different)
    if as_json:
        from soar_tui.cli.documents.analysis import AnalysisDocument

        analyses = [one.analysis for one in different]
        terminal.emit(AnalysisDocument(runs=analyses, pool=together, scaling=points))
        return OK
    from engine.figures.comparison import model_sizes, pooled
    from engine.figures.figure import chosen
    from engine.figures.run import run_figures

    several = [pooled(together)] if together is not None else []
    several += [model_sizes(points)] if len(different) > 1 else []
    asked = {(one.name, one.iteration): one for one in read}.values()
    own = [(one.name, run_figures(one.analysis, one.iteration)) for one in asked]
    refuse_unknown(figure or [], [*several, *(one for _, figures in own for one in figures)])
    told: set[tuple[str, Figure]] = set()
    for name, figures in own:
        shown = figures[:1] if not figure and len(different) > 1 else figures
        # Those of a whole run are the same for each of its iterations.
        new = [one for one in chosen(shown, figure or []) if (name, one) not in told]
        told.update((name, one) for one in new)
        print_figures(new, name)
    print_figures(chosen(several, figure or []), None)
    return OK


def refuse_unknown(names: Sequence[str], figures: Sequence[Figure]) -> None:
    """Raise InputError for a name that no figure holds."""
    from engine.figures.figure import chosen

    for name in names:
        if not chosen(figures, [name]):
            there = ", ".join(dict.fromkeys(figure.name for figure in figures))
            raise InputError(f"--figure {name}: no figure of that name; there are {there}")


def pool_of(runs: Sequence[ReadRun], bar: Progress) -> Pool | None:
    """Return the vote over all that was asked for; of one run, over its iterations.

    None where that is fewer than two, or they share no task of known truth.
    """
    from engine.analysis import PoolError, members_of, pool

    members = members_of(runs)
    if len(members) < 2:
        return None
    step = bar.add_task("voting together", total=None)
    found = None
    try:
        for done, total, last in pool(members, runs[0].settings.vote):
            bar.update(step, completed=done, total=total)
            found = last
    except PoolError as error:
        terminal.err().print(f"soar-tui: not pooled: {error}")
    return found


def open_runs(texts: Sequence[str], bar: Progress, stack: ExitStack) -> list[ReadRun]:
    """Open and read the runs that were asked for. Raises InputError and ArchiveError."""
    named = list(zip(texts, run_names(texts), strict=True))
    return [stack.enter_context(_open_run(text, name, bar)) for text, name in named]


def run_names(texts: Sequence[str]) -> list[str]:
    """Return what a table calls runs: their folders' names, with what tells equal ones apart."""
    from engine.analysis import file_names

    return file_names([named_run(text)[0].absolute() for text in texts])


@contextmanager
def _open_run(text: str, name: str, bar: Progress) -> Iterator[ReadRun]:
    from engine.analysis import ReadRun, RunRecords, read_records, run_analysis
    from engine.archive.reader import RunReader
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME

    folder, iteration = named_run(text)
    settings = load_settings(folder / SETTINGS_NAME)
    with RunReader(folder) as reader:
        records = RunRecords()
        step = bar.add_task(f"reading {name}", total=None)
        for done, total in read_records(reader, settings, records):
            bar.update(step, completed=done, total=total)
        analysis = run_analysis(name, reader, settings, records)
        voted = [row.index + 1 for row in analysis.iterations if row.tasks]
        if iteration is not None and iteration + 1 not in voted:
            which = ", ".join(map(str, voted)) or "none yet"
            raise InputError(f"{text}: iterations with votes: {which}")
        yield ReadRun(name, settings, reader, records, analysis, iteration)


def named_run(text: str) -> tuple[Path, int | None]:
    """Return the folder that RUN or RUN:ITERATION means, and the iteration's index.

    Raises RunFolderError when there is no such run.
    """
    from engine.control import RunFolderError, find_run

    name, colon, number = text.rpartition(":")
    if colon and number.isascii() and number.isdigit() and int(number) >= 1:
        try:
            return find_run(name), int(number) - 1
        except RunFolderError:
            if not Path(text).is_dir():
                raise
    return find_run(text), None


def progress(*, shown: bool) -> Progress:
    """Return a progress bar on stderr that leaves nothing behind, drawn on a terminal only."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = terminal.err()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not (shown and console.is_terminal),
    )


def print_figures(figures: Sequence[Figure], run: str | None) -> None:
    """Print figures as tables, each under its name and what it means."""
    from rich.table import Table
    from rich.text import Text

    console = terminal.out()
    for figure in figures:
        whose = "" if run is None else f"  {one_line(run)}"
        console.print(Text.assemble((figure.name, "bold"), (whose, "dim")))
        console.print(Text(one_line(figure.about), style="dim"))
        for warning in figure.warnings:
            console.print(Text(f"! {one_line(warning)}", style="yellow"))
        if not figure.rows:
            console.print(f"  {figure.empty}\n")
            continue
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in figure.headings:
            table.add_column(one_line(heading.title), justify="right" if heading.right else "left")
        for row in figure.rows[:ROWS]:
            table.add_row(*(Text(one_line(cell)) for cell in row))
        console.print(table)
        if len(figure.rows) > ROWS:
            console.print(f"  … {len(figure.rows) - ROWS:,} more; --json has all")
        console.print()
