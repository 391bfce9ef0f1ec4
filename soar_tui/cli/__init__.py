"""The command line: `soar-tui`. Every command is a module beside this one.

Nothing of the engine is imported before a command runs, so that help is there at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from soar_tui import __version__
from soar_tui.cli import (
    analyze,
    compare,
    doctor,
    evaluate,
    export,
    export_data,
    export_pages,
    gc,
    intake,
    learn,
    run,
    runs,
    serve,
    setup,
    show,
    solve,
    steer,
    tasks,
    terminal,
    track,
)
from soar_tui.cli.errors import BAD_INPUT, INTERRUPTED, OK, exit_code, message
from soar_tui.opening import on_terminal, open_app

OVERVIEW = """\
soar-tui {version}: self-improving program synthesis on ARC-AGI, from the terminal.

A policy proposes Python programs for each task, a sandbox runs them on the
demonstration pairs, a bandit (REX) chooses which to refine, and a weighted vote
submits two answers. The engine runs by itself: it outlives this terminal.

  The app     soar-tui                 soar-tui attach RUN
              soar-tui serve           (in a browser)
  Search      soar-tui run --tasks sample --preset demo
              soar-tui run --tasks arc1-train:100 --preset cpu --detach
              soar-tui solve TASK.json
  Learn       soar-tui run --train-tasks arc1-train --tasks arc1-eval
              soar-tui iterate RUN     soar-tui checkpoints
  Look        soar-tui runs            soar-tui show RUN TASK
              soar-tui status RUN      soar-tui tasks arc1-train:20
              soar-tui analyze RUN…    soar-tui compare RUN RUN
  Steer       soar-tui pause | resume | stop RUN
  Hand over   soar-tui export submission|dataset|programs|tables|report RUN …
              soar-tui import PROGRAMS.jsonl --tasks arc1-train
  Check       soar-tui evaluate programs.jsonl --tasks sample
  This machine                         soar-tui doctor [RUN]
              soar-tui gc RUN
              soar-tui setup serve     soar-tui setup train

`soar-tui COMMAND --help` has examples; --json on any command is for scripts.
"""

EPILOG = """Exit codes: 0 done, 1 failed, 2 usage or input refused, 3 the run is not finished, 130 Ctrl+C.

Runs live in $SOAR_HOME (default: your data folder). NO_COLOR is respected.

Examples:

  soar-tui run --tasks sample --preset demo

  soar-tui show last 00d62c1b"""

app = typer.Typer(
    name="soar-tui",
    help="Search ARC-AGI tasks by self-improving program synthesis (SOAR), watch and steer it.",
    epilog=EPILOG,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=True,
)
export_app = typer.Typer(help="Write results in other programs' formats.", no_args_is_help=True)


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"soar-tui {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    if on_terminal():
        raise typer.Exit(open_app())
    sys.stdout.write(OVERVIEW.format(version=__version__))


app.command(epilog=run.EPILOG, rich_help_panel="Search")(run.run)
app.command(epilog=solve.EPILOG, rich_help_panel="Search")(solve.solve)
app.command(epilog=learn.ITERATE_EPILOG, rich_help_panel="Learn")(learn.iterate)
app.command(epilog=learn.TRAIN_EPILOG, rich_help_panel="Learn")(learn.train)
app.command(epilog=learn.CHECKPOINTS_EPILOG, rich_help_panel="Learn")(learn.checkpoints)
app.command(epilog=runs.RUNS_EPILOG, rich_help_panel="Look")(runs.runs)
app.command(epilog=runs.STATUS_EPILOG, rich_help_panel="Look")(runs.status)
app.command(epilog=show.EPILOG, rich_help_panel="Look")(show.show)
app.command(epilog=tasks.EPILOG, rich_help_panel="Look")(tasks.tasks)
app.command(epilog=analyze.EPILOG, rich_help_panel="Look")(analyze.analyze)
app.command(epilog=compare.EPILOG, rich_help_panel="Look")(compare.compare)
app.command(epilog=evaluate.EPILOG, rich_help_panel="Look")(evaluate.evaluate)
app.command(epilog=steer.ATTACH_EPILOG, rich_help_panel="Steer")(steer.attach)
app.command(epilog=serve.EPILOG, rich_help_panel="Look")(serve.serve)
app.command(epilog=steer.PAUSE_EPILOG, rich_help_panel="Steer")(steer.pause)
app.command(epilog=steer.RESUME_EPILOG, rich_help_panel="Steer")(steer.resume)
app.command(epilog=steer.STOP_EPILOG, rich_help_panel="Steer")(steer.stop)
export_app.command("submission", epilog=export.EPILOG)(export.submission)
export_app.command("dataset", epilog=export_data.DATASET_EPILOG)(export_data.dataset)
export_app.command("programs", epilog=export_data.PROGRAMS_EPILOG)(export_data.programs)
export_app.command("picture", epilog=export_pages.PICTURE_EPILOG)(export_pages.picture)
export_app.command("report", epilog=export_pages.REPORT_EPILOG)(export_pages.report)
export_app.command("tables", epilog=export_data.TABLES_EPILOG)(export_data.tables)
app.command(epilog=track.EPILOG, rich_help_panel="Hand over")(track.track)
app.command("import", epilog=intake.EPILOG, rich_help_panel="Hand over")(intake.import_programs)
app.add_typer(export_app, name="export", rich_help_panel="Hand over")
app.command(epilog=setup.EPILOG, rich_help_panel="This machine")(setup.setup)
app.command(epilog=doctor.EPILOG, rich_help_panel="This machine")(doctor.doctor)
app.command(epilog=gc.EPILOG, rich_help_panel="This machine")(gc.gc)


def main() -> None:
    """Run the command line and exit with its code (soar_tui.cli.errors)."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    """Run one command line and return its exit code; errors are said on stderr."""
    as_json = "--json" in arguments
    try:
        result = app(arguments, prog_name="soar-tui", standalone_mode=False)
    except BrokenPipeError:
        return _left_alone()
    except SystemExit as error:  # what typer makes of a broken pipe
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        return _left_alone()
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        terminal.complain(_usage(error), BAD_INPUT, as_json=as_json)
        return BAD_INPUT
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        terminal.complain(message(error), code, as_json=as_json)
        return code
    return result if isinstance(result, int) else OK


def _left_alone() -> int:
    """End well though whoever read our output has left: nothing to say, and nowhere to say it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _usage(error: typer.TyperException) -> str:
    """Return what is wrong with the command line, and where its help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "soar-tui"
    return f"{error.format_message()} (see `{command} --help`)"
