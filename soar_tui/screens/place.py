"""What every place shares: the lines around it, its question to the feed, and its states.

A place is a screen of its own. It says what it wants to know (`question`), is shown the answer
(`show`), and has handlers `do_…` for the keys that `soar_tui.keys` gives it. While there is
nothing to show it says why, and which key changes that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from soar_tui.feed import Trouble
from soar_tui.sanitise import one_line
from soar_tui.screens.chrome import HeaderLine, KeyLine, PlaceBar
from soar_tui.screens.put import put
from soar_tui.widgets.strips import cut

if TYPE_CHECKING:
    from soar_tui.app import SoarApp
    from soar_tui.feed import GlobalQuestion, Header, Question
    from soar_tui.view import View

LEAST = (80, 24)
"""Columns and lines a place is laid out for; below them it says so and shows the main thing."""

_HIGH = 36
"""Lines from which on there is room for more than the last line of a log."""

LOADING = "reading …"


class Say(Static):
    """One still line or a few in the middle of an empty pane."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", id=id, classes=classes, markup=False)


class Place(Screen[None]):
    """A place of the app; `place` is its name in soar_tui.keys, BINDINGS are those of the table."""

    place: ClassVar[str] = ""
    every: ClassVar[float | None] = None
    """Seconds after which its question is asked again even if the archive has not changed."""
    needs_run: ClassVar[bool] = True
    AUTO_FOCUS = ""
    ALLOW_IN_MAXIMIZED_VIEW = "#filter, #keys"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (80, "-narrow"), (110, "-medium"), (160, "-wide")]  # noqa: RUF012 - Textual's
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (24, "-low"), (_HIGH, "-high"), (55, "-tall")]  # noqa: RUF012 - Textual's

    def __init__(self) -> None:
        super().__init__()
        self._shown = False

    @property
    def soar(self) -> SoarApp:
        """The app this place is in."""
        from soar_tui.app import SoarApp

        assert isinstance(self.app, SoarApp)
        return self.app

    @property
    def view(self) -> View:
        """What of the run is being looked at."""
        return self.soar.view

    @property
    def busy(self) -> bool:
        """Whether it is still making what it shows of its answer."""
        return False

    def at_rest(self) -> bool:
        """Whether nothing may move by itself here: the view is frozen, or of a hidden place."""
        return self.soar.frozen or self.soar.current_place is not self

    # What a place says for itself

    @property
    def candidate(self) -> int | None:
        """The candidate that keys about one act on (None: there is none)."""
        return self.view.candidate

    def question(self) -> Question | GlobalQuestion | None:
        """Return what this place wants to know now (None: nothing)."""
        return None

    def show(self, body: object) -> None:
        """Show an answer. Call `say` instead when there is nothing in it."""
        raise NotImplementedError

    def compose_place(self) -> ComposeResult:
        """Yield the place's panes."""
        raise NotImplementedError
        yield  # makes this a generator

    def why_not(self, key: str) -> str | None:
        """Return why the action of a key cannot run now, or None."""
        return None

    def copied(self) -> tuple[str, str] | None:
        """Return what `y` copies: a file name and a text (None: nothing is selected)."""
        return None

    def exported(self) -> dict[str, str] | None:
        """Return what `e` exports: texts by file name (None: there is nothing)."""
        return None

    def filter(self, text: str) -> None:
        """Show only what holds a text; "" shows everything."""
        self.soar.look(text=text)

    filters: ClassVar[bool] = False
    """Whether `/` works here."""

    @property
    def filtered(self) -> str:
        """The text that all of what is shown holds, "" where everything is."""
        return self.view.text if self.filters else ""

    def step_match(self, step: int) -> None:
        """Go to the next (1) or the previous (-1) line that holds the text."""
        raise NotImplementedError

    # What all of them do

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        yield PlaceBar(self.place)
        yield Static("", id="banner", markup=False)
        yield Say(id="say")
        with Container(id="content"):
            yield from self.compose_place()
        line = Input(id="filter", placeholder="only what holds this text", compact=True)
        line.cursor_blink = False  # a blinking cursor sends bytes for ever
        yield line
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin with nothing to show but that it is being read."""
        self.query_one("#filter").display = False
        self.query_one("#banner").display = False
        self.query_one("#say").display = False
        self.show_digits()
        self.begin()  # now, lest all be laid out once more to say it

    def begin(self) -> Question | GlobalQuestion | None:
        """Say what is waited for, unless an earlier answer is in view; return the question."""
        if self.needs_run and self.soar.folder is None:
            self.say_no_run()
            return None
        question = self.question()
        if question is not None:
            self.say_loading()
        return question

    def on_screen_resume(self) -> None:
        """Ask for what this place shows."""
        if self.is_current:
            self.soar.ask()
        self.refresh_chrome()

    def on_resize(self) -> None:
        """Keep focus and the maximised view to what is shown in the new size."""
        self.call_after_refresh(self._leave_hidden)

    def _leave_hidden(self) -> None:
        if self.maximized is not None and not is_shown(self.maximized):
            self.minimize()
        if self.focused is not None and not is_shown(self.focused):
            self.focus_main()

    def on_descendant_focus(self) -> None:
        """Show the keys of what has focus now."""
        self.refresh_chrome()

    def forget_run(self) -> None:
        """Drop what is shown: another run is looked at from now on."""
        self._shown = False
        self.forget_answer()

    def forget_answer(self) -> None:
        """Drop what was answered last, for no key may act on what is not in view."""

    def begin_filter(self) -> None:
        """Open the line in which the text to look for is written."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.value = self.filtered
        line.focus()

    @property
    def filtering(self) -> bool:
        """Whether the line in which the text to look for is written is open."""
        return self.is_mounted and bool(self.query_one("#filter").display)

    def end_filter(self, *, clear: bool = False) -> None:
        """Close it again, and show everything if `clear`."""
        line = self.query_one("#filter", Input)
        line.display = False
        if clear:
            self.filter("")
        self.focus_main()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Look for the text that was written."""
        if event.input.id == "filter":
            event.stop()
            self.filter(event.value.strip())
            self.end_filter()

    def focus_main(self) -> None:
        """Give focus to the main pane."""
        for widget in self.query("#content *"):
            if widget.focusable and is_shown(widget):
                widget.focus()
                return

    def focus_first(self, pane: Widget) -> None:
        """Give focus to a pane if nothing has it; to the main one where the terminal hides this."""
        if self.focused is not None:
            return
        if is_shown(pane):
            pane.focus()
        else:
            self.focus_main()

    def say(self, text: str) -> None:
        """Show words in place of the content."""
        say = self.query_one("#say", Say)
        say.update("\n".join(one_line(line) for line in text.split("\n")))
        say.display = True
        self.query_one("#content").display = False
        self._shown = False
        if self.maximized is not None and text != LOADING:
            self.minimize()  # nothing but the pane is seen there

    def say_no_run(self) -> None:
        """Say that there is no run to look at, and what to do."""
        self.say(
            "No run is attached.\n\n0  choose a run or start one\n\nThe engine of a run goes on\nwhether or not anyone watches."
        )

    def take(self, body: object) -> None:
        """Show an answer of the feed, or why there is none."""
        if body is None or isinstance(body, Trouble):
            self.forget_answer()
        if isinstance(body, Trouble):
            self.say(body.text)
            return
        say = self.query_one("#say", Say)
        if say.display:
            say.display = False
            self.query_one("#content").display = True
        self._shown = True
        self.show(body)
        self.refresh_chrome()

    def say_loading(self) -> None:
        """Say that the answer is on its way, unless an earlier one is in view."""
        if not self._shown:
            self.say(LOADING)

    def show_header(self, header: Header | None, banner: str | None, *, frozen: bool) -> None:
        """Show how the run stands, and beneath it what is wrong with it."""
        name = None if self.soar.folder is None else self.soar.folder.name
        self.query_one(HeaderLine).show(header, name, frozen=frozen)
        if banner is None and (self.size.width < LEAST[0] or self.size.height < LEAST[1]):
            banner = f"{self.size.width}×{self.size.height} is small: {LEAST[0]}×{LEAST[1]} shows all panes"
        line = self.query_one("#banner", Static)
        line.display = banner is not None
        said, *log = (banner or "").split("\n")
        if self.size.height < _HIGH:
            log = log[-1:]
        put(line, Text("\n".join([said, *(cut(one, self.size.width - 2) for one in log)])))

    def refresh_chrome(self) -> None:
        """Bring the key line up to date."""
        if not self.is_mounted or not self.is_current:
            return
        keys = []
        for active in self.active_bindings.values():
            binding = active.binding
            if binding.show:
                name = act_of(binding.action)
                works = name is None or self.soar.why_not(name) is None
                keys.append((binding.action, binding.key, binding.description, works))
        line = list(dict.fromkeys(keys))
        line.sort(key=lambda entry: act_of(entry[0]) == "help")
        self.query_one(KeyLine).show(line)

    def focused_pane(self) -> Widget | None:
        """Return what `z` maximises."""
        return self.focused if self.focused is not None and is_shown(self.focused) else None

    def show_digits(self) -> None:
        """Write digits into the cells of grids, or not, as the view has it."""
        for widget in self.query(Widget):
            if hasattr(widget, "digits"):
                # None leaves it to theme and terminal, which may need digits anyway.
                widget.digits = True if self.view.digits else None


def is_shown(widget: Widget) -> bool:
    """Whether neither a widget nor anything it is in is hidden, as panes are for want of room."""
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))


def act_of(action: str) -> str | None:
    """Return the key's id in an action `app.act('id')`, None for a widget's own action."""
    return action[9:-2] if action.startswith("app.act('") else None
