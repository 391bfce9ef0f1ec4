"""Training rows: examples as the very chats a model will be asked with, and the answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np

from engine.learning.example import Example
from engine.policies.llm.prompts import (
    Message,
    Messages,
    answer_message,
    refine_chat,
    sample_chat,
)
from engine.policies.llm.puzzle import Attempt, Puzzle, attempt, puzzle
from engine.programs.candidate import Candidate, Evaluation


class Row(TypedDict):
    """One row of supervised tuning; the loss is on the completion alone."""

    prompt: Messages
    completion: list[Message]


def training_row(example: Example) -> Row:
    """Return an example as a row: a repair by the refining prompt, any other by the sampling one.

    Raises ValueError as the prompts do.
    """
    parent = None if example.parent is None else attempt(example.task, example.parent)
    return shown_row(puzzle(example.task), parent, example.source)


def shown_row(shown: Puzzle, parent: Attempt | None, source: str) -> Row:
    """Return what training_row does, of an example as it is shown: with `parent` it is a repair."""
    prompt = sample_chat(shown) if parent is None else refine_chat(shown, parent)
    return {"prompt": prompt, "completion": [answer_message(source)]}


def shuffled(example: Example, rng: np.random.Generator) -> Example:
    """Return the example with its demonstration pairs in random order (SOAR §7).

    What a repair's parent gave on them is put into the same order.
    """
    order = [int(place) for place in rng.permutation(len(example.task.train))]
    task = replace(example.task, train=tuple(example.task.train[place] for place in order))
    parent = None if example.parent is None else _reordered(example.parent, order)
    return replace(example, task=task, parent=parent)


def _reordered(parent: Candidate, order: list[int]) -> Candidate:
    evaluation = parent.evaluation
    if evaluation is None:
        return parent
    results = tuple(evaluation.results[place] for place in order)
    tests = evaluation.results[len(order) :]
    right = tuple(evaluation.right[place] for place in order)
    return replace(parent, evaluation=Evaluation(results + tests, right, evaluation.filter))


def write_rows(examples: Iterable[Example], path: Path, rng: np.random.Generator) -> int:
    """Write examples as rows in random order, pairs shuffled in each, and return how many.

    Sampling and refinement rows are mixed, for one model learns both (SOAR §8).
    """
    rows = [json.dumps(training_row(shuffled(example, rng))) for example in examples]
    rng.shuffle(rows)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return len(rows)
