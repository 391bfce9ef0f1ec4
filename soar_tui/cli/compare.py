"""`soar-tui compare`: runs side by side, task by task, or settings files field by field."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from soar_tui.cli import terminal
from soar_tui.cli.analyze import (
    FigureOption,
    named_run,
    open_runs,
    pool_of,
    print_figures,
    progress,
    refuse_unknown,
    run_names,
)
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import JsonOption
from soar_tui.cli.sides import SidesArgument, is_settings_file

if TYPE_CHECKING:
    from engine.analysis import NamedSettings

EPILOG = """Examples:

  soar-tui compare base tuned

  soar-tui compare last:1 last:3

  soar-tui compare base tuned other --figure task

  soar-tui compare base tuned --json | jq .comparison.tests

  soar-tui compare small.toml large.toml"""


def compare(
    *,
    sides: SidesArgument,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> int:
    """Compare two or more runs on the tasks they share: solved, McNemar's test, settings.

    Each counts with its latest iteration that was voted on, or the one named by RUN:I. With a
    settings file among them, or where runs have no results in common, only settings are compared.
    """
    if len(sides) < 2:
        raise InputError(
            "it takes two runs, or settings files, to compare, e.g. `soar-tui compare base tuned`"
        )
    files = [text for text in sides if is_settings_file(text)]
    if files:
        return _compare_settings(sides, files, figure or [], as_json=as_json)
    return _compare_runs(sides, figure or [], as_json=as_json)


def _compare_runs(runs: list[str], figure: list[str], *, as_json: bool) -> int:
    from engine.analysis import ComparisonError, compare_runs
    from engine.figures.comparison import results_missing

    sides = [_settings_of(text, name) for text, name in zip(runs, run_names(runs), strict=True)]
    try:
        with ExitStack() as stack:
            bar = stack.enter_context(progress(shown=not as_json))
            _refuse_fresh(runs)
            read = open_runs(runs, bar, stack)
            found = compare_runs(read)
            together = pool_of(read, bar)
    except ComparisonError as error:
        names, why = [side.name for side in sides], results_missing(str(error))
        return _print_settings(names, sides, why, figure, as_json=as_json)
    if as_json:
        from soar_tui.cli.documents.analysis import ComparisonDocument

        terminal.emit(ComparisonDocument(comparison=found, pool=together))
        return OK
    from engine.figures.comparison import comparison_figures, pooled
    from engine.figures.figure import chosen

    figures = [*comparison_figures(found), *([pooled(together)] if together else [])]
    refuse_unknown(figure, figures)
    print_figures(chosen(figures, figure), None)
    return OK


def _refuse_fresh(runs: list[str]) -> None:
    """Raise ComparisonError where no engine has run yet: there is nothing to read."""
    from engine.analysis import ComparisonError, unvoted
    from engine.archive.reader import RunReader
    from engine.control import MissingFileError

    fresh = []
    for folder, _ in map(named_run, runs):
        try:
            RunReader(folder).close()
        except MissingFileError:
            fresh.append(folder.name)
    if fresh:
        raise ComparisonError(unvoted(fresh))


def _compare_settings(
    named: list[str], files: list[str], figure: list[str], *, as_json: bool
) -> int:
    """Compare settings files, and those of runs beside them. Raises InputError and ConfigError."""
    from engine.analysis import read_settings_files
    from engine.figures.comparison import SETTINGS_ONLY

    for text in named:
        if text not in files and named_run(text)[1] is not None:
            raise InputError(
                f"{text}: beside a settings file only settings are compared, which all iterations "
                "share"
            )
    held = dict(zip(files, read_settings_files([Path(text) for text in files]), strict=True))
    runs = [text for text in named if text not in held]
    told = dict(zip(runs, run_names(runs), strict=True))
    sides = [held[text] if text in held else _settings_of(text, told[text]) for text in named]
    names = [text if text in held else side.name for text, side in zip(named, sides, strict=True)]
    return _print_settings(names, sides, SETTINGS_ONLY, figure, as_json=as_json)


def _print_settings(
    names: list[str], sides: list[NamedSettings], why: str, figure: list[str], *, as_json: bool
) -> int:
    """Print what changed in the settings; `names` are what JSON calls the sides."""
    from engine.analysis import setting_changes
    from engine.figures.comparison import changed_settings

    changes = setting_changes([side.settings for side in sides])
    if as_json:
        from soar_tui.cli.documents.analysis import SettingsComparisonDocument

        terminal.emit(SettingsComparisonDocument(why=why, sides=names, settings=changes))
        return OK
    found = changed_settings([side.name for side in sides], changes, why)
    refuse_unknown(figure, [found])
    print_figures([found], None)
    return OK


def _settings_of(text: str, name: str) -> NamedSettings:
    """Return a run's settings under what a table calls it. Raises RunFolderError and ConfigError."""
    from engine.analysis import NamedSettings
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME

    folder, _ = named_run(text)
    return NamedSettings(name, load_settings(folder / SETTINGS_NAME))
