"""The places as modules: each is imported when it is first entered, or ahead while nobody waits."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeAlias

from textual.screen import Screen

from soar_tui import keys
from soar_tui.opening import uncollected

Make: TypeAlias = Callable[[], Screen[Any]]


def _maker(name: str) -> Make:
    def make() -> Screen[Any]:
        place: Screen[Any] = import_module(f"soar_tui.screens.{name}").PLACE()
        # Textual parses all style sheets anew, twice, for a screen that has not seen the present
        # ones; a new screen brings none and is styled by them when it is mounted.
        place._css_update_count = place.app._css_update_count
        return place

    return make


MAKERS: Final[dict[str, Make]] = {name: _maker(name) for _, name, _ in (*keys.PLACES, *keys.INSIDE)}
"""What makes each place, by its name; imports its module, so that the first one is there at once."""


def import_all() -> None:
    """Import the modules of all places."""
    with uncollected():
        for name in MAKERS:
            import_module(f"soar_tui.screens.{name}")
