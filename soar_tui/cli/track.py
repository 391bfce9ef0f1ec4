"""`soar-tui track`: a run's curves in TensorBoard, trackio or W&B, followed from outside the engine."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.figures.numbers import count
from soar_tui.cli import terminal
from soar_tui.cli.errors import INTERRUPTED, OK
from soar_tui.cli.follow import ALIVE, Interrupts
from soar_tui.cli.options import JsonOption, RunArgument
from soar_tui.cli.progress import counting
from soar_tui.sanitise import one_line

EPILOG = """Curves: every metric of the run (such as the loss), tasks solved as votes come in, and the
figures of each finished iteration. Tracking a run again writes all of it again.

Examples:

  soar-tui track last --out tb        # and: tensorboard --logdir tb

  soar-tui track last --to trackio --project arc

  soar-tui track last --to wandb --once"""

LOOK_SECONDS = 1.0


def track(
    *,
    run: RunArgument,
    to: Annotated[
        Literal["tensorboard", "trackio", "wandb"], typer.Option("--to", help="Where curves go.")
    ] = "tensorboard",
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="TensorBoard's folder; the run gets its own."),
    ] = Path("tensorboard"),
    project: Annotated[
        str, typer.Option("--project", metavar="NAME", help="The project of trackio or W&B.")
    ] = "soar-tui",
    once: Annotated[
        bool, typer.Option("--once", help="Write what there is, do not follow.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Write a run's curves for an experiment tracker, and go on while its engine works.

    It only reads: that a tracker is slow, away or broken is nothing to the engine. Ctrl+C ends it.
    """
    from engine.archive.reader import RunReader
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, find_run, run_state
    from engine.exports.tracking import Seen, new_points, open_tracker
    from soar_tui.cli.documents.runs import TrackDocument

    folder = find_run(run)
    planned = load_settings(folder / SETTINGS_NAME).planned_iterations
    seen, told, version = Seen(), 0, -1
    with contextlib.ExitStack() as opened:
        reader = opened.enter_context(RunReader(folder))
        # What trackers print of themselves must not stand where our document does.
        opened.enter_context(contextlib.redirect_stdout(sys.stderr))
        tracker = open_tracker(to, folder.name, project, out)
        opened.callback(tracker.close)
        interrupts = opened.enter_context(Interrupts())
        show = opened.enter_context(counting("points", as_json=as_json))
        while True:
            # The state comes first, so that what an engine wrote before its end is not missed.
            going = run_state(folder, reader, planned).state in ALIVE
            before, version = version, reader.data_version
            for point in new_points(reader, seen) if version != before else ():
                tracker.put(point)
                told += 1
                show(told)
            tracker.flush()
            if once or not going or interrupts.count:
                break
            interrupts.wait(LOOK_SECONDS)
    place = str(out / folder.name) if to == "tensorboard" else project
    if as_json:
        terminal.emit(TrackDocument(run=folder.name, to=to, place=place, points=told))
    else:
        terminal.err().print(f"{one_line(place)}: {count(told)} points of {folder.name}")
    return INTERRUPTED if interrupts.count else OK
