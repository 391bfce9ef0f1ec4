"""What the keys of everywhere do, and why they may not do it now.

Each handler takes the app. A place's own handler of the same name comes first, so that a key can
mean more where there is more to say.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from platformdirs import user_cache_path
from textual.command import CommandPalette

from engine.archive.catalogue import CatalogueError
from engine.programs.candidate import split_candidate_id
from soar_tui import steering
from soar_tui.keys import INSIDE, OF_PLACE, PLACES, shown
from soar_tui.sanitise import many_lines, one_line

if TYPE_CHECKING:
    from soar_tui.app import SoarApp

ALIVE: Final = frozenset({"running", "paused", "draining", "stalled"})
OF_CANDIDATE: Final = frozenset({*(f"go-{name}" for _, name, _ in INSIDE), "bookmark"})
"""Keys that act on one candidate."""
_NO_RUN = "no run is attached: 0 lists the runs"


def run(app: SoarApp, key: str) -> None:
    """Carry out a key's action, or say why not."""
    reason = why_not(app, key)
    if reason is not None:
        app.tell(reason, severity="warning")
        return
    if key in OF_CANDIDATE:
        _select_candidate(app)
    name = f"do_{key.replace('-', '_')}"
    own = getattr(app.current_place, name, None)
    if own is not None:
        own()
    else:
        _HANDLERS[key](app)
    place = app.current_place
    if place is not None:
        place.refresh_chrome()


def _select_candidate(app: SoarApp) -> None:
    """Have the app look at the candidate that the place's keys act on."""
    candidate = None if app.current_place is None else app.current_place.candidate
    if candidate is not None and candidate != app.view.candidate:
        _, task, _ = split_candidate_id(candidate)
        narrowed = {} if task == app.view.task else {"pattern": None, "parent": None}
        app.look(candidate=candidate, task=task, **narrowed)


def handled(key: str) -> bool:
    """Whether a key of everywhere has a handler here."""
    return key in _HANDLERS


def why_not(app: SoarApp, key: str) -> str | None:
    """Return why a key's action cannot run now, as a sentence for the user; None when it can."""
    place = app.current_place
    if place is None:
        return "the app is still starting"
    own = place.why_not(key)
    if own is not None:
        return own
    if key in {entry.id for entry in OF_PLACE.get(place.place, ())}:
        return None
    if key in _REASONS:
        return _REASONS[key](app)
    return None


# Reasons


def _no_engine(app: SoarApp) -> str | None:
    if app.folder is None or app.header is None:
        return _NO_RUN
    if app.header.state.state not in ALIVE:
        return f"no engine is running (the run is {app.header.state.state}): r starts one"
    return None


def _no_pause(app: SoarApp) -> str | None:
    if app.header is not None and app.header.state.state == "draining":
        return "the engine is draining: nothing new starts anyway"
    return _no_engine(app)


def _no_candidate(app: SoarApp) -> str | None:
    if app.folder is None:
        return _NO_RUN
    if app.current_place is None or app.current_place.candidate is None:
        return "no candidate is selected: choose one in Candidates (5) or Task (2)"
    return None


def _no_filter(app: SoarApp) -> str | None:
    place = app.current_place
    return None if place is not None and place.filters else "there is no list to filter here"


def _no_match(app: SoarApp) -> str | None:
    place = app.current_place
    if place is not None and place.filters and not place.filtered:
        return "nothing is being looked for: / looks for a text"
    return _no_filter(app)


def _nothing_to_copy(app: SoarApp) -> str | None:
    place = app.current_place
    return None if place is not None and place.copied() else "nothing is selected to copy here"


def _nothing_to_export(app: SoarApp) -> str | None:
    if app.folder is None:
        return _NO_RUN
    place = app.current_place
    return None if place is not None and place.exported() else "there is nothing to export here yet"


def _no_run(app: SoarApp) -> str | None:
    return _NO_RUN if app.folder is None else None


_REASONS: Final[dict[str, Callable[[SoarApp], str | None]]] = {
    "pause": _no_pause,
    "stop": _no_engine,
    "start": _no_run,
    "go-chain": _no_candidate,
    "go-diff": _no_candidate,
    "go-prompt": _no_candidate,
    "bookmark": _no_candidate,
    "filter": _no_filter,
    "next-match": _no_match,
    "previous-match": _no_match,
    "copy": _nothing_to_copy,
    "export": _nothing_to_export,
    "freeze": _no_run,
    "back": lambda app: None,
}


# Handlers


def _go(name: str) -> Callable[[SoarApp], None]:
    return lambda app: app.go(name)


def _back(app: SoarApp) -> None:
    place = app.current_place
    if place is not None and place.filtering:
        place.end_filter()
    elif app.screen.maximized is not None:
        app.screen.minimize()
    elif place is not None and place.filtered:
        place.end_filter(clear=True)
    elif not app.go_back():
        app.tell("this is where you began; q leaves the app")


def _previous(app: SoarApp) -> None:
    if app.came_from is None:
        app.tell("there is no previous place yet")
    else:
        app.go(app.came_from)


