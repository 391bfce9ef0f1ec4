"""The name gate: which programs may share a process with others.

A program passes when every opcode of its compiled code is a known one, every attribute and import
it names is on a whitelist of names that reach no interpreter internals and no state shared with
the next program, and every global it names is its own or a harmless builtin. It defines no class,
stores no attribute, imports no star and awaits nothing. Everything else is run in a process of its
own, so a name that is missing here costs 3 ms, never a wrong result. About 10 µs per program.
"""

from __future__ import annotations

import builtins
import dis
import sys
from itertools import compress
from types import CodeType

from engine.programs.sandbox.names import (
    ATTRIBUTES,
    BUILTINS,
    MODULES,
    OWN_DUNDERS,
    PLAIN_OPCODES,
)

_GLOBAL = ("LOAD_NAME", "STORE_NAME", "DELETE_NAME", "LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL")
_ATTRIBUTE = ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")
_INTRINSICS = frozenset((3, 5, 6))
"""CALL_INTRINSIC_1 (3.12+): StopIteration to RuntimeError, unary plus, list to tuple; not 2, import *."""

_NOTHING, _GLOBALS, _ATTRIBUTES, _IMPORT, _INTRINSIC, _UNKNOWN = range(6)
_SUSPECT = frozenset(dir(builtins)) - BUILTINS - OWN_DUNDERS
_PROBE = """
import numpy as np
from collections import deque
def f(xs):
    global g, h
    g = h = print(np.array(xs).tolist(), len)
    del h
    return [x.sort() for x in xs]
one = np.pi
del one
"""


def code_objects(code: CodeType) -> list[CodeType]:
    """Return the code and all code nested in it."""
    found = [code]
    for current in found:
        found += [constant for constant in current.co_consts if type(constant) is CodeType]
    return found


def _table() -> bytes:
    """Return what each opcode does with names.

    A naming opcode that the probe lacks is unknown: nothing could tell whether we read it rightly.
    """
    probe = code_objects(compile(_PROBE, "<gate>", "exec", dont_inherit=True))
    checked = {code for current in probe for code in current.co_code[::2]}
    uses = bytearray([_UNKNOWN]) * 256
    for name, code in dis.opmap.items():
        if code > 255:
            continue
        if name in PLAIN_OPCODES:
            uses[code] = _NOTHING
        elif name == "CALL_INTRINSIC_1":
            uses[code] = _INTRINSIC
        elif code in checked:
            if name in _GLOBAL:
                uses[code] = _GLOBALS
            elif name in _ATTRIBUTE:
                uses[code] = _ATTRIBUTES
            elif name == "IMPORT_NAME":
                uses[code] = _IMPORT
    return bytes(uses)


_USES = _table()
KNOWN_OPCODES = bytes(code for code in range(256) if _USES[code] != _UNKNOWN)
_EXTENDED = dis.EXTENDED_ARG
_SHIFTS = bytearray(256)
"""How many low bits of an argument are flags rather than the name's index."""
_SHIFTS[dis.opmap["LOAD_GLOBAL"]] = 1
if sys.version_info >= (3, 12):
    _SHIFTS[dis.opmap["LOAD_ATTR"]] = 1
_MASKS = [
    (use, shift, mask)
    for use in (_GLOBALS, _ATTRIBUTES, _IMPORT, _INTRINSIC)
    for shift in (0, 1)
    if any(mask := bytes(_USES[c] == use and _SHIFTS[c] == shift for c in range(256)))
]
"""Per use and shift, a table that marks the opcodes concerned: reading at the speed of C."""
_ALWAYS_READ = bytes(code for code in range(256) if _USES[code] in (_IMPORT, _INTRINSIC))
_ALWAYS = (ATTRIBUTES & BUILTINS) | (ATTRIBUTES - frozenset(dir(builtins)))
"""Names that are harmless as a global and as an attribute alike."""


def may_share(code: CodeType) -> bool:
    """Whether the program's code, nested functions included, passes the gate."""
    for current in code_objects(code):
        operations = current.co_code[::2]
        if operations.translate(None, KNOWN_OPCODES):
            return False
        plain = _ALWAYS.issuperset(current.co_names)
        plain = plain and len(operations.translate(None, _ALWAYS_READ)) == len(operations)
        if not plain and not _names_pass(current):
            return False
    return True


def self_check() -> str | None:
    """Compare our reading of bytecode with `dis`; returns why the gate cannot be used here."""
    code = compile(_PROBE, "<gate>", "exec", dont_inherit=True)
    if not may_share(code):
        return f"the gate does not know Python {sys.version_info[0]}.{sys.version_info[1]}"
    for current in code_objects(code):
        expected = [
            (_USES[i.opcode], i.argval)
            for i in dis.get_instructions(current)
            if _USES[i.opcode] in (_GLOBALS, _ATTRIBUTES, _IMPORT)
        ]
        read = [(use, current.co_names[index]) for use, index in _uses(current) if index >= 0]
        if read != expected or not _names_pass(current):
            return "the gate reads this Python's bytecode wrongly"
    return None


def _uses(code: CodeType) -> list[tuple[int, int]]:
    """Return (use, name index) of each naming instruction; an intrinsic has index -1 - argument."""
    found: list[tuple[int, int]] = []
    raw, extension = code.co_code, 0
    for place in range(0, len(raw), 2):
        operation, argument = raw[place], raw[place + 1] | extension
        if operation == _EXTENDED:
            extension = argument << 8
            continue
        extension = 0
        use = _USES[operation]
        if use == _INTRINSIC:
            found.append((use, -1 - argument))
        elif use != _NOTHING:
            found.append((use, argument >> _SHIFTS[operation]))
    return found


def _names_pass(code: CodeType) -> bool:
    raw = code.co_code
    operations = raw[::2]
    if _EXTENDED in operations:
        uses = set(_uses(code))
    else:
        arguments = raw[1::2]
        uses = {
            (use, -1 - argument if use == _INTRINSIC else argument >> shift)
            for use, shift, mask in _MASKS
            for argument in compress(arguments, operations.translate(mask))
        }
    names = code.co_names
    for use, index in uses:
        if use == _GLOBALS:
            name = names[index]
            if name in _SUSPECT or (name.startswith("__") and name not in OWN_DUNDERS):
                return False
        elif use == _ATTRIBUTES:
            if names[index] not in ATTRIBUTES:
                return False
        elif use == _IMPORT:
            if names[index] not in MODULES:
                return False
        elif -1 - index not in _INTRINSICS:
            return False
    return True
