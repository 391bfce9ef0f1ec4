"""Compiling in parts: what programs share is compiled once, and nobody can tell."""

import pytest

from engine.programs.sandbox import evaluate
from engine.programs.sandbox.parts import Parts

HELPERS = """import numpy as np

LIMIT = 3


def add(grid, number):
    '''Add a number to every cell.'''
    return grid + number


def clip(grid):
    return np.minimum(grid, LIMIT)


def transform(grid):
    return clip(add(np.array(grid), 2)).tolist()
"""


def produced(source: str, parts: Parts | None) -> list[bytes]:
    codes = None if parts is None else parts.of(source.encode())
    if codes is None:
        code = evaluate.compile_source(source.encode())
        if isinstance(code, bytes):
            return [code]
        codes = (code,)
    defined = evaluate.define(*codes)
    return [defined] if isinstance(defined, bytes) else [*evaluate.results(defined[1], [[[0, 1]]])]


def test_a_text_is_compiled_once_for_all_programs_of_a_batch() -> None:
    parts = Parts()
    one = parts.of(HELPERS.encode())
    other = parts.of(HELPERS.replace(", 2))", ", 1))").encode())
    assert one is not None
    assert other is not None
    assert [a is b for a, b in zip(one, other, strict=True)] == [True, True, True, False]


def test_programs_that_share_a_helper_keep_their_own_globals_and_defaults() -> None:
    keeper = "def keep(grid, seen=[]):\n    seen.append(1)\n    return [[len(seen), LIMIT]]\n"
    entry = "def transform(grid):\n    return keep(grid)\n"
    parts = Parts()
    first, second = (f"LIMIT = {n}\n\n\n{keeper}\n\n{entry}" for n in (3, 4))
    assert produced(first, parts) == produced(first, None)
    assert produced(second, parts) == produced(second, None)
    assert produced(first, parts) != produced(second, parts)


@pytest.mark.parametrize(
    "between",
    [
        'TEXT = """',
        "NUMBERS = [",
        "@print",
        "if True:",
        "NUMBER = 1 + \\",
        "global LIMIT",
        "def same(one, other):\n    return one is other",
        "__name__ = 'other'",
        "ｎａｍｅ = 1",
        "def broken(:",
        "def wild():\n    return open('x')",
    ],
)
def test_what_could_tell_parts_from_the_whole_is_taken_whole(between: str) -> None:
    source = HELPERS.replace("\n\n\ndef clip", f"\n\n\n{between}\n\n\ndef clip")
    assert Parts().of(HELPERS.encode()) is not None
    assert Parts().of(source.encode()) is None


@pytest.mark.parametrize(
    "source",
    [
        HELPERS,
        HELPERS.replace("LIMIT = 3", "LIMIT = 1 // 0"),
        HELPERS.replace("clip(add", "missing(add"),
        HELPERS.replace("LIMIT = 3", "LIMIT: int = 3"),
        HELPERS.replace("transform", "other"),
        HELPERS.replace("def clip", "import numpy\n\n\ndef clip"),
        HELPERS.replace("grid + number", "add(grid, number)"),
    ],
)
def test_parts_give_what_the_whole_gives(source: str) -> None:
    parts = Parts()
    assert parts.of(source.encode()) is not None
    assert produced(source, parts) == produced(source, None)
