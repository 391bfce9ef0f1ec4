"""The name gate: ordinary programs pass, and nothing reachable through it outlives a program."""

import builtins
import dis
import functools
import importlib
import re
import types
import warnings
from collections import Counter, OrderedDict, defaultdict, deque
from fractions import Fraction

import numpy as np
import pytest

from engine.programs.sandbox import gate, names


def passes(source: str) -> bool:
    return gate.may_share(compile(source, "<program>", "exec", dont_inherit=True))


def test_the_gate_reads_this_python_rightly():
    assert gate.self_check() is None


ORDINARY = [
    "def transform(grid):\n    return [row[::-1] for row in grid]",
    "import numpy as np\ndef transform(grid: list[list[int]]) -> list[list[int]]:\n"
    "    a = np.array(grid)\n    a[a == 1] = 2\n    return np.rot90(a, 2).tolist()",
    "from collections import Counter, deque, defaultdict\nfrom typing import List\n"
    "BACKGROUND = 0\nSIZE: int = 3\n"
    "def most(grid: List[List[int]]):\n"
    "    return Counter(c for r in grid for c in r).most_common(1)[0][0]\n"
    "def transform(grid):\n    seen = set()\n    todo = deque([(0, 0)])\n"
    "    while todo:\n        y, x = todo.popleft()\n        seen.add((y, x))\n"
    "    return [[most(grid)]]",
    "import numpy as np\nfrom itertools import product\ndef transform(grid):\n"
    "    def inside(y, x):\n        nonlocal n\n        n += 1\n        return 0 <= y < h\n"
    "    n, h = 0, len(grid)\n    try:\n        best = max(grid, key=lambda r: sum(r))\n"
    "    except (ValueError, IndexError) as e:\n        raise RuntimeError(f'{e!r:>5} {n:02d}')\n"
    "    finally:\n        n = 0\n    assert h, 'empty'\n"
    "    return [[c for y, c in enumerate(r) if inside(y, c)] for r in grid if any(r)]",
    '"""Doc."""\nimport math, copy, heapq, functools\n@functools.lru_cache(maxsize=None)\n'
    "def f(n):\n    return 1 if n < 2 else f(n - 1) + f(n - 2)\n"
    "def transform(grid):\n    g = copy.deepcopy(grid)\n    a, *b = g\n    del b\n"
    "    print('debug', f(3), math.gcd(4, 6), *a, sep='')\n    yield_ = (x for x in a)\n"
    "    match a:\n        case [x, *_]:\n            pass\n        case {'k': v}:\n            pass\n"
    "    return g if __name__ else list(yield_)",
    "import numpy as np\nfrom numpy.linalg import norm\ndef transform(grid):\n"
    "    g = np.asarray(grid)\n    ys, xs = np.where(g != 0)\n    if len(ys) == 0: return grid\n"
    "    return np.pad(g[ys.min():ys.max()+1, xs.min():xs.max()+1], 1, mode='constant').tolist()",
]


@pytest.mark.parametrize("source", ORDINARY)
def test_ordinary_programs_share_a_process(source):
    assert passes(source)


EVASIONS = """
import os
import sys
import numpy.random
import select
import array
import builtins
from os import path
from numpy import random
from numpy import *
from numpy.lib import stride_tricks
eval("1")
exec("1")
open("/etc/passwd")
type("X", (), {})
getattr(1, "real")
setattr(1, "real", 2)
vars()
globals()["x"] = 1
__import__("os")
__builtins__
__loader__
().__class__
(lambda: 0).__globals__
(lambda: 0).__code__
(x for x in ()).gi_frame
"{0.__class__}".format(1)
str.format
str.format_map
int.mro
class A: pass
import numpy as np; np.zeros = 1
import numpy as np; np.random.seed(1)
import numpy as np; np.seterr(all="raise")
import numpy as np; np.set_printoptions(precision=1)
import numpy as np; np.lib.stride_tricks.as_strided
import numpy as np; np.frombuffer(b"", dtype=object)
import numpy as np; np.zeros(3).view("O")
import numpy as np; np.zeros(3).setflags(write=True)
import numpy as np; np.zeros(3).resize(9, refcheck=False)
import numpy as np; np.zeros(3).ctypes
import numpy as np; np.zeros(3).base
import numpy as np; np.zeros(3).shape = 3
import numpy as np; np.zeros(3).dump("f")
import numpy as np; np.load("f")
import numpy as np; np.ctypeslib
import numpy as np; np.core
import numpy as np; np.sys
import functools; functools.wraps
import functools; functools.update_wrapper
import operator; operator.attrgetter("x")
import operator; operator.methodcaller("x")
import typing; typing.get_type_hints
import collections; collections.abc
import collections; collections.namedtuple
import copy; copy._deepcopy_dispatch
import re; re._cache
import re; re.purge
import string; string.Formatter
import math; del math.pi
import collections; collections.Counter.update = None
ValueError().__traceback__
ValueError().with_traceback(None)
def f(): f.cache = 1
async def f(): await x
with 1 as x: pass
match 1:\\n    case int(real=r): pass
try: pass\\nexcept* ValueError: pass
def g(x=[].__len__): pass
lambda: ().__class__
[x.__class__ for x in ()]
global __builtins__; __builtins__ = {}
memoryview(b"")
id(1)
input()
breakpoint()
super()
delattr(1, "x")
dir()
object()
property()
""".strip().splitlines()


