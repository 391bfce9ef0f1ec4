"""The messages that docs/faq.md quotes are ones the program can print."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

GAP = "…"
QUOTED = [
    line for text in blocks(ROOT / "docs" / "faq.md", "text") for line in text.splitlines() if line
]


def sentences(source: Path) -> Iterator[str]:
    """Yield every text of a module, with a gap where something is filled in."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else GAP for part in node.values
            )


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """Return all texts of the product, one line each, and what make says."""
    modules = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "soar_tui").rglob("*.py")]
    found = {line for module in modules for text in sentences(module) for line in text.split("\n")}
    return [*found, *(ROOT / "Makefile").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("message", QUOTED)
def test_a_quoted_message_is_one_of_the_program(message: str, printed: list[str]) -> None:
    words = [part for part in message.split(GAP) if part.strip()]
    assert sum(map(len, words)) >= 10, "too short to be looked up"
    pattern = re.compile(".*".join(map(re.escape, message.strip(f"{GAP} ").split(GAP))))
    assert any(pattern.search(text) for text in printed)
