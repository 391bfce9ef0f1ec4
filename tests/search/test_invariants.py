"""What demonstrations have in common, and which answers break it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arc import Pair, Task, as_grid, load_tasks, pack
from engine.programs.candidate import Candidate, Evaluation
from engine.search.invariants import broken, invariants_of, kept
from engine.search.vote import Tallies, rank


def task(*pairs, tests):
    grids = [Pair(as_grid(given), as_grid(output)) for given, output in pairs]
    return Task("made", tuple(grids), tuple(map(as_grid, tests)))


def breaks(made, *outputs):
    return broken(invariants_of(made), b"".join(pack(as_grid(output)) for output in outputs))


SAME = task(([[1, 2]], [[2, 1]]), ([[3], [4]], [[4], [3]]), tests=[[[5, 6], [7, 8]]])
FIXED = task(([[1, 2]], [[1]]), ([[3], [4]], [[3]]), tests=[[[5, 6], [7, 8]]])
TWICE = task(([[1, 2]], [[1, 2, 1, 2]]), ([[3]], [[3, 3]]), tests=[[[5, 6]]])


def test_shapes_follow_the_first_rule_all_demonstrations_keep():
    assert breaks(SAME, [[8, 7], [6, 5]]) == 1  # four colours, where the demonstrations have two
    assert breaks(FIXED, [[5]]) == 0
    assert breaks(FIXED, [[5, 5]]) == 1
    assert breaks(TWICE, [[5, 6, 5, 6]]) == 0
    assert breaks(TWICE, [[5, 6]]) == 1


def test_without_a_rule_any_shape_will_do():
    made = task(([[1, 1, 1]], [[1, 1]]), ([[2, 2]], [[2]]), tests=[[[3, 3, 3, 3]]])
    assert breaks(made, [[3]]) == breaks(made, [[3, 3, 3], [3, 3, 3]]) == 0


def test_colours_come_up_only_where_they_did_and_go_only_where_some_went():
    kept_all = task(([[1, 0]], [[1, 5]]), ([[0, 2]], [[5, 2]]), tests=[[[0, 3]]])
    assert breaks(kept_all, [[5, 3]]) == 0  # 0 went in the demonstrations, 5 came up
    assert breaks(kept_all, [[6, 3]]) == 1
    painted = task(([[1, 0]], [[1, 0]]), ([[0, 2]], [[0, 2]]), tests=[[[0, 3]]])
    assert breaks(painted, [[0, 0]]) == 2  # 3 went, and one colour is left of two


def test_several_test_inputs_count_in_the_mean():
    made = dataclasses.replace(FIXED, test=(*FIXED.test, as_grid([[9, 9]])))
    assert breaks(made, [[5]], [[9]]) == 0
    assert breaks(made, [[5]], [[1, 9]]) == (1 + 1 + 1) / 2


def test_an_answer_that_breaks_something_needs_e_to_the_fourth_as_much_behind_it():
    def voter(number, output):
        results = (*(pack(pair.output) for pair in FIXED.train), pack(as_grid(output)))
        found = Evaluation(results, (True, True))
        return Candidate(number, "sample", 0, 0, None, f"# {number}", found)

    def first(many):
        tallies = Tallies()
        for number in range(many):
            tallies.add(voter(number, [[5, 5]]))
        tallies.add(voter(many, [[5]]))
        (tally, _), _ = rank(tallies.all(), "invariant", 1000.0, invariants_of(FIXED))
        return tally.pattern

    assert first(54) == pack(as_grid([[5]]))
    assert first(55) == pack(as_grid([[5, 5]]))
    with pytest.raises(ValueError, match="invariant"):
        rank(_tallied(voter(0, [[5]])), "invariant", 1000.0)


def _tallied(voter):
    tallies = Tallies()
    tallies.add(voter)
    return tallies.all()


@given(st.sampled_from(load_tasks("sample").tasks), st.permutations(range(10)))
def test_colours_by_other_names_break_the_same(made, names):
    table = np.array(names, dtype=np.uint8)

    def renamed(grid):
        return as_grid(table[grid])

    pairs = tuple(Pair(renamed(pair.input), renamed(pair.output)) for pair in made.train)
    other = Task(made.id, pairs, tuple(map(renamed, made.test)))
    pattern = b"".join(map(pack, made.truth))
    same = b"".join(pack(renamed(grid)) for grid in made.truth)
    assert broken(invariants_of(made), pattern) == broken(invariants_of(other), same)
    assert 0 < kept(invariants_of(made), pattern) <= 1


def test_right_answers_hardly_ever_break_any():
    tasks = load_tasks("arc1-train").tasks
    found = [broken(invariants_of(one), b"".join(map(pack, one.truth))) for one in tasks]
    assert sum(count > 0 for count in found) < len(tasks) / 4
