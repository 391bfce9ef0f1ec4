"""`soar-tui compare`: runs side by side, task by task, with what changed in their settings."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from soar_tui.cli import terminal
from soar_tui.cli.analyze import (
    Asked,
    FigureOption,
    RunsArgument,
    open_run,
    pool_of,
    print_figures,
    progress,
)
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import JsonOption

if TYPE_CHECKING:
    from engine.analysis import Side

EPILOG = """Examples:

  soar-tui compare base tuned

  soar-tui compare last:1 last:3

  soar-tui compare base tuned other --figure task

  soar-tui compare base tuned --json | jq .comparison.tests"""


def compare(
    *,
    runs: RunsArgument,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> int:
    """Compare two or more runs on the tasks they share: solved, McNemar's test, settings.

    Each counts with its latest iteration that was voted on, or the one named by RUN:I.
    """
    from engine.analysis import ComparisonError
    from engine.analysis import compare as compare_sides

    if len(runs) < 2:
        raise InputError("it takes two runs to compare, e.g. `soar-tui compare base tuned`")
    with ExitStack() as stack:
        bar = stack.enter_context(progress(shown=not as_json))
        asked = [stack.enter_context(open_run(text, bar)) for text in runs]
        try:
            found = compare_sides([side_of(one) for one in asked])
        except ComparisonError as error:
            raise InputError(str(error)) from error
        together = pool_of(asked, bar)
    if as_json:
        from soar_tui.cli.analysis_documents import ComparisonDocument

        terminal.emit(ComparisonDocument(comparison=found, pool=together))
        return OK
    from soar_tui.comparison_figures import comparison_figures, pooled
    from soar_tui.figures import chosen

    figures = [*comparison_figures(found), *([pooled(together)] if together else [])]
    print_figures(chosen(figures, figure or []), None)
    return OK


def side_of(asked: Asked) -> Side:
    """Return a run that was asked for as one side of a comparison."""
    from engine.analysis import Side

    index = asked.latest
    row = next(row for row in asked.analysis.iterations if row.index == index)
    return Side(
        run=asked.folder.name,
        iteration=index,
        policy=row.policy,
        settings=asked.settings,
        records=asked.records.by_iteration()[index],
    )
