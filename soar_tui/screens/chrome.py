"""The lines around every place: the run's header, the bar of places, the key line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.style import Style
from textual.strip import Strip

from engine.figures.numbers import count, duration, of, rate
from soar_tui.keys import INSIDE, PLACES, shown
from soar_tui.sanitise import one_line
from soar_tui.widgets.palette import Painted, Palette, Role
from soar_tui.widgets.strips import Part, fit

if TYPE_CHECKING:
    from engine.control import State
    from soar_tui.feed import Header

MARKS: Final[dict[str, tuple[str, Role]]] = {
    "new": ("○", "muted"),
    "running": ("●", "good"),
    "paused": ("‖", "warn"),
    "draining": ("◐", "warn"),
    "stalled": ("!", "bad"),
    "crashed": ("✗", "bad"),
    "stopped": ("■", "muted"),
    "finished": ("✓", "good"),
}
"""Sign and colour of each state of a run."""


def state_parts(state: State) -> tuple[str, Role]:
    """Return a state's sign and word, and the colour they have."""
    mark, role = MARKS[state]
    return f"{mark} {state}", role


class _Line(Painted):
    DEFAULT_CSS = """
    _Line { height: 1; width: 1fr; background: $panel; }
    """

    def parts(self, width: int) -> Sequence[Part]:
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        return fit(self.parts(self.size.width), self.size.width).apply_style(self.rich_style)


class HeaderLine(_Line):
    """The attached run in one line; it goes on counting while the view is frozen."""

    def __init__(self) -> None:
        super().__init__(id="header")
        self._header: Header | None = None
        self._name: str | None = None
        self._frozen = False

    def show(self, header: Header | None, name: str | None, *, frozen: bool) -> None:
        """Show how the run of this name stands (None: not known; no run is attached)."""
        if (header, name, frozen) != (self._header, self._name, self._frozen):
            self._header, self._name, self._frozen = header, name, frozen
            self.refresh()

    def parts(self, width: int) -> Sequence[Part]:
        palette = self.palette
        if self._header is None and self._name is not None:
            return [(f" {one_line(self._name)} ", palette.ink("primary", bold=True))]
        if self._header is None:
            return [
                (" soar-tui ", palette.ink("primary", bold=True)),
                (" no run attached", palette.ink("muted")),
            ]
        return header_parts(self._header, width, palette, frozen=self._frozen)


def header_parts(header: Header, width: int, palette: Palette, *, frozen: bool) -> list[Part]:
    """Return the header's parts, the less important ones left out where the width ends."""
    row, state, ink = header.row, header.state, palette.ink
    word, role = state_parts(state.state)
    if state.state == "stalled" and state.silent is not None:
        word += f" {duration(state.silent)}"
    # Each piece with its importance, in the order in which it stands.
    pieces: list[tuple[int, Part]] = [
        (0, (f" {one_line(header.folder.name)} ", ink("primary", bold=True))),
        (0, (f" {word} ", ink(role, bold=True))),
    ]
    if frozen:
        pieces.append((0, (" ❄ view frozen ", ink("accent", bold=True))))
    if row is not None:
        place = f" iteration {row.index + 1}/{max(header.iterations, row.index + 1)} "
        pieces.append((4, (place, ink("text"))))
        pieces.append((3, (f" {of(row.finished, row.tasks)} tasks ", ink("text"))))
        if row.known and row.solved is not None:
            pieces.append((1, (f" solved {of(row.solved, row.known)} ", ink("text", bold=True))))
        else:
            pieces.append((5, (" truth unknown ", ink("muted"))))
    pieces.append((2, (f" {count(header.candidates)} candidates ", ink("text"))))
    if header.rate is not None:
        pieces.append((1, (f" {rate(header.rate)} ", ink("accent"))))
    kept = pieces
    for importance in (5, 4, 3, 2, 1):
        if sum(len(part[0]) for _, part in kept) <= width:
            break
        kept = [piece for piece in kept if piece[0] < importance]
    return [part for _, part in kept]


class PlaceBar(_Line):
    """The places with their keys, the present one lit; a click goes there."""

    def __init__(self, place: str) -> None:
        super().__init__(id="bar")
        self._place = place

    def parts(self, width: int) -> Sequence[Part]:
        palette = self.palette
        parts: list[Part] = []
        inside = [entry for entry in INSIDE if entry[1] == self._place]
        titles = [*PLACES, *inside]
        wide = sum(len(title) + 3 for _, _, title in titles) + 1 <= width
        if sum(len(title) + 3 for _, _, title in titles) - 1 > width:
            titles = [*inside, *PLACES]  # what is cut must not be where one is
        for key, name, title in titles:
            here = name == self._place
            click = Style.from_meta({"@click": f"app.act('go-{name}')"})
            ink = (
                palette.ink("primary", bold=True) + Style(reverse=True)
                if here
                else (palette.ink("muted"))
            )
            gap = " " if wide else ""
            parts.append((f"{gap}{key} {title}", ink + click))
            parts.append((gap or " ", ink + click if here and wide else None))
        return parts


class KeyLine(_Line):
    """The keys of this place; those that would refuse are dim. A click presses one."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._keys: tuple[tuple[str, str, str, bool], ...] = ()

    def show(self, keys: Sequence[tuple[str, str, str, bool]]) -> None:
        """Show keys as (action, key, label, whether it works now), help last."""
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            self.refresh()

    def parts(self, width: int) -> Sequence[Part]:
        shown_keys = [self._key(*entry) for entry in self._keys]
        # Help comes last and always: it lists those for which there was no room.
        last = shown_keys.pop() if shown_keys else []
        room = width - sum(len(text) for text, _ in last)
        parts: list[Part] = []
        for key in shown_keys:
            room -= sum(len(text) for text, _ in key)
            if room < 0:
                break
            parts += key
        return [*parts, *last]

    def _key(self, action: str, key: str, label: str, works: bool) -> list[Part]:
        palette = self.palette
        # A pane's own action would be looked for in this line.
        pressed = action if action.startswith("app.") else f"app.simulate_key({key!r})"
        click = Style.from_meta({"@click": pressed})
        # With 16 colours what is faint cannot be told from the ground of this line.
        off: Role = "muted" if palette.depth == "16" else "faint"
        return [
            (f" {shown(key)}", palette.ink("accent" if works else off, bold=works) + click),
            (f" {label} ", palette.ink("muted" if works else off) + click),
        ]
