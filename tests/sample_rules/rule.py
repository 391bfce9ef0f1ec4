"""A rule: the function a task is about, and how its inputs are drawn."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from engine.arc import Grid, Pair, Task, as_grid, pack

SEED = 2507
TRIES = 2000

BLACK, BLUE, RED, GREEN, YELLOW, GREY, PINK, ORANGE, PURPLE, BROWN = range(10)

Level = Literal["one step", "two steps", "hard"]
Transform = Callable[[Grid], Grid]
Draw = Callable[[Generator, int], Grid]


class UnclearError(Exception):
    """An input whose answer is not pinned down (a tie, no room): another one is drawn."""


@dataclass(frozen=True)
class Rule:
    """A sample task's rule; `draw` makes the input of the pair with a number, counted from 0."""

    name: str
    level: Level
    about: str
    transform: Transform
    draw: Draw
    demonstrations: int
    tests: int


RULES: dict[str, Rule] = {}


def rule(
    name: str,
    level: Level,
    about: str,
    draw: Draw,
    demonstrations: int = 4,
    tests: int = 1,
) -> Callable[[Transform], Transform]:
    """Register the decorated function as the rule of the task with this name."""

    def register(transform: Transform) -> Transform:
        assert name not in RULES
        RULES[name] = Rule(name, level, about, transform, draw, demonstrations, tests)
        return transform

    return register


def draw_task(rule: Rule) -> Task:
    """Return the rule's task, the same at every call."""
    rng = np.random.default_rng((SEED, zlib.crc32(rule.name.encode())))
    pairs: list[Pair] = []
    for number in range(rule.demonstrations + rule.tests):
        pairs.append(_draw_pair(rule, rng, number, pairs))
    train, test = pairs[: rule.demonstrations], pairs[rule.demonstrations :]
    return Task(
        rule.name,
        tuple(train),
        tuple(pair.input for pair in test),
        tuple(pair.output for pair in test),
    )


def _draw_pair(rule: Rule, rng: Generator, number: int, before: list[Pair]) -> Pair:
    seen = {pack(pair.input) for pair in before}
    for _ in range(TRIES):
        try:
            source = as_grid(rule.draw(rng, number))
            output = as_grid(rule.transform(source))
        except UnclearError:
            continue
        if pack(source) not in seen and pack(source) != pack(output):
            return Pair(source, output)
    raise AssertionError(f"{rule.name}: no input found in {TRIES} tries")
