"""Programs as text: emitted, parsed back, run bare; and foreign text refused."""

import ast
import builtins
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.policies.grammar.bench import Workbench
from engine.policies.grammar.chains import Chain, grow
from engine.policies.grammar.language import FEATURES, PRIMITIVES, Step
from engine.policies.grammar.model import Untrained
from engine.policies.grammar.source import emit, parse
from tests.policies.grammar.tasks import RECOLOUR, SYMMETRY, TASKS, TILE, random_task

HARMLESS_BUILTINS = {
    "abs",
    "all",
    "any",
    "bool",
    "dict",
    "enumerate",
    "float",
    "int",
    "len",
    "list",
    "map",
    "max",
    "min",
    "range",
    "set",
    "sorted",
    "sum",
    "tuple",
    "zip",
    "ValueError",
}


def run_bare(source: str, grid: np.ndarray) -> list[list[int]]:
    """Run a program as any Python would, in a namespace of its own."""
    namespace: dict[str, object] = {}
    exec(compile(source, "program", "exec"), namespace)
    transform = namespace["transform"]
    assert callable(transform)
    output = transform(grid.tolist())
    assert isinstance(output, list)
    return output


def assert_same_everywhere(chain: Chain) -> None:
    source = emit(chain.steps)
    parsed = parse(source)
    assert parsed is not None
    assert emit(parsed) == source
    assert [step.text for step in parsed] == [step.text for step in chain.steps]
    for before, after in zip(chain.problems[0].grids, chain.left.grids, strict=True):
        output = run_bare(source, before)
        assert output == after.tolist()
        assert all(type(cell) is int for row in output for cell in row)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_random_chains_are_read_back_and_run_alike(task_seed: int, seed: int) -> None:
    bench = Workbench(random_task(Random(task_seed)), Untrained())
    for index in range(4):
        chain = grow(bench, Random(f"{seed} {index}"))
        if chain.steps:
            assert_same_everywhere(chain)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_programs_of_tasks_are_read_back_and_run_alike(task) -> None:
    bench = Workbench(task, Untrained())
    chains = [grow(bench, Random(f"{task.id} {index}")) for index in range(60)]
    assert sum(bool(chain.steps) for chain in chains) > 55
    for chain in chains:
        if chain.steps:
            assert_same_everywhere(chain)


def test_every_primitive_compiles_to_harmless_names() -> None:
    for primitive in PRIMITIVES.values():
        source = emit([Step(primitive, ())])
        tree = ast.parse(source)
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        stored = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        parameters = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        for node in ast.walk(tree):
            assert not isinstance(node, ast.ClassDef | ast.Global | ast.Nonlocal)
            if isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_")
            if isinstance(node, ast.Name) and node.id not in defined | stored | parameters:
                assert node.id == "np" or node.id in HARMLESS_BUILTINS, (primitive.name, node.id)
                assert node.id == "np" or hasattr(builtins, node.id)
        assert max(map(len, source.splitlines())) <= 120


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def transform(grid):\n    return grid\n",
        "import os\n\ndef transform(grid):\n    os.system('x')\n    return grid\n",
        "def transform(grid)\n",
        "def transform(grid):\n    grid = np.array(grid)\n    grid = unheard_of(grid)\n    return grid",
        "\0",
    ],
)
def test_foreign_programs_are_not_taken_for_ours(source: str) -> None:
    assert parse(source) is None


def test_an_edited_program_is_foreign() -> None:
    chain = grow(Workbench(TILE, Untrained()), Random("tile"))
    source = emit(chain.steps)
    assert parse(source.replace("import numpy as np\n", "import numpy as np\nx = 1\n")) is None
    assert parse(source + "\n") is None


def test_features_have_the_grids_shape_and_sources_are_colours() -> None:
    from engine.policies.grammar.language import SOURCES

    for task in (RECOLOUR, SYMMETRY, *TASKS):
        for grid in task.inputs:
            cells = grid.astype(np.int64)
            for name, feature in FEATURES.items():
                try:
                    values = feature(cells)
                except (ValueError, LookupError, ArithmeticError):
                    continue
                assert values.shape == cells.shape, name
                assert values.dtype.kind in "ib", name
                if name in SOURCES and name not in ("above", "below", "left_of", "right_of"):
                    assert int(values.min()) >= 0, name
                    assert int(values.max()) <= 9, name
