"""Taking programs out of replies and giving them one form and one hash."""

import ast
import random
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.programs import source as module
from engine.programs.source import SourceError, extract, normal_hash, normalise, source_hash

PROGRAM = '''\
import numpy as np
from collections import Counter

TABLE = {1: 2, 3: 4}  # a module constant


class Shape:
    """A helper class."""

    sides = 4


def helper(grid):
    return [[TABLE.get(cell, cell) for cell in row] for row in grid]


def transform(grid):
    \tcount = Counter(np.array(grid).ravel().tolist())
    \treturn helper(grid) if count else grid
'''.replace("    \t", "\t")


def fenced(program, language="python", fence="```"):
    return f"{fence}{language}\n{program}{fence}\n"


def result_of(program, grid):
    space = {"__name__": "program"}
    exec(program, space)
    return space["transform"](grid)


def test_a_fenced_program_is_kept_whole():
    assert extract(f"The rule: …\n\n{fenced(PROGRAM)}\nThat is it.") == PROGRAM


@pytest.mark.parametrize("language", ["python", "py", "Python3", " python ", "", "python title=x"])
@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_any_fence_will_do(language, fence):
    assert extract(fenced(PROGRAM, language, fence)) == PROGRAM


def test_the_last_block_that_defines_transform_wins():
    first, last = PROGRAM, PROGRAM.replace("else grid", "else []")
    notes = fenced("print('no transform here')\n")
    assert extract(fenced(first) + fenced(last) + notes) == last


def test_a_block_that_only_talks_about_transform_is_passed_over():
    talk = fenced("grid -> transform(grid) == grid\n", "text")
    assert extract(fenced(PROGRAM) + talk) == PROGRAM


def test_a_whole_program_wins_over_a_later_one_cut_short():
    cut = "```python\ndef transform(grid):\n    return [["
    assert extract(fenced(PROGRAM) + cut) == PROGRAM


def test_a_fence_left_open_ends_with_the_reply():
    assert extract("Thoughts.\n```python\n" + PROGRAM) == PROGRAM


def test_a_program_cut_in_the_middle_is_given_as_it_is():
    cut = extract("```python\ndef transform(grid):\n    return [[")
    assert cut == "def transform(grid):\n    return [[\n"
    with pytest.raises(SourceError, match="line 2: '\\[' was never closed"):
        normalise(cut)


def test_a_fence_forgotten_before_the_next_one():
    assert extract("```python\nx = 1\n```python\n" + PROGRAM + "```\n") == PROGRAM


def test_an_indented_block_is_taken_to_the_margin():
    assert extract("1. So:\n" + textwrap.indent(fenced(PROGRAM), "   ")) == PROGRAM


def test_a_reply_that_is_itself_a_program_counts():
    assert extract(PROGRAM) == PROGRAM


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I cannot tell.",
        "transform(grid) doubles the grid",
        "def transform(grid): I would return the grid",
        "x = 1\n",
        fenced("def solve(grid):\n    return grid\n"),
        "```python\n",
        "```",
    ],
)
def test_a_reply_without_a_program_gives_none(reply):
    assert extract(reply) is None


@pytest.mark.parametrize(
    "program",
    [
        "def solve(grid):\n    return grid\n\n\ntransform = solve\n",
        "transform = lambda grid: grid\n",
        "def cached(f):\n    return f\n\n\n@cached\ndef transform(grid):\n    return grid\n",
        "def transform(grid):\n    return grid\n\n\ntransform = list and transform\n",
    ],
)
def test_every_way_to_define_transform_counts(program):
    assert extract(fenced(program)) == program
    assert result_of(program, [[1]]) == [[1]]


def test_trials_at_module_level_are_left_out():
    trials = (
        "example = [[1, 2]]\n"
        "answer = transform(example)\n"
        "print(answer)\n"
        "assert transform([[1]]) == [[1]], 'wrong'\n"
        "for row in transform(\n"
        "    example\n"
        "):\n"
        "    print(row)\n"
        "def main():\n"
        "    print(transform(example))\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
        "main()\n"
    )
    kept = extract(fenced(PROGRAM + trials))
    assert kept == PROGRAM + ("example = [[1, 2]]\ndef main():\n    print(transform(example))\n")
    assert result_of(kept, [[1, 3]]) == [[2, 4]]


def test_a_trial_is_left_out_however_its_name_is_written():
    # Python reads letters of other widths as the plain ones.
    program = "def transform(grid):\n    return grid\n"
    reply = f"```python\n{program}\nｔransform([[1]])\n```"
    assert extract(reply).strip() == program.strip()


