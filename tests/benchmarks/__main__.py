"""`python -m tests.benchmarks [NAME …]`: run the benchmarks (what `make bench` does), one by one.

Each is a module with options of its own (`python -m tests.benchmarks.NAME --help`); here they run
with the small sizes of BENCHMARKS, a few minutes in all on two cores that do nothing else.
"""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = {
    "sandbox": ("--programs", "1000", "--mixed", "200"),
    "archive": ("--candidates", "100000"),
    "exports": ("--candidates", "80000"),
    "widgets": (),
    "app": ("--candidates", "100000"),
    "memory": (),
    "grammar_policy": ("--every", "20"),
}


def main() -> int:
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no benchmark {unknown[0]!r}: choose from {', '.join(BENCHMARKS)}\n")
        return 2
    failed = []
    for name in names:
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", *BENCHMARKS[name]]
        sys.stdout.write(f"\n$ {' '.join(['python', *command[1:]])}\n")
        sys.stdout.flush()
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
