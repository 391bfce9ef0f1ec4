"""What a class says of its fields: the string literals that stand right below them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence

BAR = r"\|"
"""A bar inside a table's cell."""


def descriptions(section: type) -> dict[str, str]:
    """Return the string literals that stand right after a class's fields, by field."""
    (body,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def sentence(text: str | None) -> str:
    """Return a docstring as one line."""
    return " ".join((text or "").split())


def row(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"
