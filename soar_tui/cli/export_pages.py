"""`soar-tui export picture, report`: what a run looks like, for papers, slides and colleagues."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soar_tui.cli.analyze import named_run, run_names
from soar_tui.cli.errors import InputError
from soar_tui.cli.options import ForceOption, JsonOption, OutOption, RunArgument
from soar_tui.cli.progress import counting, since_begun
from soar_tui.cli.sides import SidesArgument, is_settings_file
from soar_tui.cli.written import Written, begin, say

if TYPE_CHECKING:
    from engine.archive.reader import RunReader
    from engine.exports.picture import Picture
    from engine.exports.report.page import Reported

PICTURE_EPILOG = """Examples:

  soar-tui export picture last 00d62c1b --out task.svg

  soar-tui export picture last 00d62c1b --candidate 17 --out candidate.png

  soar-tui export picture last 00d62c1b --candidate 17 --chain --out chain.svg"""
REPORT_EPILOG = """The page holds no script and loads nothing: it can be mailed, archived, opened offline.

Examples:

  soar-tui export report last --out report.html

  soar-tui export report base tuned --out both.html

  soar-tui export report last:1 last:3 --out learned.html

  soar-tui export report base tuned plan.toml --out plan.html

  soar-tui export report last --out - | gzip > report.html.gz"""


def picture(
    *,
    run: RunArgument,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK", help="A task's id or a unique beginning of it.", show_default=False
        ),
    ],
    out: OutOption,
    candidate: Annotated[
        int | None,
        typer.Option(
            "--candidate",
            metavar="N",
            min=0,
            help="What this one gave, wrong cells marked: its number, or its id.",
            show_default=False,
        ),
    ] = None,
    chain: Annotated[
        bool, typer.Option("--chain", help="The candidate's whole refinement chain.")
    ] = False,
    iteration: Annotated[
        int | None,
        typer.Option(
            "--iteration",
            metavar="N",
            min=1,
            help="Which iteration's candidate, counted from 1. [default: its id's, else the last]",
            show_default=False,
        ),
    ] = None,
    scale: Annotated[
        int, typer.Option("--scale", metavar="N", min=1, max=8, help="Size of a PNG.")
    ] = 2,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Draw a task, a candidate's outputs, or a refinement chain as SVG (.svg or -) or PNG."""
    from engine.exports.drawing import png, svg
    from engine.exports.output import new_file

    if candidate is None and (chain or iteration is not None):
        raise InputError("--chain and --iteration need --candidate N")
    begun = begin(run, out, (".svg", ".png"), as_json=as_json, whole=True)
    with begun.reader() as reader:
        drawn = _picture(reader, task, candidate, iteration, chain=chain)
    data = png(drawn, scale) if out.suffix == ".png" else svg(drawn).encode()
    if str(out) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        with new_file(out, force=force) as file:
            file.write(data)
    return say(begun, Written(f"picture: {drawn.title}", 1, ((out, None),)))


def _picture(
    reader: RunReader, task: str, number: int | None, iteration: int | None, *, chain: bool
) -> Picture:
    from engine.exports.picture import candidate_picture, chain_picture, task_picture
    from soar_tui.cli.answers import searched_iterations
    from soar_tui.cli.show import find_candidate, find_task, iteration_meant

    index = find_task(reader, task)
    shown = reader.task(index)
    if number is None:
        return task_picture(shown)
    searched = searched_iterations(reader)[index]
    if not searched or (iteration is not None and iteration - 1 not in searched):
        which = "" if iteration is None else f" in iteration {iteration}"
        raise InputError(f"task {shown.id!r} has not been searched{which}")
    place = iteration_meant(searched, number) if iteration is None else iteration - 1
    identifier = find_candidate(reader, place, index, number)
    if not chain:
        return candidate_picture(shown, reader.candidate(identifier).candidate)
    members = [reader.candidate(row.id).candidate for row in reader.chain(identifier)]
    return chain_picture(shown, members)


def report(
    *, sides: SidesArgument, out: OutOption, force: ForceOption = False, as_json: JsonOption = False
) -> int:
    """Write a run as one self-contained HTML page: figures, curves, and every task with its grids.

    Several runs, or iterations of one, are laid side by side first: solved at equal budget,
    McNemar's test, task by task, changed settings. The first is then told in full. Settings files
    are further columns of the changed settings.
    """
    from engine.analysis import ComparisonError, read_settings_files
    from engine.exports.output import new_file
    from engine.exports.report.page import write_report

    files = [Path(text) for text in sides if is_settings_file(text)]
    runs = [text for text in sides if not is_settings_file(text)]
    if not runs:
        raise InputError(
            "a report is of one run at least; `soar-tui compare small.toml large.toml` compares "
            "settings files alone"
        )
    named = [named_run(text) for text in runs]
    if len(named) == 1 and named[0][1] is not None:
        raise InputError(
            f"{runs[0]}: a report tells of all iterations of a run; RUN:I is for comparing several"
        )
    begun = begin(str(named[0][0]), out, (".html",), as_json=as_json, whole=True)
    with ExitStack() as stack:
        beside = read_settings_files(files)
        names = run_names(runs)
        told = [_reported(name, *one, stack) for name, one in zip(names, named, strict=True)]
        on_progress = since_begun(stack.enter_context(counting("steps", as_json=as_json)))
        try:
            if str(out) == "-":
                rows = write_report(told, sys.stdout.buffer, on_progress, beside)
                sys.stdout.buffer.flush()
            else:
                with new_file(out, force=force) as file:
                    rows = write_report(told, file, on_progress, beside)
        except ComparisonError as error:
            raise InputError(str(error)) from error
    return say(begun, Written("tasks", rows, ((out, None),)))


def _reported(name: str, folder: Path, iteration: int | None, stack: ExitStack) -> Reported:
    from engine.archive.reader import RunReader
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME
    from engine.exports.report.page import Reported

    reader = stack.enter_context(RunReader(folder))
    return Reported(name, reader, load_settings(folder / SETTINGS_NAME), iteration)
