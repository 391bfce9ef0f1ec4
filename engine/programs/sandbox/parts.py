"""Compiling a batch's programs in parts, each text once: helpers that many programs share.

A program is cut before functions that stand two blank lines below what precedes them. When every
part compiles by itself, the parts run one after another are the whole program: the cut lies
between two statements of the module, for text that ends inside a string, a bracket or a block does
not compile. What could tell parts from the whole goes uncut: declarations that reach over all of
it (`global`, anything with two underscores, identifiers beyond ASCII), and `is`, which sees whether
functions share a constant. Line numbers differ, but nothing the gate lets pass can see one.

Only code that passed the gate is shared. It is immutable to such a program: it can name no
attribute of a function or of code, and constants are immutable as ever.
"""

from __future__ import annotations

import dis
from types import CodeType

from engine.programs.sandbox import evaluate, gate

_CUT = b"\n\n\ndef "
_FEWEST = 3
_WHOLE = (b"__", b"global")
_IS = dis.opmap["IS_OP"]


class Parts:
    """The parts of a batch's programs that may be shared, by their text."""

    def __init__(self) -> None:
        self._known: dict[bytes, CodeType] = {}

    def of(self, source: bytes) -> tuple[CodeType, ...] | None:
        """Return a program's code in parts that passed the gate, or None: take it whole."""
        first, *rest = source.split(_CUT)
        if len(rest) + 1 < _FEWEST or not source.isascii() or any(w in source for w in _WHOLE):
            return None
        found: list[CodeType] = []
        for text in (first, *(b"def " + each for each in rest)):
            part = self._known.get(text)
            if part is None:
                code = evaluate.compile_source(text)
                if isinstance(code, bytes) or not _may_be_shared(code):
                    return None
                part = self._known[text] = code
            found.append(part)
        return tuple(found)


def _may_be_shared(code: CodeType) -> bool:
    return gate.may_share(code) and not any(
        _IS in current.co_code[::2] for current in gate.code_objects(code)
    )
