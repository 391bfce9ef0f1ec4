"""Real programs to make archives of: the embedded policy searches some of the sample tasks.

What comes back is what an engine would have recorded: sources, results, marks, filters, priors.
"""

from __future__ import annotations

import asyncio
import random
import re
from ast import Constant, Expr, FunctionDef, Name, Store, arg, parse, unparse, walk
from dataclasses import dataclass, field

from engine.arc import Task, load_tasks, pack
from engine.config import override, preset
from engine.policies.grammar import GrammarPolicy
from engine.policies.open import SHIPPED
from engine.programs.candidate import Evaluation
from engine.programs.evaluate import Evaluator
from engine.programs.sandbox import Sandbox
from engine.search.task_search import Place, search_task
from tests.search.kept import Kept

WORDS = (
    *("grid", "rows", "columns", "height", "width", "cells", "mask", "shape", "colour", "objects"),
    *("box", "top", "left", "right", "bottom", "corner", "centre", "pattern", "tile", "result"),
    *("values", "counts", "labels", "seen", "queue", "region", "edge", "border", "inner", "outer"),
    *("axis", "offset", "period", "line", "start", "end", "step", "parts", "pieces", "largest"),
    *("target", "source", "marker", "fill", "hole", "frame", "block", "patch", "crop", "canvas"),
    *("layer", "total", "index", "position", "neighbours", "component", "best", "order", "key"),
)
"""What language models call their variables."""

LONGEST = 4_000
"""Characters of a program without its docstrings; longer ones are not what a model writes."""


@dataclass(frozen=True, slots=True)
class Text:
    """A source taken apart: `pieces` alternate between fixed text and a name or a number."""

    pieces: tuple[str, ...]

    def renamed(self, rng: random.Random) -> Text:
        """Return it with other names for about half its variables; numbers can still change."""
        names: dict[str, str] = {}
        pieces = [self.pieces[0]]
        for slot, text in zip(self.pieces[1::2], self.pieces[2::2], strict=True):
            if slot[0].isdigit():
                pieces += (slot, text)
                continue
            if slot not in names:
                other = f"{rng.choice(WORDS)}_{len(names)}"
                names[slot] = slot if rng.random() < 0.5 else other
            pieces[-1] += names[slot] + text
        return Text(tuple(pieces))

    def changed(self, rng: random.Random) -> str:
        """Return it with some other numbers."""
        pieces, random = list(self.pieces), rng.random
        for place in range(1, len(pieces), 2):
            chance = random()
            if chance < 0.4 and pieces[place].isdigit():
                pieces[place] = str(int(chance * 25))
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate that a real search found, its source taken apart."""

    text: Text
    evaluation: Evaluation
    prior: float | None


@dataclass(frozen=True, slots=True)
class Stock:
    """A sample task and what sampling and refining found on it."""

    task: Task
    truths: tuple[bytes, ...]
    samples: list[Found] = field(default_factory=list)
    refinements: list[Found] = field(default_factory=list)


def take_apart(source: str) -> Text:
    """Split a program at its own variables and its numbers, its docstrings left out."""
    tree = parse(source)
    own: set[str] = set()
    for node in walk(tree):
        match node:
            case Name(id=name, ctx=Store()) | arg(arg=name):
                own.add(name)
            case FunctionDef(body=[Expr(value=Constant()), *rest]) if rest:
                node.body = rest
    source = unparse(tree)
    names = "|".join(sorted(map(re.escape, own), key=len, reverse=True))
    return Text(tuple(re.split(rf"(?<![\w.'\"])({names}|\d+)(?![\w'\"])", source)))


async def gather_stock(tasks: int = 15, programs: int = 48) -> list[Stock]:
    """Search so many of the sample tasks and return so many programs of each, half of them refined."""
    every = load_tasks("sample").tasks
    chosen = every[:: max(1, len(every) // tasks)][:tasks]
    settings = override(
        preset("cpu"),
        {
            "search.samples": programs // 2,
            "search.wave": 12,
            "search.refinements": programs // 2,
            "search.perfect_stop": programs,
        },
    )
    stocks = [Stock(task, tuple(_truths(task))) for task in chosen]
    made: list[tuple[Stock, Kept]] = []
    async with Sandbox(settings.sandbox) as sandbox, GrammarPolicy(settings.policy) as policy:
        await policy.load(SHIPPED)
        evaluator = Evaluator(sandbox)
        async with asyncio.TaskGroup() as group:
            for index, stock in enumerate(stocks):
                kept = Kept()
                made.append((stock, kept))
                group.create_task(
                    search_task(
                        stock.task.without_truth(), Place(0, 0, index), settings.search, policy,
                        evaluator.evaluate, record=kept.record, recall=kept.recall, may_start=_always,
                        archived=iter(()),
                    )
                )  # fmt: skip
    for stock, kept in made:
        _fill(stock, kept)
    return [stock for stock in stocks if stock.samples]


def _truths(task: Task) -> list[bytes]:
    assert task.truth is not None
    return [pack(grid) for grid in (*(pair.output for pair in task.train), *task.truth)]


def _fill(stock: Stock, kept: Kept) -> None:
    for _, candidates in kept.pulls:
        for candidate in candidates:
            if candidate.source is None or candidate.evaluation is None:
                continue
            text = take_apart(candidate.source)
            if sum(map(len, text.pieces)) > LONGEST:
                continue
            kind = stock.samples if candidate.operator == "sample" else stock.refinements
            kind.append(Found(text, candidate.evaluation, candidate.prior))


async def _always() -> bool:
    return True
