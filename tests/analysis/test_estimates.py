"""The statistics by their properties, and against plain enumeration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.estimates import estimate, estimates, mcnemar, moving_average, pass_at_k
from tests.analysis import naive

shares = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(1, 9))
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_one(marks, k):
    drawn = min(k, len(marks))
    expected = naive.enumerated_pass_at_k(marks, drawn)
    assert pass_at_k(len(marks), sum(marks), k) == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 6000), st.integers(0, 6000), st.integers(1, 6000))
def test_pass_at_k_stays_a_chance_and_grows_with_k(candidates, right, k):
    right = min(right, candidates)
    chance = pass_at_k(candidates, right, k)
    assert 0 <= chance <= 1
    assert pass_at_k(candidates, right, k + 1) >= chance - 1e-12
    assert pass_at_k(candidates, right, 1) == pytest.approx(right / candidates)


@pytest.mark.parametrize(("candidates", "right", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_pass_at_k_refuses_what_cannot_be(candidates, right, k):
    with pytest.raises(ValueError, match="candidates right"):
        pass_at_k(candidates, right, k)


@given(st.integers(0, 6), st.integers(0, 6))
def test_mcnemar_counts_coins(first, second):
    assert mcnemar(first, second) == pytest.approx(naive.mcnemar(first, second))
    assert mcnemar(first, second) == mcnemar(second, first)


def test_mcnemar_of_many_tasks_is_no_overflow():
    assert mcnemar(200, 200) == 1.0
    assert 0 < mcnemar(400, 100) < 1e-20


@given(shares)
def test_an_interval_holds_its_mean_within_the_values(values):
    found = estimate(values)
    assert found.value == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= found.low <= found.value <= found.high <= max(values) + 1e-9


def test_an_interval_has_the_width_theory_gives():
    values = [1.0] * 200 + [0.0] * 200
    found = estimate(values)
    half = 1.96 * np.sqrt(0.25 / 400)
    assert found.high - found.value == pytest.approx(half, rel=0.1)
    assert found.value - found.low == pytest.approx(half, rel=0.1)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_columns_are_estimated_as_if_alone(rows):
    for column, found in enumerate(estimates(np.array(rows))):
        alone = estimate([row[column] for row in rows])
        assert (found.value, found.low, found.high) == pytest.approx(
            (alone.value, alone.low, alone.high)
        )


def test_nothing_has_no_estimate():
    assert estimate([]) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), min_size=1, max_size=30))
def test_a_moving_average_treats_completions_alike_however_they_are_grouped(pulls):
    values, weights = zip(*pulls, strict=True)
    grouped = moving_average(values, weights, 20)
    single = moving_average(
        [value for value, weight in pulls for _ in range(weight)], [1] * sum(weights), 20
    )
    ends = np.cumsum(weights) - 1
    assert grouped == pytest.approx(single[ends])
    assert grouped.min() >= min(values) - 1e-12
    assert grouped.max() <= max(values) + 1e-12


def test_a_constant_stays():
    assert moving_average([0.3] * 5, [4] * 5, 100) == pytest.approx([0.3] * 5)
