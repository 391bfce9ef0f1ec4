"""What a zygote imports before it locks itself in: afterwards no program can import anything else."""

from __future__ import annotations

import importlib
import random
import sys
import warnings
from typing import Any

STANDARD = """
    abc array bisect cmath collections collections.abc contextlib copy dataclasses datetime decimal
    enum fractions functools heapq io itertools json math numbers operator os pprint queue random re
    statistics string sys textwrap time traceback types typing typing_extensions warnings
"""
NUMPY = """
    numpy numpy.fft numpy.lib.stride_tricks numpy.linalg numpy.ma numpy.polynomial numpy.random
"""
SCIPY = """
    scipy scipy.ndimage scipy.optimize scipy.signal scipy.sparse scipy.sparse.csgraph scipy.spatial
    scipy.spatial.distance scipy.stats
"""

_SEED = 0
_EXERCISE = """
import numpy as np
from collections import Counter, deque
def transform(grid):
    a = np.array(grid)
    b = np.zeros_like(a)
    b[a == 1] = 2
    np.unique(a, return_counts=True), np.argwhere(a), np.pad(a, 1), np.rot90(a), np.kron(a, a)
    Counter(a.ravel().tolist()), deque(grid), sorted(a.tolist()), str(a), repr(a), f"{a.mean():.2f}"
    np.linalg.norm(a), np.einsum("ij->i", a), np.where(a > 0, a, b), np.vstack([a, a]), np.tile(a, 2)
    {EXTRA}
    return np.fliplr(a).tolist()
"""
_SCIPY_EXERCISE = """from scipy.ndimage import label, find_objects, binary_dilation
    find_objects(label(a)[0]), binary_dilation(a > 0)"""


def import_all(scipy: bool) -> None:
    """Import everything a program may import; scipy on request."""
    for name in (STANDARD + NUMPY + (SCIPY if scipy else "")).split():
        try:
            importlib.import_module(name)
        except ImportError:
            if name in ("numpy", "scipy"):
                raise


def fix_seeds() -> None:
    """Make random numbers the same in every child: seed 0, also where a program asks for none."""
    import numpy as np

    module: Any = random  # whose parts we replace
    original = module.Random.seed

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        original(self, _SEED if a is None else a, version)

    module.Random.seed = seed
    module.seed = module._inst.seed
    module.seed()
    numpy_bits: Any = np.random.bit_generator
    numpy_bits.randbits = lambda _: _SEED
    np.random.seed(_SEED)


def warm_up(scipy: bool) -> None:
    """Run ordinary programs once, so that what they build lazily exists before the first fork."""
    from engine.programs.sandbox import evaluate

    warnings.simplefilter("ignore")
    grids = [[[1, 2], [3, 0]]]
    good = _EXERCISE.replace("{EXTRA}", _SCIPY_EXERCISE if scipy else "pass")
    for source in (
        good,
        good.replace("    return np", "    return 1 / 0, np"),
        "def transform(g): return 'x'",
    ):
        code = evaluate.compile_source(source.encode())
        assert not isinstance(code, bytes), code
        defined = evaluate.define(code)
        assert not isinstance(defined, bytes), defined
        produced = list(evaluate.results(defined[1], grids))
        assert source is not good or produced[0][0] == 0, produced
    evaluate.compile_source(b"x =")


def forget_import_paths() -> None:
    """Let later imports of other modules fail at once, without looking for files."""
    sys.path.clear()
    sys.path_importer_cache.clear()


class NoOutput:
    """Stands in for stdout and stderr: takes everything, keeps nothing."""

    encoding = "utf-8"
    errors = "replace"
    closed = False

    def write(self, text: str) -> int:
        return len(text)

    def writelines(self, lines: object) -> None:
        return None

    def flush(self) -> None:
        return None

    def isatty(self) -> bool:
        return False


class NoInput:
    """Stands in for stdin: always at its end."""

    encoding = "utf-8"
    closed = False

    def readline(self, size: int = -1) -> str:
        return ""

    def read(self, size: int = -1) -> str:
        return ""


def close_standard_streams() -> None:
    """Replace stdin, stdout and stderr by objects without descriptors."""
    nothing: Any = NoOutput()
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = nothing  # type: ignore[misc] # final
    empty: Any = NoInput()
    sys.stdin = sys.__stdin__ = empty  # type: ignore[misc] # declared final by the stubs
