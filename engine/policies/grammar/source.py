"""Programs as text: emit a chain of steps as a self-contained program, and parse it back.

An emitted program is plain Python with numpy: the constants and functions it needs, word for
word as the modules in `primitives` define them (decorators apart), then `transform` with one
line per step. That text is the whole trace of a program: `parse` recovers the steps from it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable
from functools import cache, lru_cache
from pprint import pformat

from engine.policies.grammar import primitives
from engine.policies.grammar.language import FEATURES, PRIMITIVES, Step, Value

_WIDTH = 92
_HEAD = "import numpy as np\n"


def emit(steps: Iterable[Step]) -> str:
    """Return the program of a chain of steps: defines `transform(grid)`, lists in and out."""
    chain = tuple(steps)
    body = textwrap.indent("\n".join(step.text for step in chain), "    ")
    names = frozenset(name for step in chain for name in _called(step))
    return (
        _library(names)
        + "\n\n\ndef transform(grid):\n    grid = np.array(grid)\n"
        + body
        + "\n    return grid.tolist()\n"
    )


def parse(source: str) -> tuple[Step, ...] | None:
    """Return the steps of a program this language emitted, or None when it is not one.

    Only `transform` is read; whoever runs the steps must compare outputs if the text may have
    been edited elsewhere.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    bodies = [
        node.body
        for node in module.body
        if isinstance(node, ast.FunctionDef) and node.name == "transform"
    ]
    if len(bodies) != 1 or len(bodies[0]) < 3:
        return None
    steps = [_parse_step(statement) for statement in bodies[0][1:-1]]
    chain = tuple(step for step in steps if step is not None)
    if len(chain) < len(steps) or emit(chain) != source:
        return None
    return chain


def _called(step: Step) -> list[str]:
    """Names of the functions that a step's line mentions."""
    names = [step.primitive.name]
    for value in step.arguments:
        items = value if isinstance(value, tuple) else (value,)
        names.extend(item.__name__ for item in items if callable(item))
    return names


def step_text(step: Step) -> str:
    """Return the line of a step, e.g. `grid = recolour(grid, 3, 5)`."""
    arguments = [_literal(value) for value in step.arguments]
    line = f"grid = {step.primitive.name}({', '.join(['grid', *arguments])})"
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    inner = ",\n".join(["grid", *arguments])
    return f"grid = {step.primitive.name}(\n{textwrap.indent(inner, '    ')},\n)"


def _literal(value: Value) -> str:
    if callable(value):
        return str(value.__name__)
    if isinstance(value, tuple) and value and callable(value[0]):
        return f"[{', '.join(item.__name__ for item in value)}]"
    text = repr(value)
    if len(text) <= _WIDTH - 12:
        return text
    return pformat(value, width=_WIDTH - 12, compact=True, sort_dicts=False)


def _parse_step(statement: ast.stmt) -> Step | None:
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return None
    call = statement.value
    if not isinstance(call.func, ast.Name) or call.keywords or not call.args:
        return None
    primitive = PRIMITIVES.get(call.func.id)
    if primitive is None:
        return None
    try:
        arguments = tuple(_parse_value(argument) for argument in call.args[1:])
    except (ValueError, KeyError, TypeError):
        return None
    return Step(primitive, arguments)


def _parse_value(node: ast.expr) -> Value:
    if isinstance(node, ast.Name):
        return FEATURES[node.id]
    if isinstance(node, ast.List):
        return tuple(FEATURES[name.id] for name in node.elts if isinstance(name, ast.Name))
    return ast.literal_eval(node)


@cache
def _definitions() -> dict[str, str]:
    """Every public function and constant of the primitive modules by name: its text, in order."""
    texts: dict[str, str] = {}
    for module in primitives.MODULES:
        text = inspect.getsource(module)
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                name = node.name
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
            else:
                continue
            if name.startswith("_"):
                continue
            if name in texts:
                raise ValueError(f"{module.__name__}: {name} is defined in two modules")
            texts[name] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return texts


@cache
def _needs(name: str) -> tuple[str, ...]:
    """Names of the definitions that one definition uses, in order."""
    tree = ast.parse(_definitions()[name])
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {name}
    return tuple(other for other in _definitions() if other in found)


@lru_cache(maxsize=4096)
def _library(wanted: frozenset[str]) -> str:
    """Return the head of a program: numpy, then the definitions it needs, constants first."""
    seen: set[str] = set()
    waiting = sorted(wanted)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_needs(name))
    texts = [text for name, text in _definitions().items() if name in seen]
    constants = [text for text in texts if not text.startswith("def ")]
    functions = [text for text in texts if text.startswith("def ")]
    return "\n\n\n".join(["\n".join([_HEAD, *constants]), *functions])
