"""What was recorded comes back exactly, and every figure equals a recount of the raw candidates."""

import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from engine.arc import Pair, Task, as_grid, pack, task_document
from engine.arc.document import MOST_PAIRS, MOST_TESTS, parse_task
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.programs.candidate import Candidate, Evaluation, Pull, candidate_id
from engine.search.rex import may_be_arm, posterior
from engine.search.vote import Tallies
from tests.archive.drawn import record, recorded


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(recorded())
def test_what_is_read_is_what_was_recorded(run):
    with tempfile.TemporaryDirectory() as name:
        record(Path(name), run)
        with RunReader(Path(name)) as reader:
            check_pulls_replay_exactly(run, reader)
            check_counters_equal_a_recount(run, reader)
            check_tallies_equal_those_of_the_vote(run, reader)
            check_arms_are_those_of_the_bandit(run, reader)
            check_chains_and_children_follow_the_pulls(run, reader)


def tasks_equal(one, other):
    def plain(task):
        pairs = [(pack(pair.input), pack(pair.output)) for pair in task.train]
        truth = None if task.truth is None else [*map(pack, task.truth)]
        return task.id, pairs, [*map(pack, task.test)], truth

    return plain(one) == plain(other)


def check_pulls_replay_exactly(run, reader):
    assert all(map(tasks_equal, reader.tasks(), run.tasks))
    for (iteration, task), pulls in run.searches.items():
        assert reader.pulls(iteration, task) == pulls
        assert list(reader.replay(iteration, task)) == [
            (pull, [replace(candidate, reply=None) for candidate in candidates])
            for pull, candidates in pulls
        ]
        for candidate in run.candidates(iteration, task):
            assert reader.candidate(candidate.id).candidate == candidate
            assert reader.bare_candidate(candidate.id) == replace(candidate, reply=None)


def check_counters_equal_a_recount(run, reader):
    for iteration in range(run.iterations):
        rows = reader.task_rows(iteration)
        for index, row in enumerate(rows):
            candidates = run.candidates(iteration, index)
            judged = [c.evaluation for c in candidates if c.evaluation is not None]
            kept = [e for e in judged if e.filter is None]
            assert row.pulls == len(run.searches[iteration, index])
            assert row.state == ("searching" if row.pulls else "untouched")
            assert row.candidates == len(candidates)
            assert row.programs == sum(c.source is not None for c in candidates)
            assert row.errors == sum(not e.runs for e in judged)
            assert row.filtered == len(judged) - len(kept)
            assert row.perfect == sum(e.perfect for e in kept)
            assert row.best == max((e.accuracy for e in kept), default=None)
            assert row.tokens_in == sum(c.tokens_in for c in candidates)
            assert row.tokens_cached == sum(c.tokens_cached for c in candidates)
            assert row.cost == pytest.approx(sum(c.cost for c in candidates))
            for listed, c in zip(reader.candidate_rows(iteration, index), candidates, strict=True):
                assert listed.tokens_cached == c.tokens_cached
                assert (listed.cost, listed.weights) == (c.cost, c.weights)
            truth = run.tasks[index].truth
            right = None if truth is None else b"".join(map(pack, truth))
            found = any(e.pattern == right for e in judged)
            assert row.oracle == (None if truth is None else found)
        total = reader.iterations()[iteration]
        assert total.candidates == sum(row.candidates for row in rows)
        assert total.known == sum(task.truth is not None for task in run.tasks)
        oracle = sum(row.oracle is True for row in rows)
        assert total.oracle == (oracle if total.known else None)
        tokens = sum(c.tokens_out for i in range(len(rows)) for c in run.candidates(iteration, i))
        assert total.tokens_out == tokens
        assert total.tokens_cached == sum(row.tokens_cached for row in rows)
        assert total.cost == pytest.approx(sum(row.cost for row in rows))
    merged = reader.task_rows()
    for index, row in enumerate(merged):
        every = [run.candidates(i, index) for i in range(run.iterations)]
        assert row.candidates == sum(map(len, every))


