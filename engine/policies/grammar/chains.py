"""Chains: growing a program step by step, replaying it, and editing it (the refinements)."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from engine.policies.grammar.bench import Workbench
from engine.policies.grammar.language import Step
from engine.policies.grammar.model import EDITS, Context
from engine.policies.grammar.problem import Problem

MAX_STEPS = 5


@dataclass(frozen=True)
class Chain:
    """Steps with the problem each leaves; `problems[0]` is the task itself."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]

    @property
    def text(self) -> str:
        """The lines of the steps; two chains are the same exactly when their texts are."""
        return "\n".join(step.text for step in self.steps)

    @property
    def left(self) -> Problem:
        """What remains to be done after all steps."""
        return self.problems[-1]

    def context(self, position: int) -> Context:
        """Where the step at a position is chosen."""
        previous = self.steps[position - 1].primitive if position else None
        return Context(self.problems[position], previous, position)

    def upto(self, position: int) -> Chain:
        """Return the first `position` steps."""
        return Chain(self.steps[:position], self.problems[: position + 1])

    def then(self, step: Step, problem: Problem) -> Chain:
        """Return the chain with one step more."""
        return Chain((*self.steps, step), (*self.problems, problem))


def empty_chain(bench: Workbench) -> Chain:
    """Return the chain of no steps."""
    return Chain((), (bench.start,))


def grow(bench: Workbench, rng: Random) -> Chain:
    """Grow a chain until it fits the demonstrations, a stop is drawn, or no step works."""
    chain = empty_chain(bench)
    while len(chain.steps) < MAX_STEPS:
        context = chain.context(len(chain.steps))
        found = bench.draw_step(context, rng)
        if found is None:
            break
        chain = chain.then(*found)
        if chain.left.solved:
            break
        if rng.random() >= bench.model.going_on(chain.context(len(chain.steps))):
            break
    return simplify(bench, chain)


def replay(bench: Workbench, start: Chain, steps: tuple[Step, ...], refit: bool) -> Chain | None:
    """Carry out steps after a chain, fitting their constants anew where asked.

    Stops early when the demonstrations are fitted. None when a step does not work.
    """
    chain = start
    for step in steps:
        fitted = bench.refit(chain.left, step) if refit else step
        left = bench.after(chain.left, fitted) if fitted is not None else None
        if fitted is None or left is None:
            return None
        chain = chain.then(fitted, left)
        if refit and left.solved:
            break
    return chain


def simplify(bench: Workbench, chain: Chain) -> Chain:
    """Drop steps without which the demonstrations are fitted all the same."""
    position = 0
    while chain.left.solved and position < len(chain.steps) > 1:
        shorter = replay(bench, chain.upto(position), chain.steps[position + 1 :], refit=True)
        if shorter is not None and shorter.steps and shorter.left.solved:
            chain = shorter
        else:
            position += 1
    return chain


def edit(bench: Workbench, parent: Chain, rng: Random) -> Chain | None:
    """Change a chain in one place, at random; None when that does not work.

    After a change the later steps are fitted anew to what they now find.
    """
    length = len(parent.steps)
    weights = bench.model.edit_weights(parent.context(length))
    kind = rng.choices(EDITS, weights=weights.tolist())[0]
    if kind == "delete":
        if length < 2:
            return None
        place = rng.randrange(length)
        return replay(bench, parent.upto(place), parent.steps[place + 1 :], refit=True)
    if kind in ("append", "insert") and length >= MAX_STEPS:
        return None
    place = length if kind == "append" else rng.randrange(length + (kind == "insert"))
    only = parent.steps[place].primitive if kind == "reparameterise" else None
    found = bench.draw_step(parent.context(place), rng, only)
    if found is None:
        return None
    changed = parent.upto(place).then(*found)
    if changed.left.solved:
        return changed
    rest = parent.steps[place + (kind in ("replace", "reparameterise")) :]
    return replay(bench, changed, rest, refit=True)
