"""Measure how busy the search keeps policy servers: share of their capacity, CPU, memory over time.

The servers are simulated (`served.py`): real HTTP, the batching and the throughput curve of GPUs,
slowed down until all of them together give `--rate` completions a second with full batches. The
engine is a real one with the preset `paper` on smaller budgets, its archive and its sandbox.

    python -m tests.benchmarks.saturation --tasks 400 --rate 500 --seconds 1800

On a machine that cannot run so many programs a second the servers wait for the sandbox, which the
share shows; take a lower rate there and read the CPU time per completion, which does not depend on
it.
"""

import argparse
import contextlib
import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.dry_run import Moment, open_run, servers, settings_for, watch

WARM_UP = 0.1
"""Share of the completions left out at the beginning and at the end, where tasks are too few."""


def main() -> None:
    """Run the engine against the servers and print what both did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=400, help="of the ARC-AGI-1 training set")
    parser.add_argument("--rate", type=float, default=100.0, help="completions/s of full servers")
    parser.add_argument("--seconds", type=float, default=270.0, help="about how long it is to take")
    parser.add_argument("--servers", type=int, default=4)
    parser.add_argument("--sequences", type=int, default=512, help="a server decodes at once")
    parser.add_argument("--corpus", type=Path, help="programs made by an earlier run")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=NUMBER")
    arguments = parser.parse_args()
    tasks = f"arc1-train:{arguments.tasks}"
    half = max(8, round(arguments.rate * arguments.seconds / arguments.tasks / 2))
    changes: dict[str, object] = {
        "search.samples": half,
        "search.refinements": half,
        "search.wave": min(50, half),
    }
    for assignment in arguments.set:
        name, _, value = assignment.partition("=")
        changes[name] = float(value) if "." in value else int(value)
    folder = Path(tempfile.mkdtemp(prefix="saturation-"))
    try:
        if arguments.corpus is not None:
            shutil.copy(arguments.corpus, folder / "corpus.json")
        with servers(
            folder,
            tasks,
            count=arguments.servers,
            sequences=arguments.sequences,
            rate=arguments.rate,
        ) as urls:
            settings = settings_for(tasks, urls, arguments.sequences, changes)
            run = open_run(folder, settings)
            moments = []
            for moment in watch(run, urls[0], 5.0, 2 * arguments.seconds + 120):
                moments.append(moment)
                _say(moment)
        report(moments)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def _say(moment: Moment) -> None:
    queued, running = moment.stats["queued"], moment.stats["running"]
    print(
        f"{moment.seconds:6.0f} s  {moment.candidates:8,} candidates  "
        f"running {sum(running):5,}  queued {sum(queued):5,}  "
        f"engine {moment.resident / 1e6:5.0f} MB",
        flush=True,
    )


def between(first: Moment, last: Moment) -> str:
    """Return the line of figures for what went on between two moments."""
    seconds = last.stats["seconds"] - first.stats["seconds"]
    made = last.stats["finished"] - first.stats["finished"]
    archived = last.candidates - first.candidates
    shares = [
        (after - before) / seconds
        for before, after in zip(first.stats["busy"], last.stats["busy"], strict=True)
    ]
    engine = 1000 * (last.engine - first.engine) / max(1, archived)
    sandbox = 1000 * (last.sandbox - first.sandbox) / max(1, archived)
    server = 1000 * (last.stats["cpu"] - first.stats["cpu"]) / max(1, made)
    return (
        f"{sum(shares) / len(shares):7.1%} of capacity (each: "
        f"{' '.join(f'{share:.1%}' for share in shares)}), {made / seconds:6.1f} completions/s; "
        f"CPU per completion: engine {engine:.2f} ms, sandbox {sandbox:.2f} ms, "
        f"simulated servers {server:.2f} ms"
    )


def report(moments: list[Moment]) -> None:
    """Print the figures of the whole and of its parts."""
    total = moments[-1].candidates
    steady = [m for m in moments if WARM_UP * total <= m.candidates <= (1 - WARM_UP) * total]
    sampling = [m for m in steady if m.refined <= 0.02 * m.candidates]
    refining = [m for m in steady if m.refined >= 0.02 * total]
    print(f"\n{total:,} candidates in {moments[-1].seconds:.0f} s")
    for name, part in (
        ("all of it", moments),
        ("steady", steady),
        ("sampling", sampling),
        ("refining", refining),
    ):
        if len(part) > 1:
            print(f"  {name:9} {between(part[0], part[-1])}")
    if len(steady) > 1:
        cores = (steady[-1].engine - steady[0].engine) / (steady[-1].seconds - steady[0].seconds)
        print(f"  engine: {cores:.2f} of a core")
        sizes = [m.resident / 1e6 for m in steady]
        print(f"  engine's memory: {sizes[0]:.0f} MB at first, {sizes[-1]:.0f} MB at last")
    print(f"  {moments[-1].disk / max(1, total):.0f} bytes of disk per candidate")


if __name__ == "__main__":
    main()
