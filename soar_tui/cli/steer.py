"""`soar-tui attach, pause, resume, stop`: following a run again and ringing its engine's bell."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, OutcomeError
from soar_tui.cli.follow import ALIVE, Interrupts, ending, follow
from soar_tui.cli.options import DetachOption, JsonOption, RunArgument
from soar_tui.opening import on_terminal, open_app

if TYPE_CHECKING:
    from engine.control import State

ATTACH_EPILOG = """Examples:

  soar-tui attach last

  soar-tui attach 2026-11-20-arc1-train-grammar --plain"""
PAUSE_EPILOG = """Examples:

  soar-tui pause last

  soar-tui resume last"""
RESUME_EPILOG = """Examples:

  soar-tui resume last

  soar-tui resume 2026-11-20-sample-grammar --detach"""
STOP_EPILOG = """Examples:

  soar-tui stop last

  soar-tui stop last --now --wait"""

POLL_SECONDS = 0.05
REPLY_SECONDS = 20.0
SETTLE_SECONDS = 5.0
END_SECONDS = 600.0
SHOWS = {
    "pause": {"paused", "draining"},
    "resume": {"running", "draining"},
    "drain": {"draining"},
    "stop": set[str](),
}
"""The states of a living engine that show what a command did."""


def attach(
    run: RunArgument,
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines of progress instead of the app.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Open the app at a run; without a terminal, follow it until its engine ends.

    The app leaves the engine alone. Of plain progress, Ctrl+C drains the engine, as it does in
    `run`; twice leaves it to itself.
    """
    from engine.control import find_run

    folder = find_run(run)
    if on_terminal() and not plain and not as_json:
        return open_app(folder)
    return watch(folder, as_json=as_json)


def watch(folder: Path, *, as_json: bool) -> int:
    """Follow a run to the end of its engine and show how it stands; return the exit code."""
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, catalogue
    from soar_tui.cli.results import print_run, run_document
    from soar_tui.cli.standing import standing

    settings = load_settings(folder / SETTINGS_NAME)
    catalogue().add_run(folder)
    with Interrupts() as interrupts:
        code = ending(follow(folder, settings, interrupts, terminal.err()), interrupts)
    if as_json:
        terminal.emit(run_document(standing(folder)))
    else:
        print_run(terminal.out(), standing(folder))
    return code


def pause(run: RunArgument, as_json: JsonOption = False) -> int:
    """Let a run start nothing new; work under way finishes and the engine waits."""
    from engine.control import find_run

    _order(find_run(run), "pause", as_json=as_json)
    return OK


def resume(run: RunArgument, detach: DetachOption = False, as_json: JsonOption = False) -> int:
    """Go on: wake a paused engine, or start a stopped or crashed run's engine again and follow it."""
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, engine_alive, find_run
    from soar_tui.cli.run import carry_out

    folder = find_run(run)
    if engine_alive(folder):
        _order(folder, "resume", as_json=as_json)
        return OK
    settings = load_settings(folder / SETTINGS_NAME)
    return carry_out(folder, settings, detach=detach, as_json=as_json)


def stop(
    run: RunArgument,
    now: Annotated[
        bool, typer.Option("--now", help="Drop the work under way; a later resume does it again.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Return when the engine has ended.")] = False,
    as_json: JsonOption = False,
) -> int:
    """End a run's engine. Work under way finishes and is kept, unless --now drops it."""
    from engine.control import find_run

    folder = find_run(run)
    _order(folder, "stop" if now else "drain", as_json=as_json, wait=wait)
    return OK


def _order(
    folder: Path,
    command: Literal["pause", "resume", "drain", "stop"],
    *,
    as_json: bool,
    wait: bool = False,
) -> None:
    """Send a command, wait for what the engine says to it, and pass that on."""
    from engine.control import engine_alive, send
    from soar_tui.cli.documents.runs import CommandDocument
    from soar_tui.cli.standing import state_of

    if not engine_alive(folder):
        state = state_of(folder).state
        hint = "" if state == "finished" else f"; go on with `soar-tui resume {folder.name}`"
        raise OutcomeError(f"{folder.name}: no engine is running (the run is {state}){hint}")
    identifier = send(folder, command)
    answer = await_reply(folder, identifier)
    if wait:
        _await_end(folder)
    state = _settled(folder, command)
    if as_json:
        terminal.emit(CommandDocument(run=folder.name, command=command, reply=answer, state=state))
        return
    console = terminal.out()
    console.print(f"{folder.name}: {answer}")
    console.print(_next_step(folder.name, command, state))


def await_reply(folder: Path, identifier: int) -> str:
    """Wait for the engine's reply to a command and return it.

    Raises OutcomeError when the engine refuses, ends without a reply, or says nothing in time.
    """
    from engine.control import engine_alive, reply

    deadline = time.monotonic() + REPLY_SECONDS
    while True:
        alive = engine_alive(folder)
        command = reply(folder, identifier)
        if command.state == "done":
            return command.reply or "done"
        if command.state == "rejected":
            raise OutcomeError(f"{folder.name}: the engine refused: {command.reply}")
        if not alive:
            raise OutcomeError(f"{folder.name}: the engine ended before it replied")
        if time.monotonic() > deadline:
            raise OutcomeError(
                f"{folder.name}: no reply from the engine within {REPLY_SECONDS:.0f} s; "
                f"look at it with `soar-tui status {folder.name}`"
            )
        time.sleep(POLL_SECONDS)


def _settled(folder: Path, command: str) -> State:
    """Return the run's state once it shows what the command did (its status is written later)."""
    from soar_tui.cli.standing import state_of

    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        state = state_of(folder).state
        if state in SHOWS[command] or state not in ALIVE or time.monotonic() > deadline:
            return state
        time.sleep(POLL_SECONDS)


def _await_end(folder: Path) -> None:
    from engine.control import engine_alive

    deadline = time.monotonic() + END_SECONDS
    while engine_alive(folder):
        if time.monotonic() > deadline:
            raise OutcomeError(f"{folder.name}: still not ended after {END_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def _next_step(name: str, command: str, state: str) -> str:
    if command == "pause" or (command in ("drain", "stop") and state not in ALIVE):
        return f"  go on      soar-tui resume {name}"
    if command == "resume":
        return f"  watch it   soar-tui attach {name}"
    return f"  see it end soar-tui attach {name}"
