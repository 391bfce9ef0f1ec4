"""System (8): the engine's process, its policy and sandbox, commands and answers, disk, its log."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from engine.archive import commands
from engine.archive.rows import Command, Status
from engine.control import LOG_NAME, engine_process, log_tail
from engine.figures.numbers import age, count, duration, size
from soar_tui.feed import Header
from soar_tui.keys import bindings
from soar_tui.open_run import OpenRun
from soar_tui.sanitise import one_line
from soar_tui.screens.place import Place
from soar_tui.screens.put import entitle, put
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.widgets.palette import Role
from soar_tui.widgets.source_view import SourceView

_LOG_LINES: Final = 400
_COMMANDS: Final = 50
_NAME: Final = 18
_WIDTH: Final = 80
"""Columns of a value's name with its margin, and of all where nothing else is known."""
_ROLES: Final[dict[str, Role]] = {"done": "good", "rejected": "bad", "accepted": "accent"}


@dataclass(frozen=True, slots=True, eq=False)
class SystemBody:
    """How the machinery stands: statuses by key, commands newest first, the log, bytes by file."""

    process: int | None
    statuses: Mapping[str, Status]
    commands: tuple[Command, ...]
    log: str
    disk: tuple[tuple[str, int], ...]
    free: int


@dataclass(frozen=True, slots=True)
class SystemQuestion:
    """The machinery of the attached run."""

    def answer(self, run: OpenRun) -> SystemBody:
        """Read it."""
        folder = run.folder
        files: dict[str, int] = {}
        for path in folder.rglob("*"):
            if path.is_file():
                name = path.relative_to(folder).parts[0]
                files[name] = files.get(name, 0) + path.stat().st_size
        return SystemBody(
            process=engine_process(folder),
            statuses=run.reader.statuses(),
            commands=tuple(commands.recent(folder, _COMMANDS)),
            log=log_tail(folder / LOG_NAME, lines=_LOG_LINES),
            disk=tuple(sorted(files.items(), key=lambda entry: -entry[1])),
            free=shutil.disk_usage(folder).free,
        )


def machinery(body: SystemBody, header: Header | None, width: int = _WIDTH) -> Text:
    """Return what engine, policy and sandbox say of themselves, no line wider than `width`."""
    text = Text()

    def title(name: str) -> None:
        text.append(f"{chr(10) if text.plain else ''}{name}\n", style="bold")

    def line(name: str, value: str) -> None:
        for part in textwrap.wrap(one_line(value), max(8, width - _NAME)) or [""]:
            text.append(f"  {one_line(name):<{_NAME - 3}} ", style="dim")
            text.append(f"{part}\n")
            name = ""

    def value(key: str) -> dict[str, object]:
        status = body.statuses.get(key)
        held = status.value if status is not None else None
        return held if isinstance(held, dict) else {}

    engine = value("engine")
    title("engine")
    if header is not None:
        line("state", header.state.state)
    line("process", "none" if body.process is None else str(body.process))
    beat = engine.get("heartbeat")
    line("heartbeat", age(beat) if isinstance(beat, int | float) else "never")
    started = engine.get("started")
    line("started", age(started) if isinstance(started, int | float) else "–")
    policy = value("policy")
    title("policy")
    if not policy:
        line("", "no engine has run yet")
    for key, held in policy.items():
        line(key.replace("_", " "), _plain(held))
    sandbox = value("sandbox")
    title("sandbox")
    if not sandbox:
        line("", "no engine has run yet")
    for key, held in sandbox.items():
        if key not in ("layers", "kills"):
            line(key.replace("_", " "), _plain(held))
    kills, layers = sandbox.get("kills"), sandbox.get("layers")
    if isinstance(kills, dict):
        line("ended early", ", ".join(f"{_plain(n)} {k}" for k, n in kills.items()) or "none")
    if isinstance(layers, dict):
        on = [one_line(str(name)) for name, state in layers.items() if state == "on"]
        line("layers on", f"{len(on)} of {len(layers)}")
        line("", ", ".join(on))
        for name, state in layers.items():
            if state != "on":
                line("", f"– {name}: {state}")
    title("disk")
    for name, held_bytes in body.disk[:8]:
        line(name, size(held_bytes))
    line("free", size(body.free))
    others = {
        key: body.statuses[key].value
        for key in sorted(body.statuses.keys() - {"engine", "policy", "sandbox"})
    }
    for key, held in others.items():
        if isinstance(held, dict):
            title(one_line(key))
            for name, inner in held.items():
                line(str(name).replace("_", " "), _plain(inner))
    plain = {key: held for key, held in others.items() if not isinstance(held, dict)}
    if plain:
        title("more")
    for key, held in plain.items():
        line(key, _plain(held))
    return text


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def gone(before: str, now: str) -> int:
    """Return how many lines the end of a log has lost at its beginning since it was read before.

    So many bytes of it are read, so the first line of either may be cut.
    """
    old, new = before.splitlines(), now.splitlines()
    shifts = (k for k in range(len(old)) if old[k + 1 :] == new[1 : len(old) - k])
    return next(shifts, 0)


