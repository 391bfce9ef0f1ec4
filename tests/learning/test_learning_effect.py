"""The tables of the learning benchmark: what they count, and how sure they claim to be."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arc import Pair, Task, as_grid, pack
from engine.config import VoteConfig
from engine.programs.candidate import Candidate, Evaluation
from tests.benchmarks.learning_effect import ARMS, MeasuringError, budgets_up_to, chosen
from tests.benchmarks.learning_report import (
    Measured,
    comparison_table,
    figure,
    solved_table,
    time_table,
)
from tests.benchmarks.learning_scores import (
    FORMULAS,
    RunScore,
    TaskScore,
    difference,
    discordant,
    estimate,
    load_score,
    marks,
    part_of,
    save_score,
    score_task,
)

GRIDS = [as_grid([[n]]) for n in range(10)]
TASK = Task("t", (Pair(GRIDS[1], GRIDS[2]),), (GRIDS[3],), (GRIDS[4],))
SOLVED = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=5).map(
    np.array
)


def candidate(number, output, *, right, barred=None):
    evaluation = Evaluation((pack(GRIDS[2]), pack(GRIDS[output])), (right,), barred)
    return Candidate(number, "sample", 0, 0, None, f"program {number}", evaluation)


def run_score(solved, seconds=1.0):
    tasks = [
        TaskScore(10, right, dict.fromkeys(FORMULAS, right), {5: False, 10: right})
        for right in solved
    ]
    return RunScore("abc1234", (part_of("0", tasks, seconds),), train_search=2.0, learning=3.0)


def test_a_vote_over_the_first_programs_sees_no_later_ones():
    found = [candidate(0, 5, right=True), candidate(1, 6, right=True)]
    found += [candidate(n, 4, right=True) for n in range(2, 6)]
    score = score_task(TASK, found, VoteConfig(), [2, 6, 50])
    assert score.at == {2: False, 6: True, 50: True}
    assert score.oracle
    assert score.solved["sum"]


def test_only_what_a_vote_could_have_chosen_counts_for_the_oracle():
    score = score_task(TASK, [candidate(0, 4, right=True, barred="identity")], VoteConfig(), [1])
    assert not score.oracle
    assert not any(score.solved.values())


def test_a_task_without_truth_is_refused():
    with pytest.raises(ValueError, match="truth"):
        score_task(TASK.without_truth(), [], VoteConfig(), [1])


@given(SOLVED)
def test_an_interval_holds_the_possible_and_a_difference_to_itself_is_nothing(found):
    one = estimate(found)
    assert 0 <= one.low <= one.high <= found.shape[1]
    assert one.median == np.median(found.sum(axis=1))
    nothing = difference(found, found)
    assert (nothing.median, nothing.low, nothing.high) == (0, 0, 0)
    assert discordant(found, found) == (0, 0)


@given(SOLVED, SOLVED)
def test_differences_mirror(found, other):
    one, two = difference(found, other), difference(other, found)
    assert one.median == -two.median
    assert one.low == pytest.approx(-two.high)
    assert discordant(found, other) == discordant(other, found)[::-1]


def test_tables_of_different_tasks_are_not_compared():
    with pytest.raises(ValueError, match="4 tasks"):
        difference(np.ones((1, 4), dtype=bool), np.ones((1, 5), dtype=bool))


def test_the_tables_say_medians_intervals_and_times():
    first = Measured(
        "chain", "one round", "sum", (run_score([1, 1, 0, 1]), run_score([1, 0, 0, 0]))
    )
    second = Measured(
        "untrained", "none", "sum", (run_score([0, 0, 0, 0]), run_score([0, 1, 0, 0]))
    )
    solved = solved_table([first, second], [5, 10])
    assert "| `chain` | one round | 2 | 10 | **2 [" in solved
    assert solved.splitlines()[2].endswith("| 2 | 0 | 2 |")
    compared = comparison_table(
        [first, second], [("chain", "untrained", "does it help"), ("chain", "absent", "no row")], 5
    )
    assert "| does it help | `chain` - `untrained` | +1.5 [" in compared
    assert "absent" not in compared
    assert "| `chain` | 2 s | 3 s | 1 s | 6 s |" in time_table([first, second])


def test_a_figure_is_a_drawing_with_every_curve_inside_it():
    drawn = figure({"a < b": {25: 0.0, 50: 2.0}, "c": {25: 1.0, 50: 2.0}}, "solved")
    root = ET.fromstring(drawn)
    lines = [e.attrib["points"] for e in root if e.tag.endswith("polyline")]
    points = [tuple(map(float, point.split(","))) for line in lines for point in line.split()]
    assert len(lines) == 2
    assert all(0 <= x <= 720 and 0 <= y <= 400 for x, y in points)
    assert any(e.text == "a < b" for e in root)


def test_scores_come_back_as_they_were_kept(tmp_path):
    path = tmp_path / "scores" / "chain-0.json"
    assert load_score(path) is None
    save_score(run_score([True, False]), path)
    assert load_score(path) == run_score([True, False])


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_a_bit_a_task_tells_every_task(solved):
    (part,) = run_score(solved).parts
    assert marks([part], "oracle").tolist() == [solved]
    assert marks([part], "@5").tolist() == [[False] * len(solved)]


@pytest.mark.parametrize("other", [("--target", "sample:6"), ("--tasks-limit", "3")])
def test_kept_scores_serve_no_other_tasks_than_theirs(other, tmp_path):
    command = [sys.executable, "-m", "tests.benchmarks.learning_effect", "--recorded"]
    command += ["--out", str(tmp_path), "--only", "shipped", *other]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "those scores are of" in done.stderr and not list(tmp_path.iterdir())


def test_arms_are_chosen_by_name_and_measured_in_one_order():
    assert chosen("round-2,chain") == ["chain", "round-2"]
    assert chosen(None) == list(ARMS)
    with pytest.raises(MeasuringError, match="no arm 'x'"):
        chosen("x")


@given(st.integers(1, 10_000))
def test_budgets_rise_to_the_total(most):
    budgets = budgets_up_to(most)
    assert budgets == sorted(set(budgets))
    assert budgets[-1] == most
    assert most < 51 or 50 in budgets
