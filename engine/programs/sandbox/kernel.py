"""The kernel by number: system calls, seccomp filters and Landlock, through ctypes alone.

Tables for x86_64 and aarch64 (the kernel's headers are the source, and a test compares them).
Filters were run on x86_64 only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Callable, Iterable
from functools import partial

_CHILD, _ZYGOTE, _NOBODY = "child", "zygote", "nobody"
TABLE: dict[str, tuple[int | None, int | None, str]] = {
    "bpf": (321, 280, _NOBODY),
    "brk": (12, 214, _CHILD),
    "clock_getres": (229, 114, _CHILD),
    "clock_gettime": (228, 113, _CHILD),
    "clone": (56, 220, _ZYGOTE),
    "clone3": (435, 435, _NOBODY),
    "close": (3, 57, _ZYGOTE),
    "close_range": (436, 436, _ZYGOTE),
    "dup3": (292, 24, _ZYGOTE),
    "execve": (59, 221, _NOBODY),
    "exit": (60, 93, _CHILD),
    "exit_group": (231, 94, _CHILD),
    "fork": (57, None, _ZYGOTE),
    "futex": (202, 98, _CHILD),
    "getcpu": (309, 168, _CHILD),
    "getpid": (39, 172, _CHILD),
    "getppid": (110, 173, _CHILD),
    "getrandom": (318, 278, _CHILD),
    "getrusage": (98, 165, _CHILD),
    "gettid": (186, 178, _CHILD),
    "gettimeofday": (96, 169, _CHILD),
    "getuid": (102, 174, _CHILD),
    "io_uring_setup": (425, 425, _NOBODY),
    "keyctl": (250, 219, _NOBODY),
    "kill": (62, 129, _ZYGOTE),
    "landlock_add_rule": (445, 445, _NOBODY),
    "landlock_create_ruleset": (444, 444, _NOBODY),
    "landlock_restrict_self": (446, 446, _NOBODY),
    "madvise": (28, 233, _CHILD),
    "memfd_create": (319, 279, _NOBODY),
    "mmap": (9, 222, _CHILD),
    "mprotect": (10, 226, _CHILD),
    "mremap": (25, 216, _CHILD),
    "munmap": (11, 215, _CHILD),
    "openat": (257, 56, _NOBODY),
    "perf_event_open": (298, 241, _NOBODY),
    "pipe2": (293, 59, _ZYGOTE),
    "poll": (7, None, _ZYGOTE),
    "ppoll": (271, 73, _ZYGOTE),
    "prctl": (157, 167, _ZYGOTE),
    "prlimit64": (302, 261, _ZYGOTE),
    "process_vm_readv": (310, 270, _NOBODY),
    "ptrace": (101, 117, _NOBODY),
    "read": (0, 63, _ZYGOTE),
    "readv": (19, 65, _ZYGOTE),
    "restart_syscall": (219, 128, _CHILD),
    "rseq": (334, 293, _ZYGOTE),
    "rt_sigaction": (13, 134, _CHILD),
    "rt_sigprocmask": (14, 135, _CHILD),
    "rt_sigreturn": (15, 139, _CHILD),
    "sched_getaffinity": (204, 123, _CHILD),
    "sched_yield": (24, 124, _CHILD),
    "seccomp": (317, 277, _ZYGOTE),
    "set_robust_list": (273, 99, _CHILD),
    "setrlimit": (160, 164, _ZYGOTE),
    "shmget": (29, 194, _NOBODY),
    "sigaltstack": (131, 132, _CHILD),
    "socket": (41, 198, _NOBODY),
    "socketpair": (53, 199, _NOBODY),
    "time": (201, None, _CHILD),
    "times": (100, 153, _CHILD),
    "unshare": (272, 97, _NOBODY),
    "userfaultfd": (323, 282, _NOBODY),
    "wait4": (61, 260, _ZYGOTE),
    "waitid": (247, 95, _ZYGOTE),
    "write": (1, 64, _CHILD),
    "writev": (20, 66, _ZYGOTE),
}
"""Name: its number on x86_64 and aarch64 (None: it has none), and who may call it.

A child may manage its memory, look at the time and at itself, and write() to one descriptor;
what the zygote needs beyond that is taken away again in each child; nobody calls the rest, which
are here for setting up and for the start probe.
"""
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""Machine: its AUDIT_ARCH value."""

_LOAD, _EQUAL, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCH, _ARGUMENT = 0, 4, 16
_PROT_EXEC = 4
_FUTEX_COMMANDS = 0x7F
_FUTEX_WAITS = (
    0,
    6,
    8,
    9,
    11,
    13,
)  # WAIT, LOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2
_SECCOMP_SET_FILTER, _SPECULATION_AS_IT_IS = 1, 4

Instruction = tuple[int, int, int, int]

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


