"""A run of the paper's shape and, at its full size, of its size: 400 tasks, 2.4 million programs.

The preset `paper` with its waves, pulls and thresholds on all ARC-AGI-1 training tasks; a simulated
fleet (`served.py`) answers with realistic programs, so many a second in sampling and in refinement
(to read a prompt costs it nothing); archive, sandbox and search are the real ones. Only the number
of programs is to be chosen, and how many a second are offered: where that is less than the machine
can take, the same number comes back from first to last unless the run slows down, and CPU time per
program shows it before that. Prints both per tenth of the run, memory and disk. Stopped, or at the end of `--seconds`, it is
drained; the same command goes on where it was, so a long run can be had in slices.

    python -m tests.benchmarks.paper_size --programs 2400000 --folder DIR
"""

import argparse
import contextlib
import itertools
import sys
from dataclasses import asdict
from pathlib import Path

import msgspec

from engine.archive.reader import RunReader
from tests.benchmarks.dry_run import Moment, open_run, servers, settings_for, watch

TASKS = 400
FULL = 6000 * TASKS


def main() -> int:
    """Go on with the run in the folder, or begin it; print how it stands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=FULL)
    parser.add_argument("--folder", type=Path, required=True, help="the run, kept between slices")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="drain after so long")
    parser.add_argument("--rate", type=float, default=420.0, help="completions/s of full servers")
    parser.add_argument("--servers", type=int, default=4)
    parser.add_argument("--sequences", type=int, default=512, help="a server decodes at once")
    arguments = parser.parse_args()
    half = max(1, round(arguments.programs / TASKS / 2))
    arguments.folder.mkdir(parents=True, exist_ok=True)
    record = arguments.folder / "moments.jsonl"
    tasks = f"arc1-train:{TASKS}"
    with servers(
        arguments.folder,
        tasks,
        count=arguments.servers,
        sequences=arguments.sequences,
        rate=arguments.rate,
        prefill=float("inf"),
    ) as urls:
        changes: dict[str, object] = {"search.samples": half, "search.refinements": half}
        run = open_run(arguments.folder, settings_for(tasks, urls, arguments.sequences, changes))
        with record.open("ab") as file:
            file.write(b"\n")  # a slice begins
            with contextlib.suppress(KeyboardInterrupt):
                for moment in watch(run, urls[0], 5.0, arguments.seconds):
                    file.write(msgspec.json.encode(asdict(moment)) + b"\n")
                    file.flush()
    report(slices(record), 2 * half * TASKS)
    print_archive(run)
    return 0


def slices(record: Path) -> list[list[Moment]]:
    """Return the moments of each slice so far."""
    parts = record.read_text().split("\n\n")
    decode = msgspec.json.Decoder(Moment).decode
    found = [[decode(line) for line in part.splitlines() if line] for part in parts]
    return [part for part in found if len(part) > 1]


def report(parts: list[list[Moment]], planned: int) -> None:
    """Print the figures of each tenth of what is planned, then the sandbox's memory and the time.

    The steps between moments count for the tenth in which they begin; what lies between slices, and
    the start of each, when what is archived is replayed, is left out.
    """
    print(f"{'tenth':>6} {'programs/s':>11} {'engine ms':>10} {'sandbox ms':>11} {'engine MB':>10}")
    tenths: list[list[tuple[Moment, Moment]]] = [[] for _ in range(10)]
    for part in parts:
        steps = list(itertools.pairwise(part))
        moving = [n for n, (one, next_) in enumerate(steps) if next_.candidates > one.candidates]
        # Between them there may be moments at which nothing comes in; these count.
        for before, after in steps[moving[0] : moving[-1] + 1] if moving else ():
            tenths[min(9, 10 * before.candidates // planned)].append((before, after))
    rates: dict[int, float] = {}
    for number, held in enumerate(tenths, 1):
        if not held:
            continue
        programs = sum(after.candidates - before.candidates for before, after in held)
        seconds = sum(after.seconds - before.seconds for before, after in held)
        engine = 1000 * sum(after.engine - before.engine for before, after in held) / programs
        sandbox = 1000 * sum(after.sandbox - before.sandbox for before, after in held) / programs
        most = max(after.resident for _, after in held) / 1e6
        rates[number] = programs / seconds
        print(f"{number:6} {rates[number]:11.1f} {engine:10.2f} {sandbox:11.2f} {most:10.0f}")
    if {1, 10} <= rates.keys():
        print(f"the last tenth at {rates[10] / rates[1]:.1%} of the first one's programs/s")
    sandboxes = max(moment.sandbox_resident for part in parts for moment in part) / 1e6
    print(f"sandbox processes together {sandboxes:.0f} MB at most (shared pages counted in each)")
    print(f"{sum(part[-1].seconds for part in parts):.0f} s in {len(parts)} slices")


def print_archive(run: Path) -> None:
    """Print what the run's folder holds."""
    with RunReader(run) as reader:
        candidates = sum(row.candidates for row in reader.iterations())
        voted = sum(row.finished for row in reader.iterations())
    size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
    print(f"{candidates:,} programs archived, {voted} tasks voted on")
    print(f"{size / 1e6:,.1f} MB on disk, {size / candidates:.0f} bytes a program")


if __name__ == "__main__":
    sys.exit(main())