def check_tallies_equal_those_of_the_vote(run, reader):
    for index in range(len(run.tasks)):
        tallies = Tallies()
        for iteration in range(run.iterations):
            for candidate in run.candidates(iteration, index):
                tallies.add(candidate)
        rows = reader.tallies(range(run.iterations), index)
        assert {
            (b"".join(row.outputs), row.count, row.accuracy_sum, row.shortest, row.prior_sum)
            for row in rows
        } == {(t.pattern, t.count, t.accuracy_sum, t.shortest, t.prior_sum) for t in tallies.all()}
        truth = run.tasks[index].truth
        for row in rows:
            marks = truth and tuple(
                output == pack(true) for output, true in zip(row.outputs, truth, strict=True)
            )
            assert row.right == marks


def check_arms_are_those_of_the_bandit(run, reader):
    for (iteration, task), pulls in run.searches.items():
        by_id = {c.id: c for c in run.candidates(iteration, task)}
        first, counted, children, best = {}, defaultdict(int), defaultdict(int), {}
        draws = {}
        for pull, candidates in pulls:
            for candidate in candidates:
                if candidate.source is not None and may_be_arm(candidate):
                    first.setdefault((pull.island, candidate.source), candidate)
            if pull.parent is not None:
                arm = (pull.island, by_id[pull.parent].source)
                counted[arm] += len(candidates)
                children[arm] += sum(c.source is not None for c in candidates)
                draws[arm] = pull.draw
                for candidate in candidates:
                    judged = candidate.evaluation
                    if judged is not None and judged.filter is None:
                        best[arm] = max(best.get(arm, 0.0), judged.accuracy)
        arms = reader.arms(iteration, task, c=20.0)
        assert [arm.candidate for arm in arms] == sorted(c.id for c in first.values())
        for arm in arms:
            key = (arm.island, by_id[arm.candidate].source)
            assert first[key].id == arm.candidate
            assert arm.parent == by_id[arm.candidate].parent
            assert arm.accuracy == by_id[arm.candidate].evaluation.accuracy
            assert (arm.pulls, arm.children) == (counted[key], children[key])
            assert (arm.best_child, arm.last_draw) == (best.get(key), draws.get(key))
            expected = posterior(arm.accuracy, arm.pulls, 20.0)
            assert (arm.alpha, arm.beta) == pytest.approx(expected)


def check_chains_and_children_follow_the_pulls(run, reader):
    for place in run.searches:
        candidates = {c.id: c for c in run.candidates(*place)}
        for candidate in candidates.values():
            chain = [candidate.id]
            while (parent := candidates[chain[0]].parent) is not None:
                chain.insert(0, parent)
            assert [row.id for row in reader.chain(candidate.id)] == chain
            expected = [c.id for c in candidates.values() if c.parent == candidate.id]
            assert [row.id for row in reader.children(candidate.id)] == expected


async def test_the_largest_task_there_can_be_is_kept_and_known_as_solved(tmp_path):
    grids = [as_grid([[number // 10, number % 10]]) for number in range(MOST_PAIRS)]
    pairs = tuple(Pair(grid, grid) for grid in grids)
    task = Task("large", pairs, tuple(grids[:MOST_TESTS]), tuple(grids[:MOST_TESTS]))
    parse_task(task_document(task), task.id, "large.json")
    results = tuple(pack(grid) for grid in task.inputs)
    evaluation = Evaluation(results, (True,) * MOST_PAIRS)
    pull = Pull(0, 0, 0, "sample", 0, None, None, 1, 1.0, 1.0)
    candidate = Candidate(candidate_id(0, 0, 0), "sample", 0, 0, None, "text", evaluation)
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks([task])
    writer.begin_iteration(0, "test", "grammar", "untrained")
    writer.put_pull(pull, [candidate])
    await writer.close()
    with RunReader(tmp_path) as reader:
        assert reader.pulls(0, 0) == [(pull, [candidate])]
        assert reader.candidate_rows(0, 0)[0].right
        assert reader.task_rows(0)[0].oracle
