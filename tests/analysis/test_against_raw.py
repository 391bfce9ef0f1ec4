"""Every figure of a run equals the one worked out from its raw candidates."""

import math

import pytest

from engine.analysis.record import EMBEDDED, FORMULAS, SERIES, embedded_programs
from engine.learning.embedding import diversity
from tests.analysis import naive


@pytest.fixture(scope="module")
def searches(runs):
    """Return the first run's candidates by (iteration, task)."""
    first, _ = runs
    return {key: naive.candidates_of(first.reader, *key) for key in first.records.held}


@pytest.fixture(scope="module")
def tasks(runs):
    return runs[0].reader.tasks()


def of_iteration(searches, tasks, iteration):
    return [(found, tasks[task]) for (index, task), found in searches.items() if index == iteration]


def mean(values):
    return math.fsum(values) / len(values)


def test_the_runs_are_neither_all_solved_nor_all_missed(runs):
    solved = [row.solved_tasks for one in runs for row in one.analysis.iterations]
    assert any(0 < count < 12 for count in solved)


def test_solved_oracle_and_partial_credit(runs, searches, tasks):
    vote = runs[0].settings.vote
    for row in runs[0].analysis.iterations:
        mine = of_iteration(searches, tasks, row.index)
        submitted = [(naive.submissions(found, vote, task), task) for found, task in mine]
        assert row.tasks == row.known == len(mine) == 12
        assert row.solved_tasks == sum(naive.solves(*one) for one in submitted)
        assert row.oracle_tasks == sum(
            any(naive.is_right(one, task) for one in found) for found, task in mine
        )
        assert row.solved.value == pytest.approx(row.solved_tasks / 12)
        assert row.oracle.value == pytest.approx(row.oracle_tasks / 12)
        assert row.credit.value == pytest.approx(mean([naive.credit(*one) for one in submitted]))


def test_budgets_by_vote_and_oracle(runs, searches, tasks):
    vote = runs[0].settings.vote
    for row in runs[0].analysis.iterations:
        mine = of_iteration(searches, tasks, row.index)
        assert {one.series for one in row.budget} == set(SERIES)
        for one in row.budget:
            spent = [
                (naive.of_series(found, one.series)[: one.budget], task) for found, task in mine
            ]
            solved = sum(
                naive.solves(naive.submissions(found, vote, task), task) for found, task in spent
            )
            right = sum(any(naive.is_right(c, task) for c in found) for found, task in spent)
            assert (one.solved_tasks, one.oracle_tasks) == (solved, right), one
            assert one.solved.value == pytest.approx(solved / 12)
        last = max(one.budget for one in row.budget if one.series == "all")
        assert last >= max(len(found) for found, _ in mine)


def test_pass_at_k(runs, searches, tasks):
    for row in runs[0].analysis.iterations:
        mine = of_iteration(searches, tasks, row.index)
        for one in row.pass_at_k:
            chances, short = [], 0
            for found, task in mine:
                drawn = naive.of_series(found, one.series)
                right = sum(naive.is_right(candidate, task) for candidate in drawn)
                chances.append(naive.pass_at_k(len(drawn), right, one.k))
                short += len(drawn) < one.k
            assert one.chance.value == pytest.approx(mean(chances)), one
            assert one.short == short


def test_samples_alone_against_refined(runs, searches, tasks):
    vote = runs[0].settings.vote
    seen = 0
    for row in runs[0].analysis.iterations:
        mine = of_iteration(searches, tasks, row.index)
        for one in row.equal_budget:
            held = [naive.equal_budget(found, one.budget, task, vote) for found, task in mine]
            both = [pair for pair in held if pair is not None]
            assert one.tasks == len(both)
            assert one.alone_tasks == sum(alone for alone, _ in both)
            assert one.mixed_tasks == sum(mixed for _, mixed in both)
            difference = mean([mixed - alone for alone, mixed in both])
            assert one.difference.value == pytest.approx(difference)
            seen += 1
    assert seen > 4


def test_formulas_on_the_same_candidates(runs, searches, tasks):
    vote = runs[0].settings.vote
    for row in runs[0].analysis.iterations:
        assert [one.formula for one in row.formulas] == list(FORMULAS)
        for one in row.formulas:
            held = [
                (naive.submissions(found, vote, task, one.formula), task)
                for found, task in of_iteration(searches, tasks, row.index)
            ]
            assert one.used == (one.formula == vote.formula)
            assert one.solved_tasks == sum(naive.solves(*each) for each in held)
            assert one.credit.value == pytest.approx(mean([naive.credit(*each) for each in held]))


