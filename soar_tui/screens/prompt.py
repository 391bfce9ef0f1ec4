"""Prompt (v): what the policy was given for a candidate, and the whole of what it replied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.control import prompt_of
from engine.figures.numbers import count
from engine.programs.candidate import Failure, split_candidate_id
from soar_tui.keys import bindings
from soar_tui.open_run import OpenRun
from soar_tui.sanitise import one_line
from soar_tui.screens.inside import InsidePlace, Lineage, LineageQuestion
from soar_tui.screens.put import entitle
from soar_tui.screens.task_text import grid_text
from soar_tui.widgets.source_view import SourceView

_TITLES: Final = {
    "none": "the prompt",
    "skill": "the prompt with its skill",
    "unknown": "the prompt less its solved task",
}


@dataclass(frozen=True, slots=True, eq=False)
class PromptBody:
    """A candidate's lineage, what the policy was given for it, and a title for that."""

    lineage: Lineage
    given: str
    title: str


@dataclass(frozen=True, slots=True)
class PromptQuestion:
    """What the policy was given for a candidate."""

    candidate: int

    def answer(self, run: OpenRun) -> PromptBody:
        """Read it.

        A language model's prompt is made again; any other policy is given task and parent themselves.
        """
        lineage = LineageQuestion(self.candidate).answer(run)
        given, title = run.keep("prompt", self.candidate, lambda: _given(run, lineage))
        return PromptBody(lineage, given, title)


def _given(run: OpenRun, lineage: Lineage) -> tuple[str, str]:
    parent = None if lineage.parent is None else lineage.parent.candidate
    prompt = prompt_of(run.settings, run.folder, lineage.task, lineage.detail.pull, parent)
    if prompt is None:
        return _call(lineage), "what the policy was given"
    parts = [f"── {message.role} ──\n\n{message.content}" for message in prompt.messages]
    size = sum(len(message.content) for message in prompt.messages)
    return "\n".join(parts), f"{_TITLES[prompt.example]}, {count(size)} characters"


def _call(lineage: Lineage) -> str:
    """Return what the policy's call was made of: operator, seed, task, and the parent's faults."""
    detail, task = lineage.detail, lineage.task
    pull, parent = detail.pull, lineage.parent
    lines = [
        f"operator   {pull.operator}",
        f"seed       {pull.seed}",
        f"task       {one_line(task.id)}: {len(task.train)} demonstration pairs, "
        f"{len(task.test)} test inputs",
    ]
    for number, pair in enumerate(task.train, 1):
        lines += ["", f"demonstration {number}, input", *grid_text(pair.input).splitlines()]
        lines += [f"demonstration {number}, output", *grid_text(pair.output).splitlines()]
    for number, grid in enumerate(task.test, 1):
        lines += ["", f"test input {number}", *grid_text(grid).splitlines()]
    if parent is None:
        return "\n".join(lines)
    evaluation = parent.candidate.evaluation
    number = split_candidate_id(parent.candidate.id)[2]
    lines += ["", f"parent     #{number}, to be repaired:", ""]
    lines += (parent.candidate.source or "").splitlines()
    if evaluation is not None:
        lines.append("")
        for place, result in enumerate(evaluation.results):
            train = place < len(task.train)
            name = f"demonstration {place + 1}" if train else f"test {place + 1 - len(task.train)}"
            if isinstance(result, Failure):
                lines.append(f"{name}: {result.kind}: {one_line(result.text)}")
            elif train:
                lines.append(f"{name}: {'right' if evaluation.right[place] else 'wrong'}")
            else:
                lines.append(f"{name}: gave a grid")
    return "\n".join(lines)


class Prompt(InsidePlace):
    """What went in at the left, what came out at the right."""

    place = "prompt"
    BINDINGS: ClassVar[list[BindingType]] = bindings("prompt")

    def __init__(self) -> None:
        super().__init__()
        self._given = ""

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="facts", markup=False)
            with Horizontal(id="both"):
                yield SourceView(id="given", classes="pane")
                yield SourceView(id="reply", classes="pane")

    def about(self, candidate: int) -> PromptQuestion:
        return PromptQuestion(candidate)

    def show(self, body: object) -> None:
        assert isinstance(body, PromptBody)
        before, self._given = self.lineage, body.given
        lineage = self.take_lineage(body.lineage)
        if before is not None and before.detail.candidate.id == lineage.detail.candidate.id:
            return
        candidate = lineage.detail.candidate
        left, right = self.query_one("#given", SourceView), self.query_one("#reply", SourceView)
        entitle(left, body.title)
        left.show_text(body.given)
        if candidate.reply is not None:
            tokens = f", {count(candidate.tokens_out)} tokens" if candidate.tokens_out else ""
            entitle(right, f"the reply{tokens}, ended by {one_line(candidate.finish)}")
            right.show_text(candidate.reply)
        else:
            entitle(right, "the program: this policy writes programs, not replies")
            right.show_source(candidate.source or "")
        self.focus_first(right)

    def copied(self) -> tuple[str, str] | None:
        lineage = self.lineage
        if lineage is None:
            return None
        candidate = lineage.detail.candidate
        reply = candidate.reply if candidate.reply is not None else candidate.source or ""
        return f"{self.stem}-prompt.txt", f"{self._given}\n\n--- reply ---\n\n{reply}\n"

    def exported(self) -> dict[str, str] | None:
        copied = self.copied()
        return None if copied is None else dict([copied])


PLACE = Prompt
