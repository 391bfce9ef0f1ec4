"""The skill library: programs worth showing to who writes the next one (SOAR §7, last point).

A policy that cannot be tuned learns by example alone. A library keeps the best distinct programs of
all tasks, each with the task it answers, finds those whose tasks look most like the one at hand, and
keeps per operator how often showing a program helped. Which one a call was shown is a function of
library, task, operator and the call's seed, so that credit is given from archived pulls alone: also
to one that was left out of its prompt for want of room.

A library is a file beside the checkpoint it was made with: a dataset (see engine.learning.dataset)
whose lines have `rates` besides.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.arc import Task
from engine.learning.dataset import (
    DatasetError,
    example_document,
    parse_example,
    read_lines,
    write_lines,
)
from engine.learning.embedding import distinct_programs
from engine.learning.example import Example
from engine.policies.grammar.problem import problem_of
from engine.policies.grammar.traits import traits
from engine.programs.candidate import Candidate, Operator, Pull

SUFFIX = ".skills.zst"
"""What a library's file is called behind its checkpoint's name."""
DECAY = 0.9
"""Of a rate, what is left of it a call later."""
UNTRIED: Mapping[Operator, float] = {"sample": 0.5, "refine": 0.5}
"""The rates of a skill that was never shown."""
NEAREST = 8
"""Among how many of the most similar tasks' skills a call's is drawn."""
_ANSWERED = ("stop", "length")
"""How the replies ended that came (see engine.policies.protocol.Proposal)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Skill:
    """A program with the task it answers, and how often showing it helped, by operator, 0..1."""

    example: Example
    rates: Mapping[Operator, float]


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """Skills, and their tasks' traits: float32 of shape (skills, traits)."""

    skills: tuple[Skill, ...]
    vectors: NDArray[np.float32]


def library(skills: Iterable[Skill]) -> Library:
    """Return skills as a library."""
    kept = tuple(skills)
    rows = [traits(problem_of(skill.example.task)) for skill in kept]
    return Library(kept, np.array(rows, dtype=np.float32))


def gathered_skills(
    examples: Sequence[Example], size: int, known: Library | None = None
) -> Library:
    """Return a library of at most `size` of the examples, correct programs before hindsight.

    Examples are best first within their task and origin; every task gives its best before any
    gives its second. Of programs alike (cosine above 0.9) the shortest stays. A program that was
    in the library `known` keeps its rates. Repairs give none: their answers are correct programs.
    """
    ranked: list[tuple[tuple[bool, int], int]] = []
    seen: dict[tuple[str, str], int] = {}
    for place, example in enumerate(examples):
        if example.origin == "repair":
            continue
        rank = seen[example.task.id, example.origin] = (
            seen.get((example.task.id, example.origin), -1) + 1
        )
        ranked.append(((example.origin != "correct", rank), place))
    # More than asked for, for some of them are alike.
    best = [examples[place] for _, place in sorted(ranked)[: 4 * size]]
    stay = sorted(distinct_programs([example.source for example in best]))[:size]
    rates = {} if known is None else {s.example.source: s.rates for s in known.skills}
    return library(Skill(best[p], rates.get(best[p].source, UNTRIED)) for p in stay)


@lru_cache(maxsize=1024)  # a search asks for the same with every pull
def nearest(known: Library, task: Task, count: int) -> tuple[tuple[Skill, float], ...]:
    """Return the skills of the tasks most like one, with their similarity 0..1, best first.

    Similarity is 1 - the mean difference of the tasks' traits. Skills of the task itself (of its
    id) are left out.
    """
    others = [n for n, skill in enumerate(known.skills) if skill.example.task.id != task.id]
    if not others:
        return ()
    vector = traits(problem_of(task))
    alike = 1.0 - np.abs(known.vectors[others] - vector).mean(axis=1)
    order = np.argsort(-alike, kind="stable")[:count]
    return tuple((known.skills[others[int(n)]], float(alike[n])) for n in order)


