"""What the app and the process that reads runs for it say to each other, a line of JSON each.

They are apart from that process's code, which the app need not load to ask it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.figures.figure import Figure


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be shown: a run, an iteration of it (None: the latest), and what lies beside it.

    `beside` are folders of runs, `files` the paths of settings files. `version` says how far they
    have come, so that the same question is not answered twice.
    """

    folder: str
    beside: tuple[str, ...]
    files: tuple[str, ...]
    iteration: int | None
    version: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Analysed:
    """The figures so far: `done` of `total` steps of what is said; `over`: there are no more.

    `document` is what `analyze --json`, or `compare --json`, prints of the same, once it is over.
    """

    asked: Asked
    figures: tuple[Figure, ...]
    step: str
    done: int
    total: int
    over: bool
    trouble: str | None = None
    document: str | None = None
