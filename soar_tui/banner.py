"""What stands across the top of every place while something is wrong with the run's engine."""

from __future__ import annotations

from typing import Final

from engine.control import LOG_NAME, log_tail
from soar_tui import keys
from soar_tui.feed import Header
from soar_tui.sanitise import one_line

_LOG_LINES: Final = 3


def banner(header: Header) -> str | None:
    """Return what to say of a crashed engine, with the end of its log, or a silent one; else None."""
    state = header.state
    if state.state == "crashed":
        tail = log_tail(header.folder / LOG_NAME, lines=_LOG_LINES).splitlines()
        reason = one_line(state.reason or "for a reason it could not say")
        start = keys.shown(keys.find("start").keys)
        lines = [f"The engine crashed: {reason}. {start} starts it again where it was."]
        return "\n".join([*lines, *(f"  {one_line(line)}" for line in tail)])
    if state.state == "stalled":
        silent = "yet" if state.silent is None else f"for {state.silent:.0f} s"
        return f"Stale: the engine holds its lock but has been silent {silent}; X stops it."
    return None
