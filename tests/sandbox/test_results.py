"""What `Sandbox.run` gives for programs that behave in every way a program can."""

import numpy as np
import pytest

from engine.arc import as_grid, pack
from engine.programs.candidate import Failure
from engine.programs.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRID = as_grid([[1, 2], [3, 4]])
FIVE = as_grid([[5]])
NINE = as_grid([[9, 0, 9]])


async def run_one(sandbox: Sandbox, source: str, *inputs):
    (results,) = await sandbox.run([source], inputs or (GRID,))
    return results if inputs else results[0]


def body(*lines: str) -> str:
    return "import numpy as np\ndef transform(grid):\n" + "".join(f"    {x}\n" for x in lines)


async def test_results_come_per_source_and_input_in_order(sandbox):
    sources = [body(f"return [[{n}] + row for row in grid]") for n in range(10)]
    results = await sandbox.run(sources, [GRID, FIVE])
    assert results == [
        (pack(as_grid([[n, 1, 2], [n, 3, 4]])), pack(as_grid([[n, 5]]))) for n in range(10)
    ]


async def test_no_sources_and_no_inputs_give_nothing(sandbox):
    assert await sandbox.run([], [GRID]) == []
    assert await sandbox.run([body("return grid")], []) == [()]


@pytest.mark.parametrize(
    "expression",
    [
        "grid",
        "np.array(grid)",
        "np.array(grid, dtype=np.int8)",
        "tuple(map(tuple, grid))",
        "[np.array(row) for row in grid]",
        "[[np.int64(c) for c in row] for row in grid]",
        "np.array(grid, dtype=np.uint16).tolist()",
    ],
)
async def test_valid_outputs(sandbox, expression):
    assert await run_one(sandbox, body(f"return {expression}")) == pack(GRID)


@pytest.mark.parametrize(
    "expression",
    [
        "None",
        "5",
        "'12'",
        "[]",
        "[[]]",
        "[1, 2]",
        "[[1], [2, 3]]",
        "[[True]]",
        "[[1.0]]",
        "[['1']]",
        "[[10]]",
        "[[-1]]",
        "[[256]]",
        "[[10**30]]",
        "[[0] * 31]",
        "[[0]] * 31",
        "[[[1]]]",
        "np.array([[True]])",
        "np.array([[1.0]])",
        "np.array([1])",
        "np.array([[1]], dtype=object)",
        "np.zeros((0, 3), int)",
        "np.full((1, 1), 300)",
        "{0: [1]}",
        "(row for row in grid)",
        "transform",
    ],
)
async def test_invalid_outputs(sandbox, expression):
    result = await run_one(sandbox, body(f"return {expression}"))
    assert isinstance(result, Failure)
    assert result.kind == "invalid"


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        (body("return 1 / 0"), "exception", "ZeroDivisionError: division by zero"),
        ("1 / 0", "exception", "ZeroDivisionError: division by zero"),
        (body("import sys; sys.exit('bye')"), "exception", "SystemExit: bye"),
        ("def transform(grid)", "refused", "SyntaxError"),
        ("def solve(grid): return grid", "refused", "transform"),
        ("transform = 3", "refused", "transform"),
        ("", "refused", "transform"),
        ("x = '\ud800'", "refused", "Unicode"),
        ("\0", "refused", "null"),
        ("(" * 5000 + ")" * 5000, "refused", ""),
        ("x" * (1 << 21), "refused", "longer"),
        (body("while True: pass"), "timeout", "0.4 s"),
        ("while True: pass", "timeout", "0.4 s"),
        (body("return sum(range(10**13))"), "timeout", "0.4 s"),
        (body("return [0] * 10**10"), "memory", "memory"),
        (body("import os", "os._exit(7)"), "crash", "status 7"),
        (body("import os", "os.abort()"), "crash", "killed by SIG"),
        (body("return transform(grid)"), "exception", "RecursionError"),
        (
            body("raise ValueError('a\\nb\\x1b[31m\\u202e' + 'x' * 5000)"),
            "exception",
            "ValueError: a b",
        ),
    ],
)
async def test_failures(sandbox, source, kind, text):
    result = await run_one(sandbox, source)
    assert isinstance(result, Failure)
    assert result.kind == kind
    assert text in result.text
    assert len(result.text) <= 300
    assert result.text.isprintable()


async def test_a_hang_a_crash_and_an_error_cost_their_own_grid_only(sandbox):
    source = body(
        "if grid[0][0] == 5:",
        "    while True: pass",
        "if grid[0][0] == 9:",
        "    import os; os._exit(1)",
        "if grid[0][0] == 0:",
        "    raise KeyError",
        "return grid",
    )
    zero = as_grid([[0]])
    results = await run_one(sandbox, source, GRID, FIVE, GRID, NINE, GRID, zero, GRID)
    assert [r if isinstance(r, bytes) else r.kind for r in results] == [
        pack(GRID), "timeout", pack(GRID), "crash", pack(GRID), "exception", pack(GRID),
    ]  # fmt: skip


async def test_a_program_slower_than_the_fast_lane_is_not_lost(sandbox):
    source = body(
        "import time",
        "start = time.process_time()",
        "while time.process_time() - start < 0.2: pass",
        "return grid",
    )
    assert await run_one(sandbox, source, GRID, FIVE) == (pack(GRID), pack(FIVE))


async def test_a_program_cannot_change_its_neighbours_input(sandbox):
    spoil = body("grid[0][0] = 7", "grid.append([1, 1])", "return [[0]]")
    keep = body("return grid")
    results = await sandbox.run([spoil, keep, spoil, keep], [GRID, GRID])
    assert results[1] == results[3] == (pack(GRID), pack(GRID))


async def test_numbers_that_look_random_repeat(sandbox):
    source = body(
        "import random",
        "r = random.Random()",
        "return [[random.randrange(10), r.randrange(10), np.random.randint(10),",
        "  int(np.random.default_rng().integers(10)), hash('ab') % 10,",
        "  len({'a', 'b'}), sorted(['x', 'y'], key=hash)[0] == 'x' and 1 or 0]]",
    )
    results = await sandbox.run([source] * 6, [GRID, FIVE])
    assert isinstance(results[0][0], bytes)
    assert len(set(results)) == 1


async def test_error_texts_hold_no_addresses_so_that_runs_agree(sandbox):
    source = body("raise ValueError(object(), transform)")
    results = await sandbox.run([source] * 3, [GRID])
    assert len(set(results)) == 1
    assert "0x…" in results[0][0].text


async def test_new_arrays_hold_nothing_of_earlier_programs(sandbox):
    leave = body("a = np.full((8, 8), 9, np.uint8)", "return np.array(a.tolist())")
    look = body(
        "a = np.empty((8, 8), np.uint8)",
        "b = np.add(a, a, where=np.zeros((8, 8), bool))",
        "return np.maximum(a % 10, b % 10)",
    )
    results = await sandbox.run([leave, look] * 30, [GRID])
    assert {r[0] for r in results[1::2]} == {pack(np.zeros((8, 8), np.uint8))}


async def test_too_many_inputs_or_confirmations_are_an_error(sandbox):
    with pytest.raises(ValueError, match="255"):
        await sandbox.run(["x"], [GRID] * 256)
    with pytest.raises(ValueError, match="confirm"):
        await sandbox.run(["x"], [GRID], confirm=[b"", b""])
