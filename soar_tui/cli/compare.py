"""`soar-tui compare`: runs side by side, task by task, or settings files field by field."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from soar_tui.cli import terminal
from soar_tui.cli.analyze import (
    FigureOption,
    named_run,
    open_run,
    pool_of,
    print_figures,
    progress,
    refuse_unknown,
)
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import JsonOption

if TYPE_CHECKING:
    from engine.config import Settings

EPILOG = """Examples:

  soar-tui compare base tuned

  soar-tui compare last:1 last:3

  soar-tui compare base tuned other --figure task

  soar-tui compare base tuned --json | jq .comparison.tests

  soar-tui compare small.toml large.toml"""

SETTINGS_ONLY: Final = (
    "There is a settings file among them, so only settings are compared; what a file leaves out has "
    "its default."
)

SidesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|FILE.toml",
        help="Runs by name, a unique beginning of it, folder, or `last`; RUN:I is its iteration I, "
        "counted from 1, in place of the latest one voted on. Or settings files, as for --config.",
        show_default=False,
    ),
]


def compare(
    *,
    sides: SidesArgument,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> int:
    """Compare two or more runs on the tasks they share: solved, McNemar's test, settings.

    Each counts with its latest iteration that was voted on, or the one named by RUN:I. With a
    settings file among them, only settings are compared.
    """
    if len(sides) < 2:
        raise InputError(
            "it takes two runs, or settings files, to compare, e.g. `soar-tui compare base tuned`"
        )
    files = [text for text in sides if _is_file(text)]
    if files:
        return _compare_settings(sides, files, figure or [], as_json=as_json)
    return _compare_runs(sides, figure or [], as_json=as_json)


def _compare_runs(runs: list[str], figure: list[str], *, as_json: bool) -> int:
    from engine.analysis import ComparisonError, compare_runs

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
    refuse_unknown(figure, figures)
    print_figures(chosen(figures, figure), None)
    return OK


def _compare_settings(
    sides: list[str], files: list[str], figure: list[str], *, as_json: bool
) -> int:
    """Compare settings files, and those of runs beside them. Raises ConfigError."""
    from engine.analysis import setting_changes
    from engine.config import load_settings
    from soar_tui.figures.comparison import changed_settings

    read = [
        (text, load_settings(Path(text))) if text in files else _settings_of(text) for text in sides
    ]
    names = [name for name, _ in read]
    changes = setting_changes([settings for _, settings in read])
    if as_json:
        from soar_tui.cli.analysis_documents import SettingsComparisonDocument

        terminal.emit(SettingsComparisonDocument(sides=names, settings=changes))
        return OK
    found = changed_settings(names, changes, SETTINGS_ONLY)
    refuse_unknown(figure, [found])
    print_figures([found], None)
    return OK


def _settings_of(text: str) -> tuple[str, Settings]:
    """Return a run's name and settings. Raises InputError, RunFolderError and ConfigError."""
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME

    folder, iteration = named_run(text)
    if iteration is not None:
        raise InputError(
            f"{text}: beside a settings file only settings are compared, which all iterations share"
        )
    return folder.name, load_settings(folder / SETTINGS_NAME)


def _is_file(text: str) -> bool:
    """Whether a settings file is meant: by its name, or since there is such a file and no such run."""
    from engine.control import RunFolderError

    path = Path(text)
    if path.is_dir():
        return False
    if path.suffix == ".toml":
        return True
    try:
        named_run(text)
    except RunFolderError:
        return path.exists()
    return False