def _command_row(command: Command) -> Row:
    took = "–" if command.answered is None else duration(command.answered - command.sent)
    return Row(
        command.id,
        (
            (one_line(command.name), "text"),
            (command.state, _ROLES.get(command.state, "warn")),
            (took, "muted"),
            (age(command.sent), "muted"),
            (one_line(command.reply or ""), "text"),
        ),
    )


class System(Place):
    """The machinery at the left, commands and the engine's log at the right."""

    place = "system"
    every = 1.0
    BINDINGS: ClassVar[list[BindingType]] = bindings("system")

    def __init__(self) -> None:
        super().__init__()
        self._body: SystemBody | None = None
        self._following = True
        self._log: str | None = None

    def compose_place(self) -> ComposeResult:
        with Horizontal(id="both"):
            with VerticalScroll(id="left", classes="pane", can_focus=True):
                yield Static("", id="machinery", markup=False)
            with Vertical(id="right"):
                yield Rows(
                    (
                        Column("command"),
                        Column("state"),
                        Column("answered in", "right", drop=2),
                        Column("sent", "right", drop=1),
                        Column("answer", most=80),
                    ),
                    id="commands",
                    classes="pane",
                )
                yield SourceView(id="log", classes="pane")

    def question(self) -> SystemQuestion:
        return SystemQuestion()

    def forget_run(self) -> None:
        super().forget_run()
        self._log = None

    def forget_answer(self) -> None:
        self._body = None

    def show(self, body: object) -> None:
        assert isinstance(body, SystemBody)
        self._body = body
        entitle(self.query_one("#left"), "machinery")
        told_of = self.query_one("#machinery", Static)
        width = told_of.content_size.width or _WIDTH
        put(told_of, machinery(body, self.soar.header, width))
        told = self.query_one("#commands", Rows)
        entitle(
            told,
            "commands and answers" if body.commands else "no command sent yet (p, r, X send one)",
        )
        told.show([_command_row(command) for command in body.commands])
        log = self.query_one("#log", SourceView)
        entitle(log, f"{LOG_NAME}" + (", its end" if self._following else ""))
        if body.log != self._log:
            at = log.scroll_offset.y - gone(self._log or "", body.log)
            self._log = body.log
            log.show_text(body.log or "(the engine has written nothing)", at=at)
        if self._following:
            # Each time, for before its first layout a log has no end to go to.
            self.call_after_refresh(log.scroll_end, animate=False)
        self.focus_first(log)

    def do_follow(self) -> None:
        """Keep the end of the log in view, or leave it where it is."""
        self._following = not self._following
        if self._following:
            self.query_one("#log", SourceView).scroll_end(animate=False)
        self.soar.ask()

    def copied(self) -> tuple[str, str] | None:
        body = self._body
        return None if body is None else ("engine.log", body.log)

    def exported(self) -> dict[str, str] | None:
        body = self._body
        if body is None:
            return None
        return {"system.txt": machinery(body, self.soar.header).plain, "engine-log.txt": body.log}


PLACE = System
