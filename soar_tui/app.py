"""The app: its places, what is looked at, and the actions that belong to no place.

The app reads through `soar_tui.feed` and acts through `soar_tui.steering`; it holds no truth of
its own. What is looked at is one frozen `View`, saved per run whenever it changes, so that a
killed terminal comes back where it was.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import msgspec
from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.events import Resize
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen

from engine.archive.catalogue import CatalogueError
from soar_tui import actions, keys, places
from soar_tui.banner import banner
from soar_tui.desk import Desk
from soar_tui.feed import Feed, GlobalQuestion, Header, Question
from soar_tui.messages import FeedFailed, Fetched, FrameArrived, SaveFailed
from soar_tui.sanitise import in_markup, many_lines
from soar_tui.screens.place import Place
from soar_tui.themes import ARC_DEFAULTS, DEFAULT_THEME, load_themes
from soar_tui.view import View, from_document, to_document

_SAVE_SECONDS = 0.5
_INSIDE_RUN = frozenset({"chain", "diff", "prompt"})
Whereabouts: TypeAlias = tuple[Path | None, str]
"""A run's folder (None: none) and a place."""
_BETWEEN_SECONDS = 0.05
"""Between two places that are made ahead: a key pressed meanwhile waits for one of them at most."""


class SoarApp(App[None]):
    """The terminal app, looking at one run at a time.

    `folder`: the run to attach to at the start (None: the places of the last session, or Runs).
    `desk` holds bookmarks, notes and preferences.
    """

    TITLE = "soar-tui"
    # All at once: a style sheet that comes with a screen has every other one parsed again.
    CSS_PATH = sorted((Path(__file__).parent / "screens").glob("*.tcss"))
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings()
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {**places.MAKERS}

    def __init__(self, folder: Path | None = None, *, desk: Desk | None = None) -> None:
        super().__init__()
        self.folder: Path | None = None
        self.header: Header | None = None
        self.view = View(place="runs")
        self.frozen = False
        self.desk = desk or Desk()
        self.feed = Feed(
            lambda frame: self._post(FrameArrived(frame)),
            lambda error: self._post(FeedFailed(error)),
            lambda job: self._post(Fetched(job)),
        )
        self._first = folder
        self._asking: Place | None = None
        self._question: Question | GlobalQuestion | None = None
        self._answered: Question | GlobalQuestion | None = None
        self._before: list[str] = []
        self._unsaved = False
        self._saving = threading.Lock()
        self._bookmarks: frozenset[int] = frozenset()
        self._themes = load_themes()
        self.own_themes = frozenset(theme.name for theme in self._themes.themes)
        self._begin_with_theme()

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    # Beginning and end

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the grid colours of themes that bring none."""
        return ARC_DEFAULTS

    def on_mount(self) -> None:
        """Load the keymap, go where the user was, and begin to poll."""
        self._load_keymap()
        self.set_interval(_SAVE_SECONDS, self._save)
        self.feed.start()
        if self._first is not None:
            self.attach(self._first)
        else:
            self.go("runs", remember=False)

    def on_unmount(self) -> None:
        """Save the view and end the feed."""
        self.feed.stop()
        self._save_now()

    def _begin_with_theme(self) -> None:
        for theme in self._themes.themes:
            self.register_theme(theme)
        preferred = self.desk.preference("theme")
        name = preferred if preferred in self.own_themes else DEFAULT_THEME
        # A theme that is set later has all style sheets parsed again, twice.
        self.set_reactive(App.theme, name)
        dark = self.current_theme.dark
        self.set_class(dark, "-dark-mode", update=False)
        self.set_class(not dark, "-light-mode", update=False)
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet.set_variables(self.get_css_variables())

    def _load_keymap(self) -> None:
        # Most users have none, and need not wait for the widgets of other places.
        of_widgets: frozenset[str] = frozenset()
        if keys.keymap_path().exists():
            from soar_tui.widgets.bindings import widget_binding_ids

            of_widgets = widget_binding_ids()
        keymap = keys.load_keymap(of_widgets=of_widgets)
        self.set_keymap(dict(keymap.keys))
        faults = [fault.text for fault in self._themes.faults] + list(keymap.faults)
        if self.desk.fault:
            faults.append(self.desk.fault)
        if faults:
            self.tell("\n".join(faults), severity="warning", title="left out")

    # Actions

    def action_act(self, key: str) -> None:
        """Carry out the action of a key of soar_tui.keys, or say why not."""
        actions.run(self, key)

    def why_not(self, key: str) -> str | None:
        """Return why a key's action cannot run now, or None."""
        return actions.why_not(self, key)

    def tell(self, text: str, *, severity: str = "information", title: str = "") -> None:
        """Show a short message for a few seconds."""
        levels: dict[str, SeverityLevel] = {
            "information": "information",
            "warning": "warning",
            "error": "error",
        }
        shown = many_lines(text)
        self.notify(shown, title=title, severity=levels[severity], markup=False)

    def show_log(self, text: str) -> None:
        """Show why something failed, with the end of its log."""
        from soar_tui.screens.log import Log

        self.push_screen(Log(text))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield every action of the key table for the palette."""
        place = self.current_place
        own = keys.OF_PLACE.get(place.place, ()) if place is not None else ()
        named = {key.id for key in own}
        for key in (*own, *(entry for entry in keys.EVERYWHERE if entry.id not in named)):
            reason = self.why_not(key.id)
            about = key.help if reason is None else f"not now: {reason}"
            yield SystemCommand(
                f"{key.label} ({keys.shown(key.keys)})",
                in_markup(about),
                partial(self.action_act, key.id),
            )

    def places_made(self) -> list[Place]:
        """Return the places entered so far."""
        bottoms = [stack[0] for stack in self._screen_stacks.values() if stack]
        return [screen for screen in bottoms if isinstance(screen, Place)]

    @work(group="places")
    async def _make_places(self) -> None:
        """Import and mount the other places while the user looks at this one.

        What is left to a first visit is what a later one takes: an answer, and showing it.
        """
        await asyncio.to_thread(places.import_all)
        for name in self.MODES:
            if name not in self._screen_stacks:
                await self._init_mode(name)
                await asyncio.sleep(_BETWEEN_SECONDS)

    async def _shutdown(self) -> None:
        # Textual goes through all screens to close them, so none may be made meanwhile.
        self.workers.cancel_group(self, "places")
        await super()._shutdown()

    # What is looked at

    @property
    def current_place(self) -> Place | None:
        """The place that is shown, beneath whatever lies over it."""
        bottom = self.screen_stack[0] if self.screen_stack else None
        return bottom if isinstance(bottom, Place) else None

    def attach(self, folder: Path, *, place: str | None = None) -> None:
        """Look at a run: at its saved place and selection, or at a place given."""
        self._save_now()
        self.folder = folder
        self.header = None
        self.frozen = False
        # What is under way answers for the run before, though in the same words.
        self._asking = self._question = self._answered = None
        view = from_document(self.desk.view(folder))
        if view.place in ("runs", *_INSIDE_RUN):
            view = msgspec.structs.replace(view, place="overview")
        self.view = view
        self.feed.attach(folder)
        self.desk.opened(folder)
        self.read_bookmarks()
        for made in self.places_made():
            made.forget_run()
            made.show_digits()
        there = place or view.place
        if there != self.current_mode:
            self.go(there)
        else:
            self.look(place=there)
            self.ask()

    @property
    def whereabouts(self) -> Whereabouts:
        """Which run is looked at, and at which place."""
        return self.folder, self.current_mode

    def engine_ready(self, folder: Path, asked: Whereabouts) -> bool:
        """Look at a run whose engine was asked for at a place and is ready; False: it is not shown.

        Starting takes up to a minute. Who has a dialog open by then, writes what to look for or
        went elsewhere is left there: the next letter typed would mean something else.
        """
        shown = self.current_place
        writes = len(self.screen_stack) > 1 or (shown is not None and shown.filtering)
        there = self.whereabouts == asked and not writes
        if folder == self.folder and not (there and asked[1] == "runs"):
            self.feed.attach(folder)
            self.ask()
            return True
        if there:
            self.attach(folder)
        return there

    def look(self, **changes: object) -> None:
        """Change what is looked at and ask the feed for it."""
        view = msgspec.structs.replace(self.view, **changes)
        if view != self.view:
            self.view = view
            self._unsaved = True
            self.ask()

    def go(self, name: str, *, remember: bool = True) -> None:
        """Switch to a place."""
        present = self.current_mode
        if name == present:
            return
        if remember and present in self.MODES:
            self._before.append(present)
            del self._before[:-50]
        self.view = msgspec.structs.replace(self.view, place=name)
        self._unsaved = True
        self.switch_mode(name)

    def go_back(self) -> bool:
        """Go where one came from; False when there is nowhere."""
        if not self._before:
            return False
        self.go(self._before.pop(), remember=False)
        return True

    @property
    def came_from(self) -> str | None:
        """The place before this one."""
        return self._before[-1] if self._before else None

    def ask(self) -> None:
        """Have the feed answer what the shown place wants to know."""
        place = self.current_place
        if place is None or not place.is_mounted:
            return  # it asks for itself once it is there
        self._asking, self._question = place, place.begin()
        self.feed.ask(self._question, every=place.every)
        self._show_header()

    @property
    def up_to_date(self) -> bool:
        """Whether what is shown answers what the shown place wants to know."""
        place = self.current_place
        if place is None or not place.is_current or not self._has_asked(place):
            return False
        return (self._question is None or self._answered == self._question) and not place.busy

    def _has_asked(self, place: Place) -> bool:
        """Whether a place is there and what is being answered is its question.

        One that was just switched to has yet to ask; answers still come for the one before.
        """
        return place.is_mounted and place is self._asking

    def bookmarks(self) -> frozenset[int]:
        """Return the bookmarked candidates of the attached run."""
        return frozenset() if self.folder is None else self._bookmarks

    def read_bookmarks(self) -> None:
        """Read the bookmarks of the attached run anew."""
        if self.folder is None:
            return
        try:
            self._bookmarks = self.desk.bookmarks(self.folder)
        except CatalogueError as error:
            self.tell(str(error), severity="error")

    # What the feed says

    def on_frame_arrived(self, message: FrameArrived) -> None:
        """Show a frame, then let the feed make the next one."""
        frame = message.frame
        of_this_run = frame.folder == self.folder
        if frame.header is not None and of_this_run:
            self.header = frame.header
        self._show_header()
        place = self.current_place
        if (
            of_this_run
            and place is not None
            and self._has_asked(place)
            and frame.answered
            and frame.question == self._question
            and not (self.frozen and self._answered == frame.question)
        ):
            first = self._answered is None
            self._answered = frame.question
            place.take(frame.body)
            if first:
                self._make_places()
        self.call_after_refresh(self.feed.taken)

    def on_fetched(self, message: Fetched) -> None:
        """Show what was read."""
        message.job()

    def on_feed_failed(self, message: FeedFailed) -> None:
        """Let a defect be seen as one."""
        raise message.error

    def _show_header(self) -> None:
        place = self.current_place
        if place is not None and place.is_mounted:
            said = None if self.header is None else banner(self.header)
            place.show_header(self.header, said, frozen=self.frozen)
            place.refresh_chrome()

    def on_resize(self, event: Resize) -> None:
        """Say again whether the terminal is too small."""
        self.call_after_refresh(self._show_header)

    def _save(self) -> None:
        if self._unsaved and self.folder is not None and not self._saving.locked():
            write = partial(self._write_view, self.folder, self.view)
            self.run_worker(write, thread=True, group="save")

    def _save_now(self) -> None:
        # A save that was begun may be under way, or never come to its turn.
        if (self._unsaved or self._saving.locked()) and self.folder is not None:
            self._write_view(self.folder, self.view)

    def _write_view(self, folder: Path, view: View) -> None:
        with self._saving:  # one after the other, so that an old view never replaces a new one
            if folder != self.folder:
                return  # it was saved when that run was left
            self._unsaved = False
            if view != self.view:
                self._unsaved = True
                return
            try:
                self.desk.save_view(folder, to_document(view))
            except CatalogueError as error:
                self._post(SaveFailed(str(error)))

    def on_save_failed(self, message: SaveFailed) -> None:
        """Say why the view cannot be saved."""
        self.tell(message.text, severity="error")
