"""The figures worked out again, slowly and plainly, from the candidates as they were recorded.

Nothing of engine.analysis or engine.archive.tallies is used here: candidates come whole from the
archive, votes are held by engine.search.vote on `Tallies`, and every figure is a loop.
"""

from __future__ import annotations

import itertools
import math

from engine.arc import pack, unpack
from engine.search.invariants import invariants_of
from engine.search.vote import Tallies, rank


def candidates_of(reader, iteration, task):
    """Return one search's candidates in the order of their numbers."""
    found = [one for _, group in reader.pulls(iteration, task) for one in group]
    return sorted(found, key=lambda one: one.id)


def truth_of(task):
    return b"".join(pack(grid) for grid in task.truth)


def submissions(candidates, vote, task, formula=None):
    """Return the patterns these candidates submit, best first."""
    tallies = Tallies()
    for one in candidates:
        tallies.add(one)
    order = rank(tallies.all(), formula or vote.formula, vote.c, invariants_of(task))
    return [tally.pattern for tally, _ in order][:2]


def ranked(candidates, vote, task):
    tallies = Tallies()
    for one in candidates:
        tallies.add(one)
    return rank(tallies.all(), vote.formula, vote.c, invariants_of(task))


def solves(patterns, task):
    return truth_of(task) in patterns


def credit(patterns, task):
    """Return the share of test inputs that one of the patterns matches."""
    matched = 0
    for place, grid in enumerate(task.truth):
        matched += any(outputs_of(pattern)[place] == pack(grid) for pattern in patterns)
    return matched / len(task.truth)


def outputs_of(pattern):
    """Return the packed grids that a pattern joins."""
    found, at = [], 0
    while at < len(pattern):
        end = at + 2 + pattern[at] * pattern[at + 1]
        found.append(pattern[at:end])
        at = end
    return found


def is_right(candidate, task):
    return candidate.evaluation is not None and candidate.evaluation.pattern == truth_of(task)


def of_series(candidates, series):
    return [one for one in candidates if series in ("all", one.operator)]


def pass_at_k(candidates, right, k):
    """Return the chance by its definition, in whole numbers."""
    drawn = min(k, candidates)
    if not candidates:
        return 0.0
    return 1 - math.comb(candidates - right, drawn) / math.comb(candidates, drawn)


def enumerated_pass_at_k(marks, k):
    """Return the chance by looking at every way to draw k of a few."""
    draws = list(itertools.combinations(marks, k))
    return sum(any(draw) for draw in draws) / len(draws)


def equal_budget(candidates, budget, task, vote):
    """Return (alone, mixed) at one budget, or None where there are not enough."""
    parents = {one.id: one.parent for one in candidates}

    def root(one):
        name = one.id
        while parents.get(name) is not None:
            name = parents[name]
        return name

    half = budget - budget // 2
    samples = of_series(candidates, "sample")
    roots = {one.id for one in samples[:half]}
    descended = [one for one in of_series(candidates, "refine") if root(one) in roots]
    if budget < 2 or len(samples) < budget or len(descended) < budget // 2:
        return None
    mixed = samples[:half] + descended[: budget // 2]
    return (
        solves(submissions(samples[:budget], vote, task), task),
        solves(submissions(mixed, vote, task), task),
    )


def wrong_cells(pattern, task):
    """Return how many cells of a pattern differ from the truth, None where a shape does."""
    wrong = 0
    for given, true in zip(outputs_of(pattern), task.truth, strict=True):
        grid = unpack(given)
        if grid.shape != true.shape:
            return None
        wrong += int((grid != true).sum())
    return wrong


def successes(candidates, operator):
    """Return (completions, successes) of an operator."""
    by_id = {one.id: one for one in candidates}
    mine = of_series(candidates, operator)
    won = 0
    for one in mine:
        if one.evaluation is None or one.evaluation.filter is not None:
            continue
        if operator == "sample":
            won += all(one.evaluation.right)
        else:
            parent = by_id[one.parent].evaluation
            won += sum(one.evaluation.right) > (-1 if parent is None else sum(parent.right))
    return len(mine), won


def mcnemar(only_first, only_second):
    """Return the p-value by counting every outcome of as many fair coins."""
    coins = only_first + only_second
    fewer = min(only_first, only_second)
    extreme = sum(
        1
        for flips in itertools.product((0, 1), repeat=coins)
        if sum(flips) <= fewer or sum(flips) >= coins - fewer
    )
    return min(1.0, extreme / 2**coins)
