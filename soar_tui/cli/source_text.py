"""Programs as terminal text: highlighted where there is colour, never obeyed by the terminal."""

from __future__ import annotations

import ast

from rich.console import Console
from rich.syntax import Syntax

from soar_tui.sanitise import many_lines

ENTRY = "transform"


def highlighted(source: str, *, numbered: bool = False) -> Syntax:
    """Return a program ready to print; long lines are folded, not cut."""
    return Syntax(
        many_lines(source).rstrip("\n"),
        "python",
        theme="ansi_dark",
        background_color="default",
        word_wrap=True,
        line_numbers=numbered,
    )


def entry(source: str) -> str:
    """Return the text of a program's `transform`, without what it calls; all of it if unclear."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    for node in reversed(module.body):
        if isinstance(node, ast.FunctionDef) and node.name == ENTRY:
            return ast.get_source_segment(source, node) or source
    return source


def print_source(console: Console, source: str, *, numbered: bool = False) -> None:
    """Print a program, plain where the console has no colour."""
    if console.is_terminal and not console.no_color:
        console.print(highlighted(source, numbered=numbered))
    else:
        console.print(many_lines(source).rstrip("\n"), soft_wrap=True)