def test_calibration(runs, searches, tasks):
    vote = runs[0].settings.vote
    for row in runs[0].analysis.iterations:
        held = []
        for found, task in of_iteration(searches, tasks, row.index):
            weighed = naive.ranked(found, vote, task)
            if weighed:
                share = weighed[0][1] / sum(weight for _, weight in weighed)
                held.append((share, weighed[0][0].pattern == naive.truth_of(task)))
        assert row.calibration.tasks == len(held) == sum(b.tasks for b in row.calibration.bins)
        assert row.calibration.brier == pytest.approx(mean([(s - r) ** 2 for s, r in held]))
        error = 0.0
        for one in row.calibration.bins:
            inside = [(s, r) for s, r in held if one.low < s <= one.high]
            assert one.tasks == len(inside)
            assert one.share == pytest.approx(mean([s for s, _ in inside]))
            assert one.right == pytest.approx(mean([r for _, r in inside]))
            error += len(inside) / len(held) * abs(one.right - one.share)
        assert row.calibration.error == pytest.approx(error)


def test_operators(runs, searches, tasks):
    for row in runs[0].analysis.iterations:
        mine = of_iteration(searches, tasks, row.index)
        for one in row.operators:
            counted = [naive.successes(found, one.operator) for found, _ in mine]
            assert one.completions == sum(count for count, _ in counted)
            assert one.successes == sum(won for _, won in counted)
            assert one.rate == pytest.approx(one.successes / one.completions)
            assert one.curve[-1] == (one.completions, one.average)
            assert 0 <= one.average <= 1


def test_diversity(runs, searches, tasks):
    first, _ = runs
    vote = first.settings.vote
    for row in first.analysis.iterations:
        groups = {one.group: one for one in row.diversity}
        held = {"all": [], "solved": [], "unsolved": []}
        for (index, number), found in searches.items():
            if index != row.index:
                continue
            solved = naive.solves(naive.submissions(found, vote, tasks[number]), tasks[number])
            programs = [one.source for one in found if one.source is not None]
            ran = [one.evaluation for one in found if one.evaluation and one.evaluation.runs]
            columns = first.reader.search_columns(index, number)
            drawn = first.reader.program_sources(embedded_programs(columns))
            assert len(drawn) == min(EMBEDDED, len(programs))
            assert set(drawn) <= set(programs)
            figures = (
                diversity(drawn),
                len(set(programs)) / len(programs),
                len({(one.results, one.right) for one in ran}) / len(ran),
            )
            held["all"].append(figures)
            held["solved" if solved else "unsolved"].append(figures)
        assert set(groups) == {name for name, figures in held.items() if figures}
        for name, one in groups.items():
            distances, programs, outputs = zip(*held[name], strict=True)
            assert one.tasks == len(held[name])
            assert one.distance.value == pytest.approx(mean(distances))
            assert one.programs.value == pytest.approx(mean(programs))
            assert one.outputs.value == pytest.approx(mean(outputs))


def test_hard_lost_and_near(runs, searches, tasks):
    first, _ = runs
    vote = first.settings.vote
    solved, near = {}, {}
    for (iteration, task), found in searches.items():
        solved[iteration, task] = naive.solves(
            naive.submissions(found, vote, tasks[task]), tasks[task]
        )
        order = [tally.pattern for tally, _ in naive.ranked(found, vote, tasks[task])]
        wrong = [naive.wrong_cells(pattern, tasks[task]) for pattern in order]
        near[iteration, task] = min((w for w in wrong if w is not None), default=None)
    never = {t for t in range(12) if not solved[0, t] and not solved[1, t]}
    assert {one.index for one in first.analysis.hardest} == never
    right = {
        t: sum(naive.is_right(c, tasks[t]) for i in (0, 1) for c in searches[i, t]) for t in never
    }
    assert {one.index: one.right for one in first.analysis.hardest} == right
    lost = {t for t in range(12) if solved[0, t] and not solved[1, t]}
    assert {one.index for one in first.analysis.lost} == lost
    missed = {t: near[1, t] for t in range(12) if not solved[1, t] and near[1, t] is not None}
    assert {one.index: one.near.wrong for one in first.analysis.near_misses} == missed
    order = [one.near.wrong for one in first.analysis.near_misses]
    assert order == sorted(order)


def test_spending(runs, searches):
    for row in runs[0].analysis.iterations:
        mine = [found for (index, _), found in searches.items() if index == row.index]
        candidates = [one for found in mine for one in found]
        spent = row.spending
        assert spent.candidates == len(candidates)
        assert spent.tokens_in == sum(one.tokens_in for one in candidates)
        assert spent.tokens_out == sum(one.tokens_out for one in candidates)
        assert spent.cost == pytest.approx(math.fsum(one.cost for one in candidates))
        assert spent.per_solved.candidates == pytest.approx(len(candidates) / row.solved_tasks)
        assert spent.search_seconds == pytest.approx(3.5 * 12)
