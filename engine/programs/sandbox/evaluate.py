"""Inside a child: one program on its grids, every outcome turned into result bytes.

Nothing here is trusted by anyone: the zygote and the engine check what comes out.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from types import CodeType
from typing import Any

from engine.arc.grid import COLOURS, MAX_SIDE, GridError, as_grid, pack
from engine.programs.sandbox.frames import encode_failure

Rows = list[list[int]]
_INT, _LIST = {int}, {list}
_COLOURS = bytes(range(COLOURS))


def compile_source(source: bytes) -> CodeType | bytes:
    """Return the program's code, or the failure (result bytes) that every grid gets."""
    try:
        return compile(
            source.decode("utf-8", "surrogatepass"), "<program>", "exec", dont_inherit=True
        )
    except (MemoryError, RecursionError) as error:
        return encode_failure("refused", f"{type(error).__name__}: too deeply nested to compile")
    except Exception as error:
        return encode_failure("refused", _described(error))


def define(*parts: CodeType) -> tuple[dict[str, Any], Callable[[Rows], object]] | bytes:
    """Run the module's code and return its namespace and `transform`, or the failure's bytes.

    The code may come in parts; see `parts.compile_parts`.
    """
    namespace: dict[str, Any] = {"__name__": "program", "__builtins__": builtins}
    try:
        for code in parts:
            exec(code, namespace)  # noqa: S102 - running untrusted programs is what this process is for
    except BaseException as error:
        return _failure(error)
    transform = namespace.get("transform")
    if not callable(transform):
        return encode_failure("refused", "defines no function named transform")
    return namespace, transform


def results(transform: Callable[[Rows], object], grids: Sequence[Rows]) -> Iterator[bytes]:
    """Yield the result bytes of each grid; each call gets a copy of its grid."""
    for grid in grids:
        try:
            result = encode_output(transform([row[:] for row in grid]))
        except GridError as error:
            result = encode_failure("invalid", str(error))
        except BaseException as error:
            result = _failure(error)
        yield result


def encode_output(output: object) -> bytes:
    """Return the result bytes of a valid output. Raises GridError naming the broken rule."""
    if type(output) is list and len(output) <= MAX_SIDE and set(map(type, output)) == _LIST:
        width = len(output[0])
        if (
            0 < width <= MAX_SIDE
            and set(map(len, output)) == {width}
            and set(map(type, chain.from_iterable(output))) == _INT
        ):
            try:
                cells = b"".join(map(bytes, output))
            except ValueError:
                cells = b"\xff"
            if not cells.translate(None, _COLOURS):
                return bytes((0, len(output), width)) + cells
    return b"\0" + pack(as_grid(output))


def ran_out_of_memory(result: bytes) -> bool:
    """Whether result bytes are a `memory` failure."""
    return result[:1] == _MEMORY


_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_MEMORY = encode_failure("memory", "")[:1]


def _failure(error: BaseException) -> bytes:
    if isinstance(error, MemoryError):
        return encode_failure("memory", "out of memory")
    return encode_failure("exception", _described(error))


def _described(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException:
        return name
    if "0x" in text:
        text = _ADDRESS.sub("0x…", text)  # else no two runs would agree
    return f"{name}: {text}" if text else name
