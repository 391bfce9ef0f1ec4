"""Measure what an engine keeps in memory of a search: bytes per arm, pattern, evaluation.

    python -m tests.benchmarks.memory --programs 6000

Every program here is an arm and gives a pattern of its own, which is the most a search can keep.
"""

import argparse
import random
import tracemalloc
from collections.abc import Callable, Iterator

from engine.programs.candidate import Candidate, Evaluation
from engine.programs.source import source_hash
from engine.search.rex import Population
from engine.search.vote import Tallies

SIDE, INPUTS = 10, 5


def candidates(number: int) -> Iterator[Candidate]:
    """Yield candidates of one task, no two alike, made as they are asked for."""
    rng = random.Random(1)
    for identifier in range(number):
        grids = tuple(bytes((SIDE, SIDE)) + _cells(rng) for _ in range(INPUTS))
        evaluation = Evaluation(grids, (True, False, False, False))
        source = f"def transform(grid):\n    return {identifier}\n"
        yield Candidate(identifier, "sample", 0, 0, None, source, evaluation)


def _cells(rng: random.Random) -> bytes:
    return bytes(rng.choices(range(10), k=SIDE * SIDE))


def grown(programs: int, keep: Callable[[Candidate], object]) -> float:
    """Return bytes per candidate that are still held after each was given to `keep`."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for candidate in candidates(programs):
        keep(candidate)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / programs


def main() -> None:
    """Print what one of each takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=6000, help="of one task")
    programs = parser.parse_args().programs
    population, tallies, remembered = Population("rex", 20.0), Tallies(), {}

    def remember(candidate: Candidate) -> None:
        remembered[source_hash(candidate.source)] = candidate.evaluation

    print(
        f"{programs:,} programs of one task, {INPUTS} grids of {SIDE} by {SIDE} each; bytes of each:"
    )
    for name, keep in (
        ("an arm", population.add),
        ("a pattern of a vote", tallies.add),
        ("a remembered evaluation", remember),
    ):
        print(f"  {name:24} {grown(programs, keep):6.0f}")


if __name__ == "__main__":
    main()
