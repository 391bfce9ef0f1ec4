"""Memory that starts clean: what a program allocates holds zeros, not what others left there.

`np.empty`, `np.ndarray(shape)` and ufuncs with `where=` hand out memory as it comes. Within a
batch that would show one program another's grids, and make results depend on the batch. So malloc
is told to fill (M_PERTURB) and numpy to allocate through it, past its own cache of freed blocks.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

_M_PERTURB = -6
_FILL_WITH_ZEROS = 0xFF  # malloc fills with the complement
_RAW_DOMAIN = 0
_SET_HANDLER = 304  # PyDataMem_SetHandler in numpy's C API table, numpy 1.22 and later


class _Allocator(ctypes.Structure):
    """CPython's PyMemAllocatorEx; numpy's PyDataMemAllocator has the same members."""

    _fields_ = tuple(
        (name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")
    )


class _Handler(ctypes.Structure):
    """numpy's PyDataMem_Handler (NEP 49)."""

    _fields_ = (("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("use", _Allocator))


_kept: list[Any] = []


def start_clean() -> None:
    """Make malloc and numpy hand out zeros. Raises OSError where that does not work."""
    import numpy as np

    libc = ctypes.CDLL(None)
    if not sys.platform.startswith("linux") or not hasattr(libc, "mallopt"):
        raise OSError(0, "this C library's malloc cannot fill memory")
    libc.mallopt(_M_PERTURB, _FILL_WITH_ZEROS)
    handler = _Handler(name=b"clean", version=1)
    ctypes.pythonapi.PyMem_GetAllocator(_RAW_DOMAIN, ctypes.byref(handler.use))
    capsule_new = ctypes.pythonapi.PyCapsule_New
    capsule_new.restype = ctypes.py_object
    capsule_new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    capsule = capsule_new(ctypes.addressof(handler), b"mem_handler", None)
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype = ctypes.c_void_p
    pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    core: Any = getattr(np, "_core", None) or np.core
    table = pointer(core._multiarray_umath._ARRAY_API, None)
    functions = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(functions[_SET_HANDLER])
    _kept.extend((handler, capsule))
    set_handler(capsule)
    for size in (8, 100, 1000, 5000):
        np.full(size, 7, np.uint8)
        if np.empty(size, np.uint8).any():
            raise OSError(0, "numpy's new arrays are not clean")
