"""`soar-tui compare`: runs side by side, task by task, with what changed in their settings."""

from __future__ import annotations

from contextlib import ExitStack

from soar_tui.cli import terminal
from soar_tui.cli.analyze import (
    FigureOption,
    RunsArgument,
    open_run,
    pool_of,
    print_figures,
    progress,
    refuse_unknown,
)
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import JsonOption

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
    from engine.analysis import ComparisonError, compare_runs

    if len(runs) < 2:
        raise InputError("it takes two runs to compare, e.g. `soar-tui compare base tuned`")
    with ExitStack() as stack:
        bar = stack.enter_context(progress(shown=not as_json))
        read = [stack.enter_context(open_run(text, bar)) for text in runs]
        try:
            found = compare_runs(read)
        except ComparisonError as error:
            raise InputError(str(error)) from error
        together = pool_of(read, bar)
    if as_json:
        from soar_tui.cli.analysis_documents import ComparisonDocument

        terminal.emit(ComparisonDocument(comparison=found, pool=together))
        return OK
    from soar_tui.figures.comparison import comparison_figures, pooled
    from soar_tui.figures.figure import chosen

    figures = [*comparison_figures(found), *([pooled(together)] if together else [])]
    refuse_unknown(figure or [], figures)
    print_figures(chosen(figures, figure or []), None)
    return OK
