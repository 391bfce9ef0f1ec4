"""Measure skills as macro steps: programs of similar tasks, refitted, that samples begin with.

A run that learned from some tasks gives the checkpoint and its skill library; the tasks of --tasks
that it did not learn from are sampled by the embedded policy, once with each share of samples that
begin with a skill, its constants fitted anew, and go on from there. Without the sandbox: outputs
are the policy's own. To choose a setting by it, take training tasks alone:

    soar-tui run --name half --train-tasks arc1-train:200 --tasks sample:1 --preset cpu \\
        --from-scratch --set train_samples=50 --set train_refinements=50
    python -m tests.benchmarks.skill_steps --run RUNS/half --tasks arc1-train --samples 100 --seeds 3
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

import numpy as np

from engine.arc import Task, pack
from engine.arc.grid import as_grid
from engine.arc.load import load_tasks
from engine.archive.reader import RunReader
from engine.learning.skills import Library, choose_skill, load_skills
from engine.policies.grammar.bench import Workbench
from engine.policies.grammar.chains import MAX_STEPS, Chain, empty_chain, replay, simplify
from engine.policies.grammar.checkpoint import load_weights
from engine.policies.grammar.prior import log_prior
from engine.policies.grammar.source import emit, parse
from engine.policies.grammar.trained import Trained
from engine.programs.candidate import prior_weight
from engine.programs.score import judge

C = 1000.0
"""Of the vote `prior`, which orders by it what has no prior."""

_made: dict[Path, tuple[Trained, Library]] = {}


def learned(checkpoint: Path) -> tuple[Trained, Library]:
    """Return a checkpoint's model and skills, read once per process."""
    if checkpoint not in _made:
        skills = load_skills(checkpoint.with_name(checkpoint.name + ".skills.zst"))
        _made[checkpoint] = Trained(load_weights(checkpoint)), skills
    return _made[checkpoint]


def sampled(bench: Workbench, begun: Chain, rng: Random) -> Chain:
    """Return a chain grown on from what it begins with, as the policy grows one from nothing."""
    chain = begun
    while len(chain.steps) < MAX_STEPS and not chain.left.solved:
        if chain.steps and rng.random() >= bench.model.going_on(chain.context(len(chain.steps))):
            break
        found = bench.draw_step(chain.context(len(chain.steps)), rng)
        if found is None:
            break
        chain = chain.then(*found)
    return simplify(bench, chain)


def search(
    checkpoint: Path, task: Task, samples: int, share: float, seed: int
) -> tuple[bool, bool, int]:
    """Return whether the vote and whether any program solves a task, and how many used a skill."""
    model, skills = learned(checkpoint)
    shown = task.without_truth()
    bench = Workbench(shown, model)
    weights: defaultdict[bytes, float] = defaultdict(float)
    seen, used = set[str](), 0
    for index in range(samples):
        rng = Random(f"{seed} {index}")
        begun = empty_chain(bench)
        if rng.random() < share:
            skill = choose_skill(skills, shown, "sample", seed * samples + index)
            steps = None if skill is None else parse(skill.example.source)
            macro = replay(bench, begun, steps, refit=True) if steps else None
            if macro is not None:
                begun, used = macro, used + 1
        chain = sampled(bench, begun, rng)
        if not chain.steps or chain.text in seen:
            continue
        seen.add(chain.text)
        results = tuple(pack(as_grid(grid)) for grid in chain.left.grids)
        found = judge(shown, emit(chain.steps), results)
        if found.filter is None and found.pattern is not None:
            prior = log_prior(chain)
            weights[found.pattern] += 1e-9 * (1 + C * found.accuracy)
            weights[found.pattern] += 0.0 if prior is None else prior_weight(prior)
    truth = b"".join(map(pack, task.truth or ()))
    return truth in sorted(weights, key=lambda p: -weights[p])[:2], truth in weights, used


def main() -> None:
    """Print what each share solves, with the difference to none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of the run that learned")
    parser.add_argument("--tasks", default="arc1-train")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.1, 0.3])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    checkpoint = options.run / "checkpoints" / "iteration-0"
    with RunReader(options.run) as reader:
        known = {task.id for task in reader.tasks()[: reader.training_tasks()]}
    tasks = [task for task in load_tasks(options.tasks).tasks if task.id not in known]
    print(f"{len(tasks)} tasks, {options.samples} samples each, {options.seeds} seeds")
    with ProcessPoolExecutor(options.workers) as pool:
        none: Sequence[float] = ()
        for share in options.shares:
            calls = [
                [pool.submit(search, checkpoint, t, options.samples, share, seed) for t in tasks]
                for seed in range(options.seeds)
            ]
            found = np.array([[call.result() for call in row] for row in calls])
            solved, oracle, used = found[..., 0].sum(1), found[..., 1].sum(1), found[..., 2].sum()
            mean = found[..., 0].mean(0)
            none = mean if share == options.shares[0] else none
            print(
                f"share {share:.2f}: solved {' '.join(map(str, solved))}, oracle "
                f"{' '.join(map(str, oracle))}, began with a skill "
                f"{used / found[..., 0].size / options.samples:.1%}, over the first "
                f"{_difference(mean - np.asarray(none))}",
                flush=True,
            )


def _difference(gained: np.ndarray) -> str:
    rng = np.random.default_rng(0)
    drawn = rng.choice(gained, (2000, len(gained))).sum(1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return f"{gained.sum():+.1f} [{low:+.1f}, {high:+.1f}]"


if __name__ == "__main__":
    main()