def choose_skill(known: Library, task: Task, operator: Operator, seed: int) -> Skill | None:
    """Return the skill to show for a call, or None where there is none.

    One of the NEAREST, drawn by the call's seed in proportion to similarity and rate.
    """
    found = nearest(known, task, NEAREST)
    if not found:
        return None
    weights = np.array([alike * (skill.rates[operator] + 0.01) for skill, alike in found])
    draw = np.random.default_rng([seed, 1]).choice(len(found), p=weights / weights.sum())
    return found[int(draw)][0]


@dataclass(frozen=True, slots=True)
class _Call:
    created: float
    skill: Skill
    operator: Operator
    helped: bool


def credited(
    known: Library, searches: Iterable[tuple[Task, Iterable[tuple[Pull, Sequence[Candidate]]]]]
) -> Library:
    """Return the library with its rates after the pulls that were shown its skills.

    A sampling wave was helped when a program of it is right on all demonstrations, a refinement
    when one is right on more of them than its parent; a pull that no reply came to says nothing.
    `searches` holds tasks, as the policy saw them, with their pulls in order.
    """
    calls = [call for task, pulls in searches for call in _calls(known, task, pulls)]
    rates = {id(skill): dict(skill.rates) for skill in known.skills}
    # In the order in which they were made: task by task, a rate would be the last task's alone.
    for call in sorted(calls, key=attrgetter("created")):
        found = rates[id(call.skill)]
        found[call.operator] = DECAY * found[call.operator] + (1 - DECAY) * call.helped
    skills = tuple(replace(skill, rates=rates[id(skill)]) for skill in known.skills)
    return Library(skills, known.vectors)


def _calls(
    known: Library, task: Task, pulls: Iterable[tuple[Pull, Sequence[Candidate]]]
) -> Iterator[_Call]:
    accuracy: dict[int, float] = {}
    for pull, candidates in pulls:
        accuracy |= {
            candidate.id: candidate.evaluation.accuracy
            for candidate in candidates
            if candidate.evaluation is not None
        }
        if not any(candidate.finish in _ANSWERED for candidate in candidates):
            continue
        skill = choose_skill(known, task, pull.operator, pull.seed)
        if skill is not None:
            best = max(map(_accuracy, candidates))
            parent = None if pull.parent is None else accuracy.get(pull.parent, 0.0)
            helped = best == 1.0 if parent is None else best > parent
            yield _Call(pull.created, skill, pull.operator, helped)


def _accuracy(candidate: Candidate) -> float:
    """Return the accuracy of what came of showing a skill; what a filter bars is no help."""
    evaluation = candidate.evaluation
    return 0.0 if evaluation is None or evaluation.filter is not None else evaluation.accuracy


def skills_beside(checkpoint: Path) -> Path:
    """Return where the skill library made with a checkpoint is kept."""
    return checkpoint.with_name(checkpoint.name + SUFFIX)


def latest_skills(checkpoints: Path, iterations: Sequence[int]) -> Library | None:
    """Return the library of the last of some iterations that has one, None without or if damaged.

    `checkpoints` is the run's folder of them, `iterations` are in order.
    """
    for iteration in reversed(iterations):
        path = skills_beside(checkpoints / f"iteration-{iteration}")
        if path.is_file():
            try:
                return load_skills(path)
            except DatasetError as error:
                log.warning("%s; no skill of it is shown or counted", error)
                return None
    return None


def save_skills(known: Library, path: Path) -> None:
    """Write a library, whole or not at all."""
    write_lines(
        (
            json.dumps(example_document(skill.example) | {"rates": skill.rates})
            for skill in known.skills
        ),
        path,
    )


def load_skills(path: Path) -> Library:
    """Read a library. Raises DatasetError naming the file and the line."""
    skills = []
    for number, line in enumerate(read_lines(path), 1):
        place = f"{path}, line {number}"
        example = parse_example(line, place)
        try:
            rates = json.loads(line)["rates"]
            found: dict[Operator, float] = {
                "sample": float(rates["sample"]),
                "refine": float(rates["refine"]),
            }
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{place}: rates: {error}") from error
        skills.append(Skill(example, found))
    return library(skills)
