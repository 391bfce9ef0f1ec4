"""Memory that goes back to the system, so that an engine of days stays as large as at first.

glibc raises the size from which a block gets pages of its own to that of the largest one freed so far.
From then on messages of many sizes lie in one heap, between things that stay, and the heap grows with
every unlucky order of them: by a tenth of an engine in half an hour of hostile programs. Sizes that
are set stay as they are (mallopt(3)).
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BYTES = 128 << 10


def give_memory_back() -> None:
    """Have this process's malloc give large blocks back once they are free; only glibc can be told."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _BYTES)