def _help(app: SoarApp) -> None:
    from soar_tui.screens.help import Help

    app.push_screen(Help(app.screen.active_bindings, app.focused, app.current_mode))


def _palette(app: SoarApp) -> None:
    app.push_screen(CommandPalette(placeholder="the name of an action or a place"))


def _filter(app: SoarApp) -> None:
    if app.current_place is not None:
        app.current_place.begin_filter()


def _match(step: int) -> Callable[[SoarApp], None]:
    def go(app: SoarApp) -> None:
        if app.current_place is not None:
            app.current_place.step_match(step)

    return go


def _maximise(app: SoarApp) -> None:
    place = app.current_place
    if app.screen.maximized is not None:
        app.screen.minimize()
        return
    pane = place.focused_pane() if place is not None else None
    if pane is None or not app.screen.maximize(pane, container=False):
        app.tell("no pane has focus: Tab goes from pane to pane")


def _glyphs(app: SoarApp) -> None:
    app.look(digits=not app.view.digits)
    for place in app.places_made():
        place.show_digits()


def _freeze(app: SoarApp) -> None:
    app.frozen = not app.frozen
    app.ask()


def _pause(app: SoarApp) -> None:
    assert app.folder is not None and app.header is not None
    paused = app.header.state.state == "paused"
    steering.command(app, app.folder, "resume" if paused else "pause")


def _start(app: SoarApp) -> None:
    from soar_tui.screens.start_menu import StartMenu

    assert app.folder is not None
    app.push_screen(StartMenu(app.folder, app.header))


def _stop(app: SoarApp) -> None:
    from soar_tui.screens.confirm import Confirm

    folder = app.folder
    assert folder is not None
    question = (
        "Stop the engine at once? Pulls under way are dropped and made again\n"
        "when it is started on this run. Draining (r) would let them finish."
    )

    def answered(yes: bool | None) -> None:
        if yes:
            steering.command(app, folder, "stop")

    app.push_screen(Confirm(question, word=folder.name), answered)


def _copy(app: SoarApp) -> None:
    copied = app.current_place.copied() if app.current_place else None
    assert copied is not None
    name, text = copied
    app.copy_to_clipboard(many_lines(text))
    path = user_cache_path("soar-tui", appauthor=False) / "copied" / name
    _write(app, {path: text}, "copied to the clipboard (OSC 52) and to")


def _export(app: SoarApp) -> None:
    files = app.current_place.exported() if app.current_place else None
    assert files is not None and app.folder is not None
    folder = app.folder / "exports"
    _write(app, {folder / name: text for name, text in files.items()}, "written to")


def _write(app: SoarApp, files: dict[Path, str], done: str) -> None:
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        app.tell(f"{error.filename}: {error.strerror}", severity="error")
    else:
        app.tell(f"{done} {', '.join(str(path) for path in files)}")


def _theme(app: SoarApp) -> None:
    names = [name for name in app.available_themes if name in app.own_themes]
    place = names.index(app.theme) if app.theme in names else -1
    app.theme = names[(place + 1) % len(names)]
    app.tell(f"theme {app.theme}")
    try:
        app.desk.prefer("theme", app.theme)
    except CatalogueError as error:
        app.tell(str(error), severity="error")


def _bookmark(app: SoarApp) -> None:
    from soar_tui.screens.note import Note

    folder, candidate = app.folder, app.view.candidate
    assert folder is not None and candidate is not None

    def written(answer: tuple[bool, str] | None) -> None:
        if answer is None:
            return
        try:
            app.desk.bookmark(folder, candidate, on=answer[0])
            app.desk.write_note(folder, candidate, answer[1])
        except CatalogueError as error:
            app.tell(str(error), severity="error")
        else:
            app.tell("bookmarked" if answer[0] else "bookmark taken away")
            app.read_bookmarks()
            app.ask()

    try:
        marked = candidate in app.desk.bookmarks(folder)
        note = app.desk.note(folder, candidate)
    except CatalogueError as error:
        app.tell(str(error), severity="error")
        return
    app.push_screen(Note(candidate, note, marked=marked), written)


def _quit(app: SoarApp) -> None:
    header = app.header
    message = None
    if app.folder is not None and header is not None and header.state.state in ALIVE:
        name = one_line(app.folder.name)
        message = (
            f"{name} goes on by itself.\n"
            f"  watch it   soar-tui attach {name}\n"
            f"  end it     soar-tui stop {name}"
        )
    app.exit(message=message)


_HANDLERS: Final[dict[str, Callable[[SoarApp], None]]] = {
    **{f"go-{name}": _go(name) for _, name, _ in (*PLACES, *INSIDE)},
    "back": _back,
    "previous": _previous,
    "help": _help,
    "palette": _palette,
    "filter": _filter,
    "next-match": _match(1),
    "previous-match": _match(-1),
    "maximise": _maximise,
    "glyphs": _glyphs,
    "freeze": _freeze,
    "pause": _pause,
    "start": _start,
    "copy": _copy,
    "export": _export,
    "theme": _theme,
    "bookmark": _bookmark,
    "quit": _quit,
    "stop": _stop,
}

__all__ = ["ALIVE", "OF_CANDIDATE", "handled", "run", "shown", "why_not"]