class KernelError(OSError):
    """A call the kernel refused; the message is fit for a status line."""


def machine_known() -> bool:
    """Whether the tables have this machine."""
    return platform.machine() in MACHINES


def number(name: str) -> int | None:
    """Return the system call's number on this machine, or None where it has none."""
    x86_64, aarch64, _ = TABLE[name]
    return x86_64 if platform.machine() == "x86_64" else aarch64


def call(name: str, *arguments: int | bytes | None) -> int:
    """Make a system call by name. Raises KernelError."""
    nr = number(name)
    if nr is None:
        raise KernelError(errno.ENOSYS, f"no {name} on {platform.machine()}")
    plain = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_syscall(ctypes.c_long(nr), *plain))
    if result < 0:
        code = ctypes.get_errno()
        raise KernelError(code, f"{name}: {os.strerror(code)}")
    return result


def prepared(name: str, *arguments: int) -> Callable[[], object]:
    """Return a call with its arguments converted beforehand; it reports no error."""
    nr = number(name)
    assert nr is not None
    return partial(_syscall, *map(ctypes.c_long, (nr, *arguments)))


class Filter:
    """An assembled seccomp program, kept in memory for as long as it may be installed."""

    def __init__(self, instructions: Iterable[Instruction]) -> None:
        code = b"".join(struct.pack("<HBBI", *i) for i in instructions)
        self._code = ctypes.create_string_buffer(code, len(code))
        head = struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(self._code))
        self._head = ctypes.create_string_buffer(head, len(head))
        self._arguments = (
            ctypes.c_long(number("seccomp") or 0),
            ctypes.c_long(_SECCOMP_SET_FILTER),
            ctypes.c_long(_SPECULATION_AS_IT_IS),
            ctypes.byref(self._head),
        )

    def install(self) -> None:
        """Put the filter on this process for good. Raises KernelError."""
        if _syscall(*self._arguments):
            code = ctypes.get_errno()
            raise KernelError(code, f"seccomp: {os.strerror(code)}")


def zygote_filter() -> Filter:
    """Return the whitelist of the zygote: no call outside the two lists, no executable memory."""
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, MACHINES[platform.machine()]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    mapping = {number("mmap"), number("mprotect")}
    for nr in _numbers(_CHILD, _ZYGOTE):
        if nr in mapping:
            program += [
                (_EQUAL, 0, 4, nr),
                (_LOAD, 0, 0, _ARGUMENT + 2 * 8),
                (_ANY_BIT, 0, 1, _PROT_EXEC),
                (_RETURN, 0, 0, _ERRNO | errno.EPERM),
                (_RETURN, 0, 0, _ALLOW),
            ]
        else:
            program += [(_EQUAL, 0, 1, nr), (_RETURN, 0, 0, _ALLOW)]
    program.append((_RETURN, 0, 0, _ERRNO | errno.EPERM))
    return Filter(program)


def child_filter(descriptor: int) -> Filter:
    """Return the small second filter of a child.

    It takes away what only the zygote needs, pins write() to one descriptor and makes waiting on
    a futex fail with EAGAIN: there is no second thread to wait for, so a deadlock becomes a busy
    loop that the CPU limit ends, whatever the machine's load.
    """
    write, futex = number("write"), number("futex")
    assert write is not None and futex is not None
    program: list[Instruction] = [
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 0, 4, write),
        (_LOAD, 0, 0, _ARGUMENT),
        (_EQUAL, 0, 1, descriptor),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_EQUAL, 0, len(_FUTEX_WAITS) * 2 + 3, futex),
        (_LOAD, 0, 0, _ARGUMENT + 8),
        (_AND, 0, 0, _FUTEX_COMMANDS),
    ]
    for command in _FUTEX_WAITS:
        program += [(_EQUAL, 0, 1, command), (_RETURN, 0, 0, _ERRNO | errno.EAGAIN)]
    program.append((_RETURN, 0, 0, _ALLOW))
    for nr in _numbers(_ZYGOTE):
        program += [(_EQUAL, 0, 1, nr), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    program.append((_RETURN, 0, 0, _ALLOW))
    return Filter(program)


def forbid_files_and_network() -> int:
    """Restrict this process by Landlock to no files, no TCP, no signals or sockets outwards.

    Returns the kernel's Landlock version. Raises KernelError where there is none.
    """
    version = call("landlock_create_ruleset", None, 0, 1)
    rights = 13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16
    fields = ((1 << rights) - 1, 3, 3)
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = struct.pack("<QQQ", *fields)[:size]
    ruleset = call("landlock_create_ruleset", attributes, size, 0)
    try:
        call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _numbers(*who: str) -> list[int]:
    allowed = (number(name) for name, row in TABLE.items() if row[2] in who)
    return sorted(nr for nr in allowed if nr is not None)
