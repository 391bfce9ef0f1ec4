"""What a language model was asked: its prompts are not archived, for they can be made again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from engine.arc import Task
from engine.config import Settings
from engine.programs.candidate import Candidate, Pull

Example: TypeAlias = Literal["none", "skill", "unknown"]
"""The solved example of a prompt: there is none, it is a skill of the library of that time (left out
then if it did not fit the context), or it was a task solved by then, which is not archived."""


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a chat: `role` is system or user."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The chat of a call, and what is known of its solved example."""

    messages: tuple[PromptMessage, ...]
    example: Example


def prompt_of(
    settings: Settings, folder: Path, task: Task, pull: Pull, parent: Candidate | None
) -> Prompt | None:
    """Return the prompt of a pull of the run in `folder`: a sample of `task`, or a repair of `parent`.

    It is made by the functions that made it then, so it is what this version of the program asks.
    None when the run's policy is no language model: such a policy is given the task itself.
    Raises ValueError when the parent is no candidate of the task that could be repaired.
    """
    if settings.policy.kind in ("grammar", "module"):
        return None
    from engine.control.shots import skill_shown
    from engine.learning.skills import latest_skills
    from engine.policies.llm.prompts import refine_messages, sample_messages
    from engine.policies.open import shows_examples

    given, shot = task.without_truth(), None
    example: Example = "none"
    if shows_examples(settings.policy):
        known = latest_skills(folder / "checkpoints", range(pull.iteration))
        shot = None if known is None else skill_shown(known, given, pull.operator, pull.seed)
        if shot is not None:
            example = "skill"
        elif pull.operator == "sample":
            example = "unknown"
    messages = (
        sample_messages(given, shot) if parent is None else refine_messages(given, parent, shot)
    )
    return Prompt(tuple(PromptMessage(one["role"], one["content"]) for one in messages), example)
