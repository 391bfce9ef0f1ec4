"""System call numbers against the kernel's own headers, where they are installed."""

import re
from pathlib import Path

import pytest

from engine.programs.sandbox import kernel

HEADERS = {
    0: [
        Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        Path("/usr/include/asm/unistd_64.h"),
    ],
    1: [Path("/usr/include/asm-generic/unistd.h")],
}


@pytest.mark.parametrize("column", [0, 1], ids=["x86_64", "aarch64"])
def test_numbers_are_those_of_the_headers(column):
    header = next((path for path in HEADERS[column] if path.exists()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    numbers = {name: int(number) for name, number in found}
    for name, row in kernel.TABLE.items():
        assert row[column] == numbers.get(name), name


def test_a_child_may_call_nothing_that_names_a_file_a_socket_or_a_process():
    harmless = {name for name, row in kernel.TABLE.items() if row[2] == "child"}
    assert not harmless & {
        "openat", "socket", "clone", "clone3", "fork", "execve", "kill", "ptrace", "prctl", "read",
        "seccomp", "prlimit64", "process_vm_readv", "memfd_create", "unshare", "close", "dup3",
    }  # fmt: skip
