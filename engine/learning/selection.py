"""Choosing which candidates of a task become sampling examples (SOAR §3.2, §7, Table 4).

Every strategy is a pure function of the candidates and a random generator. Candidates come in one
task at a time; what a strategy leaves out is named with its reason, so that nothing is silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arc import Task
from engine.config import Strategy
from engine.learning.embedding import Embed, distinct_programs, embed
from engine.learning.example import Example, Rejection
from engine.learning.hindsight import demonstration_outputs, relabel
from engine.programs.candidate import Candidate
from engine.programs.score import right_tests

TEST_PAIR_WEIGHT = 1.1
"""What a right test pair counts beside a right demonstration, at train time (SOAR §7)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A task's chosen sampling examples, and why each other candidate is not among them."""

    examples: tuple[Example, ...]
    rejections: tuple[Rejection, ...]


def select(
    strategy: Strategy,
    task: Task,
    candidates: Sequence[Candidate],
    size: int,
    rng: np.random.Generator,
    *,
    embedding: Embed = embed,
) -> Selection:
    """Choose at most `size` examples of one task's candidates by a strategy.

    Where `task.truth` is known (train time) right test pairs count in the score; a test-time
    caller passes the task without truth and chooses its greedy half by vote instead, see
    `vote_greedy_diverse`. `candidates` may come from several iterations, policies and runs.
    """
    distinct, rejections = _distinct(task, candidates, embedding)
    order = _STRATEGIES[strategy](task, distinct, size, rng)
    return _selection(distinct, order, rejections)


