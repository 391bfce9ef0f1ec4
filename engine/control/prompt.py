"""What a language model was asked: its prompts are not archived, for they can be made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.arc import Task
from engine.config import Settings
from engine.programs.candidate import Candidate


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a chat: `role` is system or user."""

    role: str
    content: str


def prompt_of(
    settings: Settings, task: Task, parent: Candidate | None
) -> Sequence[PromptMessage] | None:
    """Return the chat that asked for a sample of `task`, or for a repair of `parent`.

    It is made by the functions that made it then, so it is what this version of the program asks.
    None when the run's policy is no language model: such a policy is given the task itself.
    Raises ValueError when the parent is no candidate of the task that could be repaired.
    """
    if settings.policy.kind in ("grammar", "module"):
        return None
    from engine.policies.llm.prompts import refine_messages, sample_messages

    given = task.without_truth()
    messages = sample_messages(given) if parent is None else refine_messages(given, parent)
    return [PromptMessage(message["role"], message["content"]) for message in messages]