@pytest.mark.parametrize("line", EVASIONS)
def test_what_could_reach_further_is_kept_out(line):
    assert not passes(line.replace("\\n", "\n"))


def test_a_name_far_down_a_long_program_is_still_seen():
    many = "\n".join(f"v{n} = {n}" for n in range(700))
    assert passes(many + "\nx = [].append")
    assert not passes(many + "\nx = [].__class__")
    assert not passes(many + "\ndef f():\n    def g():\n        return lambda: [].__class__")


def test_unknown_opcodes_keep_a_program_out():
    code = compile("x = 1", "<program>", "exec")
    unknown = dis.opmap["LOAD_BUILD_CLASS"]
    assert gate.may_share(code)
    assert not gate.may_share(code.replace(co_code=bytes((unknown, 0)) + code.co_code))


INSTANCES = [
    0, 1.5, 1j, True, None, "", b"", (), [], {}, set(), frozenset(), range(3), slice(1), iter([]),
    map(int, []), (x for x in ()), lambda: 0, "".join, int.from_bytes, ValueError(), StopIteration(),
    Counter(), deque(), OrderedDict(), defaultdict(int), Fraction(1), functools.partial(int),
    functools.lru_cache(lambda: 0), re.compile("a"), re.match("a", "a"), np.zeros(2), np.int64(1),
    np.float64(1), np.bool_(1), np.dtype(int), np.ndindex(2), np.vectorize(int), np.add, np.mgrid,
    np.zeros(2).flat,
]  # fmt: skip
DENIED = [
    getattr(builtins, name)
    for name in [
        "eval",
        "exec",
        "compile",
        "open",
        "getattr",
        "setattr",
        "delattr",
        "__import__",
        "input",
        "globals",
        "locals",
        "vars",
        "type",
        "breakpoint",
        "memoryview",
        "id",
        "object",
    ]
]


def test_whitelisted_names_reach_no_module_container_or_dangerous_function():
    modules = [
        importlib.import_module(name)
        for name in names.MODULES
        if not name.startswith("scipy") or importlib.util.find_spec("scipy")
    ]
    seen: dict[int, object] = {}
    todo: list[tuple[str, object]] = [(m.__name__, m) for m in modules]
    todo += [(type(value).__name__, value) for value in INSTANCES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while todo:
            path, owner = todo.pop()
            if id(owner) in seen or path.count(".") > 4:
                continue
            seen[id(owner)] = owner
            for name in names.ATTRIBUTES:
                try:
                    value = getattr(owner, name)
                except Exception:
                    continue
                if isinstance(value, types.ModuleType):
                    assert value.__name__ in names.MODULES, f"{path}.{name}"
                assert not isinstance(value, types.CodeType | types.FrameType), f"{path}.{name}"
                if isinstance(owner, types.ModuleType | type):
                    shared = isinstance(value, list | dict | set | bytearray | np.ndarray)
                    assert not shared, f"{path}.{name} is a {type(value).__name__} all can change"
                assert not any(value is denied for denied in DENIED), f"{path}.{name}"
                todo.append((f"{path}.{name}", value))
    assert len(seen) > 1000
