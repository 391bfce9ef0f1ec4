"""The vote against a direct transcription of SOAR §6."""

import math

from hypothesis import given
from hypothesis import strategies as st

from engine.programs.candidate import Candidate, Evaluation, Failure
from engine.search.vote import Tallies, rank, weight

PAIRS = 3
A, B, C = b"\x01\x01\x01", b"\x01\x01\x02", b"\x01\x02\x03\x04"


def candidate(pattern, right, *, length=10, barred=None, prior=None):
    tests = (pattern,) if pattern is not None else (Failure("timeout", "2 s"),)
    results = tuple(A for _ in range(PAIRS)) + tests
    bits = tuple(index < right for index in range(PAIRS))
    return Candidate(
        id=0,
        operator="sample",
        pull=0,
        island=0,
        parent=None,
        source="x" * length,
        evaluation=Evaluation(results, bits, barred),
        prior=prior,
    )


candidates = st.lists(
    st.builds(
        candidate,
        st.sampled_from([A, B, C, None]),
        st.integers(0, PAIRS),
        length=st.integers(1, 50),
        barred=st.sampled_from([None, None, None, "identity"]),
        prior=st.sampled_from([None, -1.5]),
    ),
    max_size=30,
)


def count(voters):
    tallies = Tallies()
    for voter in voters:
        tallies.add(voter)
    return tallies.all()


@given(candidates, st.sampled_from([0.0, 1.0, 1000.0]))
def test_weights_are_those_of_the_formulas(voters, c):
    counted = [
        v for v in voters if v.evaluation.filter is None and v.evaluation.pattern is not None
    ]
    tallies = {t.pattern: t for t in count(voters)}
    assert set(tallies) == {v.evaluation.pattern for v in counted}
    for pattern, tally in tallies.items():
        accuracies = [v.evaluation.accuracy for v in counted if v.evaluation.pattern == pattern]
        n, mean = len(accuracies), math.fsum(accuracies) / len(accuracies)
        assert math.isclose(weight(tally, "sum", c), sum(1 + c * a for a in accuracies))
        assert math.isclose(weight(tally, "text", c), math.fsum(accuracies), abs_tol=1e-12)
        assert math.isclose(weight(tally, "appendix", c), n + c * mean)
        distinct = {v.source for v in counted if v.evaluation.pattern == pattern and v.prior}
        assert math.isclose(tally.prior_sum, len(distinct) * math.exp(-1.5), abs_tol=1e-12)


@given(candidates, st.randoms(use_true_random=False), st.sampled_from(["sum", "prior"]))
def test_the_order_of_candidates_changes_nothing(voters, random, formula):
    shuffled = list(voters)
    random.shuffle(shuffled)
    assert rank(count(voters), formula, 1000.0) == rank(count(shuffled), formula, 1000.0)


def test_one_validated_program_outweighs_many_that_only_fit():
    many = [candidate(A, PAIRS, length=n, prior=-3.0) for n in range(1, 20)]
    voters = [*many, candidate(B, PAIRS, prior=3.0)]
    assert rank(count(voters), "sum", 1000.0)[0][0].pattern == A
    assert rank(count(voters), "prior", 1000.0)[0][0].pattern == B


@given(candidates)
def test_heavier_patterns_come_first(voters):
    weights = [w for _, w in rank(count(voters), "sum", 1000.0)]
    assert weights == sorted(weights, reverse=True)


def test_one_perfect_program_outweighs_many_that_fit_nothing():
    voters = [candidate(A, PAIRS)] + [candidate(B, 0) for _ in range(900)]
    (first, _), (second, _) = rank(count(voters), "sum", 1000.0)
    assert (first.pattern, second.pattern) == (A, B)


def test_ties_go_by_count_then_by_the_shortest_program():
    voters = [candidate(A, 1), candidate(B, 1, length=5), candidate(C, 1, length=7)]
    ranked = rank(count(voters), "text", 1000.0)
    assert [tally.pattern for tally, _ in ranked] == [B, C, A]
    voters.append(candidate(A, 0))
    assert rank(count(voters), "text", 1000.0)[0][0].pattern == A
