"""The built-in code embedding: what is near, what is far, and what near-duplicates cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.learning.embedding import NEAR, distinct_programs, diversity, embed

FLIP = """
import numpy as np
def transform(grid):
    rows = np.array(grid)
    return np.fliplr(rows).tolist()
"""
FLIP_RENAMED = """
import numpy as np

def transform(g):
    a = np.array(g)  # mirrored left to right
    return np.fliplr(a).tolist()
"""
FILL = """
def transform(grid):
    out = [row[:] for row in grid]
    for r, row in enumerate(grid):
        for c, cell in enumerate(row):
            if cell == 0:
                out[r][c] = 4
    return out
"""
sources = st.lists(st.sampled_from([FLIP, FLIP_RENAMED, FILL, "x = 1", "def (", ""]), max_size=8)


def cosine(a, b):
    first, second = embed([a, b])
    return float(first @ second)


def test_a_renamed_program_is_near_and_another_is_far():
    assert cosine(FLIP, FLIP_RENAMED) > NEAR
    assert cosine(FLIP, FILL) < 0.5


def test_other_constants_are_told_apart():
    assert cosine(FILL, FILL.replace("= 4", "= 7")) < 1.0 - 1e-6


@given(sources)
def test_vectors_are_units_or_zero_and_do_not_depend_on_their_neighbours(programs):
    vectors = embed(programs)
    for program, vector in zip(programs, vectors, strict=True):
        assert np.allclose(vector, embed([program])[0])
        length = 0.0 if program == "def (" else 1.0
        assert np.linalg.norm(vector) == pytest.approx(length, abs=1e-5)


@given(sources)
def test_near_duplicates_go_and_the_shortest_stays(programs):
    kept = distinct_programs(programs)
    vectors = embed(programs)
    for index in range(len(programs)):
        if index not in kept:
            near = [k for k in kept if float(vectors[k] @ vectors[index]) > NEAR]
            assert any(len(programs[k]) <= len(programs[index]) for k in near)
    for position, index in enumerate(kept):
        assert all(float(vectors[index] @ vectors[k]) <= NEAR for k in kept[:position])


@given(st.lists(st.sampled_from([FLIP, FLIP_RENAMED, FILL, "x = 1"]), min_size=2, max_size=8))
def test_diversity_is_the_mean_over_pairs(programs):
    vectors = embed(programs).astype(np.float64)
    pairs = [
        1.0 - float(vectors[i] @ vectors[j])
        for i in range(len(programs))
        for j in range(len(programs))
        if i != j
    ]
    assert diversity(programs) == pytest.approx(sum(pairs) / len(pairs), abs=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "def inside():\n    pass",
        "@wraps(f)\ndef g():\n    pass",
        "x = (1,\ndef f(): pass)",
        "# only",
    ],
)
def test_text_that_is_cut_in_the_wrong_place_is_taken_whole(text):
    whole = f'NOTE = """\n{text}\n"""\n'
    assert np.linalg.norm(embed([whole])[0]) == pytest.approx(1.0, abs=1e-5)
    assert cosine(whole, whole + "# and a remark\n") == pytest.approx(1.0, abs=1e-5)


def test_diversity_of_one_program_is_unknown():
    assert diversity([FLIP]) is None
