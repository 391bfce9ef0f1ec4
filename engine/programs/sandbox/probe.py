"""The start probe: a child locked down like any other tries what no child may do."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from engine.programs.sandbox import child, kernel

_AT_FDCWD = -100
_ATTEMPTS: tuple[tuple[str, tuple[int | bytes | None, ...]], ...] = (
    ("openat", (_AT_FDCWD, b"/", 0, 0)),
    ("socket", (2, 1, 0)),
    ("socket", (1, 1, 0)),
    ("clone", (signal.SIGCHLD, 0, 0, 0, 0)),
    ("execve", (b"/bin/true", None, None)),
    ("kill", (1, 0)),
    ("ptrace", (0, 0, 0, 0)),
    ("process_vm_readv", (1, 0, 0, 0, 0, 0)),
    ("prlimit64", (0, 7, 0, 0)),
    ("memfd_create", (b"x", 0)),
    ("shmget", (0, 4096, 0o1600)),
    ("bpf", (0, 0, 0)),
    ("io_uring_setup", (1, 0)),
    ("unshare", (0x10000000,)),
    ("prctl", (3, 0, 0, 0, 0)),
)


def check(lock_down: Callable[[], None]) -> None:
    """Raise OSError naming the calls that a locked-down child could make."""
    if not kernel.machine_known():
        raise OSError(0, "no system call table for this machine")
    read, write = os.pipe()
    pid = child.fork()
    if pid == 0:
        try:
            if write != child.OUTLET:
                os.dup2(write, child.OUTLET, False)
            lock_down()
            os.write(child.OUTLET, b"locked " + b" ".join(_allowed()))
        finally:
            os._exit(0)
    os.close(write)
    said = b""
    while part := os.read(read, 4096):
        said += part
    os.close(read)
    os.waitpid(pid, 0)
    locked, _, allowed = said.decode().partition(" ")
    if locked != "locked":
        raise OSError(0, "the probe could not lock itself down")
    if allowed:
        raise OSError(0, f"a child may call {allowed.replace(' ', ', ')}")


def _allowed() -> list[bytes]:
    found: list[bytes] = []
    for name, arguments in _ATTEMPTS:
        try:
            result = kernel.call(name, *arguments)
        except OSError as error:
            if error.errno in _REFUSALS:
                continue
        else:
            if name == "clone" and result == 0:
                os._exit(0)
        found.append(name.encode())
    return found


_REFUSALS = (1, 13, 38)  # EPERM, EACCES, ENOSYS: the kernel would not even look
