"""The keys of what has focus, from the very bindings that dispatch them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from soar_tui.keys import EVERYWHERE, OF_PLACE, PLACES, find, shown
from soar_tui.screens.place import act_of

if TYPE_CHECKING:
    from textual.binding import ActiveBinding


_WIDTH: Final = 66
"""Columns there are in the narrowest terminal."""


def sections(
    active: dict[str, ActiveBinding], focused: Widget | None, place: str
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the active keys in three groups: of the focused pane, of the place, of everywhere.

    Each line is the keys and what they do. Keys of one action stand on one line.
    """
    of_place = {key.id for key in OF_PLACE.get(place, ())}
    everywhere = {key.id for key in EVERYWHERE}
    groups: dict[str, dict[str, list[str]]] = {"pane": {}, "place": {}, "everywhere": {}}
    places = {f"go-{name}" for _, name, _ in PLACES}
    for key, binding in active.items():
        name = act_of(binding.binding.action)
        if name is not None and name in of_place:
            groups["place"].setdefault(find(name, place).help, []).append(shown(key))
        elif name is not None and name in places:
            groups["everywhere"].setdefault("go to a place of the bar", []).append(shown(key))
        elif name is not None and name in everywhere:
            groups["everywhere"].setdefault(find(name).help, []).append(shown(key))
        elif binding.node is focused and focused is not None and binding.binding.description:
            about = binding.binding.tooltip or binding.binding.description.lower()
            groups["pane"].setdefault(about, []).append(shown(key))
    titles = {"pane": "this pane", "place": f"{place}", "everywhere": "everywhere"}
    return [
        (titles[group], [(" ".join(dict.fromkeys(ks)), text) for text, ks in lines.items()])
        for group, lines in groups.items()
        if lines
    ]


class Help(ModalScreen[None]):
    """Lists keys; Escape closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", "close"),
        Binding("j", "down", "down", show=False),
        Binding("k", "up", "up", show=False),
    ]

    def __init__(
        self, active: dict[str, ActiveBinding], focused: Widget | None, place: str
    ) -> None:
        super().__init__()
        self._sections = sections(active, focused, place)
        self._place = place

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as box:
            box.border_title = "keys"
            box.border_subtitle = "j k scroll · Escape closes"
            text = Text()
            for title, lines in self._sections:
                text.append(f"{title}\n", style="bold")
                for keys, about in lines:
                    first, others = f"  {keys:<17} ", " " * 20
                    told = textwrap.fill(
                        about, _WIDTH, initial_indent=first, subsequent_indent=others
                    )
                    text.append(f"{told}\n")
                text.append("\n")
            text.append("Tab goes from pane to pane. Change keys in config.toml, [keys].")
            yield Static(text)

    def action_down(self) -> None:
        """Scroll down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """Scroll up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)
