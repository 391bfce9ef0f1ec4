"""The vote over columns is the vote: any candidates, any formula, ties and all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.ballot import Ballot, count_votes, pooled
from engine.analysis.record import FORMULAS
from engine.arc import Pair, Task, as_grid
from engine.programs.candidate import Candidate, Evaluation
from engine.search.invariants import invariants_of, kept
from engine.search.vote import Tallies, rank

PAIRS = 2
WRONG, RIGHT = bytes((1, 1, 0)), bytes((1, 1, 1))
OUTPUTS = tuple(bytes((1, 1, colour)) for colour in range(4))
CELL = as_grid([[0]])
INVARIANTS = invariants_of(
    Task("task", (Pair(CELL, as_grid([[1]])), Pair(CELL, as_grid([[2]]))), (CELL,))
)
"""Of the patterns 0 and 3 break one: colour 0 does not come up, as those of the others may."""

voters = st.lists(
    st.tuples(
        st.integers(0, 3),  # pattern
        st.integers(0, PAIRS),  # pairs right
        st.sampled_from(["a", "b", "cc", "dd", "eee"]),  # source
        st.none() | st.integers(-3, 0),  # prior
    ),
    max_size=24,
)


def ballot_of(given_voters):
    columns = list(zip(*given_voters, strict=True)) or [(), (), (), ()]
    keys = {source: place for place, source in enumerate(sorted({v[2] for v in given_voters}))}
    return Ballot(
        pairs=PAIRS,
        tests=1,
        place=np.arange(len(given_voters), dtype=np.int32),
        member=np.zeros(len(given_voters), dtype=np.int32),
        pattern=np.array(columns[0], dtype=np.int32),
        pairs_right=np.array(columns[1], dtype=np.int32),
        length=np.array([len(source) for source in columns[2]], dtype=np.int32),
        key=np.array([keys[source] for source in columns[2]], dtype=np.int64),
        prior=np.array([np.nan if p is None else p for p in columns[3]], dtype=np.float64),
        outputs=OUTPUTS,
        marks=np.array([1, 0, 0, 0], dtype=np.int64),
        keeps=np.array([kept(INVARIANTS, output) for output in OUTPUTS], dtype=np.float64),
    )


def tallied(given_voters, formula, c):
    tallies = Tallies()
    for number, (pattern, right, source, prior) in enumerate(given_voters):
        marks = tuple(place < right for place in range(PAIRS))
        results = (*(RIGHT if mark else WRONG for mark in marks), OUTPUTS[pattern])
        found = Evaluation(results, marks)
        tallies.add(Candidate(number, "sample", 0, 0, None, source, found, prior))
    return [(OUTPUTS.index(t.pattern), w) for t, w in rank(tallies.all(), formula, c, INVARIANTS)]


@given(voters, st.sampled_from(FORMULAS), st.sampled_from([0.0, 1.0, 1000.0]))
def test_patterns_rank_as_the_search_ranks_them(given_voters, formula, c):
    counted = count_votes(ballot_of(given_voters), formula, c)
    expected = tallied(given_voters, formula, c)
    assert counted.heaviest() == [pattern for pattern, _ in expected]
    assert counted.heaviest(2) == [pattern for pattern, _ in expected][:2]
    assert [counted.weight[pattern] for pattern, _ in expected] == [w for _, w in expected]


@given(voters, st.sampled_from(FORMULAS), st.data())
def test_a_vote_among_some_is_the_vote_of_those_alone(given_voters, formula, data):
    many = len(given_voters)
    chosen = data.draw(st.lists(st.booleans(), min_size=many, max_size=many))
    some = [one for one, kept in zip(given_voters, chosen, strict=True) if kept]
    counted = count_votes(ballot_of(given_voters), formula, 10.0, np.array(chosen, dtype=np.bool_))
    assert counted.heaviest() == [pattern for pattern, _ in tallied(some, formula, 10.0)]


@given(st.lists(voters, min_size=1, max_size=3), st.sampled_from(["sum", "text", "appendix"]))
def test_a_pool_votes_as_one_search_would(several, formula):
    union = pooled([ballot_of(one) for one in several])
    counted = count_votes(union, formula, 10.0)
    joined = [voter for one in several for voter in one]
    assert counted.heaviest() == [pattern for pattern, _ in tallied(joined, formula, 10.0)]
    assert np.bincount(union.member, minlength=len(several)).tolist() == list(map(len, several))


def test_ballots_of_different_tasks_are_not_pooled():
    one = ballot_of([])
    other = Ballot(
        **{**{name: getattr(one, name) for name in Ballot.__dataclass_fields__}, "tests": 2}
    )
    with pytest.raises(ValueError, match="different tasks"):
        pooled([one, other])
    with pytest.raises(ValueError, match="no ballots"):
        pooled([])
