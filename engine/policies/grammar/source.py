"""Programs as text: emit a chain of steps as a self-contained program, and parse it back.

An emitted program is plain Python with numpy: the constants and functions it needs, word for
word as the modules in `primitives` define them (without decorators and types), then `transform` with one
line per step. That text is the whole trace of a program: `parse` recovers the steps from it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from pprint import pformat
from typing import Any

from engine.policies.grammar import primitives
from engine.policies.grammar.language import PRIMITIVES, Step, Value

_WIDTH = 92
_HEAD = "import numpy as np\n"
_ENTRY = "def transform(grid):\n"


def emit(steps: Iterable[Step]) -> str:
    """Return the program of a chain of steps: defines `transform(grid)`, lists in and out."""
    chain = tuple(steps)
    body = textwrap.indent("\n".join(step.text for step in chain), "    ")
    names = {step.primitive.name for step in chain}
    names.update(name for step in chain for name in _called(step.arguments))
    return (
        _library(frozenset(names))
        + f"\n\n\n{_ENTRY}    grid = np.array(grid)\n"
        + body
        + "\n    return grid.tolist()\n"
    )


def parse(source: str) -> tuple[Step, ...] | None:
    """Return the steps of a program this language emitted, or None when it is not one.

    Only `transform` is read; whoever runs the steps must compare outputs if the text may have
    been edited elsewhere.
    """
    _, entry, body = source.rpartition(_ENTRY)
    try:
        function = ast.parse(entry + body).body[0] if entry else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(function, ast.FunctionDef) or len(function.body) < 3:
        return None
    steps = [parse_step(statement) for statement in function.body[1:-1]]
    chain = tuple(step for step in steps if step is not None)
    if len(chain) < len(steps) or emit(chain) != source:
        return None
    return chain


def _called(value: Value) -> Iterator[str]:
    """Names of the functions in an argument."""
    if callable(value):
        yield value.__name__
    elif isinstance(value, tuple):
        for item in value:
            yield from _called(item)


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
    if any(_called(value)):
        return f"[{', '.join(map(_literal, value))}]"
    text = repr(value)
    if len(text) <= _WIDTH - 12:
        return text
    return pformat(value, width=_WIDTH - 12, compact=True, sort_dicts=False)


def parse_step(statement: ast.stmt) -> Step | None:
    """Return the step of one line of `transform`, or None when it is none of this language."""
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
        return _functions()[node.id]
    if isinstance(node, ast.List):
        return tuple(_parse_value(element) for element in node.elts)
    return ast.literal_eval(node)


@cache
def _functions() -> dict[str, Callable[..., object]]:
    """Every public function of the primitive modules by name."""
    found: dict[str, Any] = {}
    for module in primitives.MODULES:
        found |= {n: getattr(module, n) for n in _definitions() if n in vars(module)}
    return {name: value for name, value in found.items() if callable(value)}


@cache
def _definitions() -> dict[str, str]:
    """Every public function and constant of the primitive modules by name: its text, in order."""
    texts: dict[str, str] = {}
    for module in primitives.MODULES:
        text = inspect.getsource(module)
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                name, first = node.name, [f"def {node.name}({_parameters(node)}):"]
                start = node.body[0].lineno
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name, first, start = node.targets[0].id, [], node.lineno
            else:
                continue
            if name.startswith("_"):
                continue
            if name in texts:
                raise ValueError(f"{module.__name__}: {name} is defined in two modules")
            texts[name] = "\n".join(first + lines[start - 1 : node.end_lineno])
    return texts


def _parameters(function: ast.FunctionDef) -> str:
    """Return a function's parameters without their types, which mean nothing outside this package."""
    return ", ".join(parameter.arg for parameter in function.args.args)


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