def test_statements_that_build_tables_stay():
    program = (
        "TABLE = {}\n"
        "for colour in range(10):\n"
        "    TABLE[colour] = 9 - colour\n"
        "def transform(grid):\n"
        "    return [[TABLE[cell] for cell in row] for row in grid]\n"
    )
    assert extract(fenced(program)) == program


def test_a_trial_that_shares_its_line_stays():
    program = "def transform(grid):\n    return grid\nX = 1; Y = transform([[1]])\n"
    assert extract(fenced(program)) == program


def test_windows_line_ends_are_read():
    assert extract(fenced(PROGRAM).replace("\n", "\r\n")) == PROGRAM


def test_surrogates_become_question_marks():
    program = "def transform(grid):\n    return grid  # \ud800\n"
    assert extract(fenced(program)) == program.replace("\ud800", "?")


words = st.text(st.characters(exclude_characters="`~\r"), max_size=60)


@given(words, words, st.sampled_from(["```", "~~~~"]))
def test_a_program_is_found_whatever_stands_around_it(before, after, fence):
    reply = f"{before}\n{fenced(PROGRAM, fence=fence)}{after}"
    assert extract(reply) == PROGRAM


@given(st.text(max_size=300) | st.text("`~\n\t pydeftransform():=", max_size=300))
def test_any_text_at_all_is_read(text):
    program = extract(text)
    assert program is None or "transform" in program
    for hashed in (text, program or ""):
        assert len(source_hash(hashed)) == 16
    try:
        normal = normalise(text)
    except SourceError as error:
        assert str(error)
        return
    assert normalise(normal) == normal


DEEP = {
    "brackets": "(" * 5000 + ")" * 5000,
    "attributes": "g" + ".a" * 20_000,
    "calls": "g" + "()" * 20_000,
    "minus": "-" * 50_000 + "1",
    "sum": "g" + "+g" * 20_000,
    "conditions": "g" + " if g else g" * 5_000,
    "lambdas": "lambda: " * 9_000 + "g",
}


@pytest.mark.parametrize("expression", DEEP.values(), ids=DEEP)
def test_nesting_too_deep_for_python_is_a_source_error(expression):
    program = f"def transform(g):\n    return {expression}\n"
    assert extract(fenced(program)) == program
    with pytest.raises(SourceError):
        normalise(program)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def transform(", "line 1: '(' was never closed"),
        ("x = 'a\0b'", "source code string cannot contain null bytes"),
        ("x" * 100_001, "longer than 100000 characters"),
        ("if x:\n\ty\n        z", "inconsistent use of tabs and spaces in indentation"),
    ],
)
def test_what_does_not_parse_says_why(text, message):
    with pytest.raises(SourceError) as refused:
        normalise(text)
    assert message in str(refused.value)


def test_a_surrogate_does_not_parse_but_has_a_hash():
    with pytest.raises(SourceError, match="not Python"):
        normalise("x = '\ud800'")
    assert source_hash("x = '\ud800'") != source_hash("x = '?'")


HUGE = {
    "spaces in a fence": "```" + " " * 10**6 + "`",
    "backticks": "`" * 10**6,
    "spaces": " " * 10**6,
    "one long line": fenced("def transform(g): return '" + "x" * 10**6 + "'\n"),
    "fences": "```python\n" * 10**5,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_a_huge_reply_holds_no_program(text):
    assert extract(text) is None


def test_comments_and_formatting_do_not_count():
    one = "def transform(grid):\n    # keep\n    return (grid)\n"
    other = "def transform( grid ):\n\treturn grid"
    assert normalise(one) == normalise(other)
    assert normal_hash(one) == normal_hash(other)
    assert source_hash(one) != source_hash(other)
    assert normal_hash(one) != normal_hash(other.replace("return grid", "return grid[::-1]"))


def test_odd_escapes_warn_nobody(recwarn):
    normalise(r"def transform(grid): return '\d' is 1" + "\n")
    assert not recwarn.list


def test_normalising_keeps_the_tree_of_real_code():
    text = Path(module.__file__).read_text(encoding="utf-8")
    normal = normalise(text)
    assert normalise(normal) == normal
    assert ast.dump(ast.parse(normal)) == ast.dump(ast.parse(text))


def test_spacing_and_comments_drawn_at_random_change_no_normal_hash():
    rng = random.Random(3)
    lines = PROGRAM.splitlines()
    for _ in range(50):
        noisy = []
        for line in lines:
            comment = f"  # {rng.random()}" if line and rng.random() < 0.3 else ""
            noisy += [line + comment] + [""] * rng.randrange(2)
        assert normal_hash("\n".join(noisy)) == normal_hash(PROGRAM)