def vote_greedy_diverse(
    task: Task,
    candidates: Sequence[Candidate],
    ranked: Sequence[tuple[bytes, float]],
    size: int,
    rng: np.random.Generator,
    *,
    embedding: Embed = embed,
) -> Selection:
    """Choose by greedy-diverse at test time, where the truth is not known (SOAR §7).

    The greedy half is drawn by vote: half of `size` draws, multinomially over the heaviest
    patterns (`ranked`: packed joint test outputs and their weights, of which at most half of
    `size` take part), inside a pattern in proportion to accuracy. The diverse half is the
    worst-scoring.
    """
    distinct, rejections = _distinct(task, candidates, embedding)
    half = size // 2
    chosen = _draw_by_vote(distinct, ranked[:half], half, rng)
    worst = [
        example
        for example in reversed(_best_first(task, distinct))
        if example.candidate.id not in {entry.candidate.id for entry in chosen}
    ]
    return _selection(distinct, chosen + worst[: size - len(chosen)], rejections)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A candidate that may be chosen, with the example it makes and its score."""

    candidate: Candidate
    example: Example
    score: float

    @property
    def correct(self) -> bool:
        return self.example.origin == "correct"


def _distinct(
    task: Task, candidates: Sequence[Candidate], embedding: Embed
) -> tuple[list[_Choice], list[Rejection]]:
    """Relabel all and drop duplicates, the shortest staying (SOAR §7 *dedup*).

    Correct programs are duplicates by embedding, hindsight programs by their outputs.
    """
    correct: list[_Choice] = []
    kept: dict[tuple[bytes, ...], _Choice] = {}
    rejections: list[Rejection] = []
    for candidate in candidates:
        example = relabel(task, candidate)
        if isinstance(example, Rejection):
            rejections.append(example)
            continue
        assert candidate.evaluation is not None
        outputs = demonstration_outputs(candidate.evaluation)
        assert outputs is not None
        choice = _Choice(candidate, example, score(task, candidate))
        if choice.correct:
            correct.append(choice)
            continue
        other = kept.get(outputs)
        if other is not None:
            choice, loser = sorted((other, choice), key=_shorter)
            rejections.append(Rejection(loser.candidate.id, "duplicate outputs"))
        kept[outputs] = choice
    stay = set(distinct_programs([choice.example.source for choice in correct], embedding))
    rejections += [
        Rejection(choice.candidate.id, "duplicate program")
        for place, choice in enumerate(correct)
        if place not in stay
    ]
    return [correct[place] for place in sorted(stay)] + list(kept.values()), rejections


def best_of_each_origin(
    task: Task, candidates: Sequence[Candidate], examples: Sequence[Example], most: int
) -> tuple[Example, ...]:
    """Return at most so many examples of each origin, those of the best candidates first."""
    scores = {candidate.id: score(task, candidate) for candidate in candidates}
    order = sorted(examples, key=lambda e: (-scores[e.candidate], len(e.source), e.candidate))
    seen: Counter[str] = Counter()
    best = []
    for example in order:
        seen[example.origin] += 1
        if seen[example.origin] <= most:
            best.append(example)
    return tuple(best)


def score(task: Task, candidate: Candidate) -> float:
    """Return how right a candidate is, 0..1: demonstrations, and where known its test pairs.

    A right test pair counts TEST_PAIR_WEIGHT times a right demonstration (SOAR §7).
    """
    evaluation = candidate.evaluation
    if evaluation is None:
        return 0.0
    tests = right_tests(task, evaluation) or ()
    gained = sum(evaluation.right) + TEST_PAIR_WEIGHT * sum(tests)
    return gained / (len(evaluation.right) + TEST_PAIR_WEIGHT * len(tests))


def _shorter(choice: _Choice) -> tuple[int, int]:
    return len(choice.example.source), choice.candidate.id


def _best_first(task: Task, choices: Sequence[_Choice]) -> list[_Choice]:
    return sorted(choices, key=lambda choice: (-choice.score, *_shorter(choice)))


def _greedy_diverse(
    task: Task, choices: Sequence[_Choice], size: int, rng: np.random.Generator
) -> list[_Choice]:
    order = _best_first(task, choices)
    best = order[: (size + 1) // 2]
    return best + order[len(best) :][::-1][: size - len(best)]


def _greedy(
    task: Task, choices: Sequence[_Choice], size: int, rng: np.random.Generator
) -> list[_Choice]:
    return _best_first(task, choices)[:size]


def _correct_only(
    task: Task, choices: Sequence[_Choice], size: int, rng: np.random.Generator
) -> list[_Choice]:
    return [choice for choice in _best_first(task, choices) if choice.correct][:size]


def _uniform(
    task: Task, choices: Sequence[_Choice], size: int, rng: np.random.Generator
) -> list[_Choice]:
    order = rng.permutation(len(choices))[:size]
    return [choices[int(place)] for place in order]


_STRATEGIES: dict[
    Strategy,
    Callable[[Task, Sequence[_Choice], int, np.random.Generator], list[_Choice]],
] = {
    "greedy-diverse": _greedy_diverse,
    "correct-only": _correct_only,
    "uniform": _uniform,
    "greedy": _greedy,
}


def _draw_by_vote(
    choices: Sequence[_Choice],
    ranked: Sequence[tuple[bytes, float]],
    draws: int,
    rng: np.random.Generator,
) -> list[_Choice]:
    behind: dict[bytes, list[_Choice]] = {pattern: [] for pattern, _ in ranked}
    for choice in choices:
        assert choice.candidate.evaluation is not None
        pattern = choice.candidate.evaluation.pattern
        if pattern in behind:
            behind[pattern].append(choice)
    chosen: list[_Choice] = []
    heavy = [weight if behind[pattern] else 0.0 for pattern, weight in ranked]
    if not sum(heavy):
        return chosen
    for members, count in zip(
        behind.values(), rng.multinomial(draws, np.array(heavy) / sum(heavy)), strict=True
    ):
        if not count:
            continue
        accuracies = np.array([_accuracy(choice) for choice in members])
        shares = accuracies / accuracies.sum() if accuracies.any() else None
        able = len(members) if shares is None else int(np.count_nonzero(shares))
        order = rng.choice(len(members), size=min(int(count), able), replace=False, p=shares)
        chosen.extend(members[int(place)] for place in order)
    return chosen


def _accuracy(choice: _Choice) -> float:
    assert choice.candidate.evaluation is not None
    return choice.candidate.evaluation.accuracy


def _selection(
    distinct: Sequence[_Choice], chosen: Sequence[_Choice], rejections: list[Rejection]
) -> Selection:
    taken = {choice.candidate.id for choice in chosen}
    left = [
        Rejection(c.candidate.id, "not chosen") for c in distinct if c.candidate.id not in taken
    ]
    return Selection(tuple(choice.example for choice in chosen), tuple(rejections + left))
