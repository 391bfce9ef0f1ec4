"""Reading code blocks out of the documentation."""

from __future__ import annotations

import itertools
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
)

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(soar-tui [^`]+)`")
_ASSIGNMENT = re.compile(r"[A-Z_]+=")


def blocks(page: Path, language: str) -> list[str]:
    """Return a page's code blocks of one language, in order."""
    return [text for name, text in _BLOCK.findall(page.read_text("utf-8")) if name == language]


@dataclass(frozen=True)
class Command:
    """One command of a page: its words without comment, pipe and redirection.

    `changes` are the environment variables set before it.
    """

    page: str
    words: tuple[str, ...]
    changes: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The command as one line."""
        return shlex.join(self.words)


def commands() -> list[Command]:
    """Return every command of every ```sh block; what merely moves into the environment is none."""
    return [
        command
        for page in PAGES
        for text in blocks(page, "sh")
        for line in text.replace("\\\n", " ").splitlines()
        if (command := _command(page.name, line)).words and command.words[0] not in (".", "cd")
    ]


def spans() -> list[tuple[str, str]]:
    """Return (page, text) of every piece of inline code that begins with soar-tui."""
    found = []
    for page in PAGES:
        prose = _BLOCK.sub("", page.read_text("utf-8"))
        found += [(page.name, " ".join(text.split())) for text in _SPAN.findall(prose)]
    return found


def _command(page: str, line: str) -> Command:
    words = shlex.shlex(line, posix=True, punctuation_chars="|>")
    words.whitespace_split = True
    mine = list(itertools.takewhile(lambda word: word[0] not in "|>", words))
    set_first = list(itertools.takewhile(_ASSIGNMENT.match, mine))
    changes = tuple((name, value) for name, _, value in (word.partition("=") for word in set_first))
    return Command(page, tuple(mine[len(set_first) :]), changes)
