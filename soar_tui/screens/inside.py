"""What Chain, Diff and Prompt share: one candidate with its line of descent and its children."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.widgets import Static

from engine.arc import Task
from engine.archive import ArchiveError
from engine.archive.rows import CandidateDetail, CandidateRow
from engine.programs.candidate import split_candidate_id
from soar_tui.feed import Question
from soar_tui.open_run import OpenRun
from soar_tui.screens.candidates import facts
from soar_tui.screens.place import Place
from soar_tui.screens.put import put
from soar_tui.screens.task import file_stem

STEPS: Final = 60
"""Steps of a chain read whole at most, the youngest; a longer one is cut at its old end."""
BRANCHES: Final = 400
"""Descendants read at most, so that an arm pulled thousands of times stays quick to look at."""


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """A candidate, the steps down to it (root first, itself last), and who descends from it.

    `steps` are whole, the others rows; `cut` says how many ancestors or descendants are left out.
    """

    task: Task
    steps: tuple[CandidateDetail, ...]
    relatives: tuple[CandidateRow, ...]
    cut: int

    @property
    def detail(self) -> CandidateDetail:
        """The candidate itself."""
        return self.steps[-1]

    @property
    def parent(self) -> CandidateDetail | None:
        """The candidate it was refined from."""
        return self.steps[-2] if len(self.steps) > 1 else None


@dataclass(frozen=True, slots=True)
class LineageQuestion:
    """A candidate's lineage."""

    candidate: int

    def answer(self, run: OpenRun) -> Lineage:
        """Read it. Raises ArchiveError when the candidate is not there."""
        chain = run.reader.chain(self.candidate)
        if not chain:
            # Selected in a run that was made anew in its folder since.
            number = split_candidate_id(self.candidate)[2]
            raise ArchiveError(
                f"candidate #{number} is not in this run any more: 5 lists those it has"
            )
        # The past of a candidate never changes, so its steps are read once.
        steps = run.keep(
            "steps",
            self.candidate,
            lambda: tuple(run.reader.candidate(row.id) for row in chain[-STEPS:]),
        )
        relatives, left_out = _descendants(run, chain)
        _, task, _ = split_candidate_id(self.candidate)
        cut = max(0, len(chain) - STEPS) + left_out
        return Lineage(run.reader.tasks()[task], steps, relatives, cut)


def _descendants(run: OpenRun, chain: list[CandidateRow]) -> tuple[tuple[CandidateRow, ...], int]:
    """Return the chain, the siblings on it and all below the candidate, nearest first."""
    found = {row.id: row for row in chain}
    waiting = [chain[-1].id]
    for row in reversed(chain[:-1][-5:]):
        for sibling in run.reader.children(row.id):
            found.setdefault(sibling.id, sibling)
    while waiting and len(found) < BRANCHES:
        following = []
        for identifier in waiting:
            for child in run.reader.children(identifier):
                if child.id not in found:
                    found[child.id] = child
                    following.append(child.id)
        waiting = following
    kept = tuple(found.values())[:BRANCHES]
    return kept, len(found) - len(kept)


class InsidePlace(Place):
    """A place about one candidate."""

    def __init__(self) -> None:
        super().__init__()
        self.lineage: Lineage | None = None

    def question(self) -> Question | None:
        candidate = self.view.candidate
        if candidate is None:
            self.forget_answer()
            self.say("No candidate is selected.\n\n5  choose one in Candidates\n2  or in its task")
            return None
        return self.about(candidate)

    def about(self, candidate: int) -> Question:
        """Return what this place wants to know of a candidate."""
        return LineageQuestion(candidate)

    def forget_answer(self) -> None:
        self.lineage = None

    def take_lineage(self, body: object) -> Lineage:
        """Keep what was read, and show whom it is about."""
        assert isinstance(body, Lineage)
        self.lineage = body
        put(self.query_one("#facts", Static), facts(body.detail, len(body.task.train)))
        return body

    def why_not(self, key: str) -> str | None:
        if key == "parent" and (self.lineage is None or self.lineage.parent is None):
            return "this is the root of the chain: it was sampled"
        if key == "child" and self._child() is None:
            return "nothing has been refined from this candidate"
        return None

    def do_parent(self) -> None:
        """Look at the step before."""
        assert self.lineage is not None and self.lineage.parent is not None
        self.soar.look(candidate=self.lineage.parent.candidate.id)

    def do_child(self) -> None:
        """Look at the step after: the best child."""
        self.soar.look(candidate=self._child())

    def _child(self) -> int | None:
        if self.lineage is None:
            return None
        here = self.lineage.detail.candidate.id
        children = [row for row in self.lineage.relatives if row.parent == here]
        best = max(children, key=lambda row: (row.accuracy or 0.0, -row.id), default=None)
        return None if best is None else best.id

    @property
    def stem(self) -> str:
        """The beginning of a file name for this candidate."""
        assert self.lineage is not None
        number = split_candidate_id(self.lineage.detail.candidate.id)[2]
        return f"{file_stem(self.lineage.task)}-{number}"

    def copied(self) -> tuple[str, str] | None:
        if self.lineage is None or self.lineage.detail.candidate.source is None:
            return None
        return f"{self.stem}.py", self.lineage.detail.candidate.source
