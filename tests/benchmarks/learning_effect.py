"""Measure what learning is worth: real runs of the engine, their scores as a table and a figure.

Each arm is a run as `soar-tui run` would make it, once per seed, in a run folder under OUT/runs
(`SOAR_HOME=OUT soar-tui` opens them). A run that is through is not made again and one that was cut
off goes on, so the command may be given again after anything. Ctrl+C lets pulls under way finish.
The targets' test outputs serve for the scores alone.

Scores of finished runs are kept in `tests/benchmarks/scores`, by budgets, each with its commit: an
evening has room for a few of them. `--recorded` takes those for the runs it finds there, makes the
others, and adds their scores.

    python -m tests.benchmarks.learning_effect --seeds 3 --budget 200 --out DIR
    python -m tests.benchmarks.learning_effect --seeds 3 --budget 200 --out DIR --only chain,shipped
    python -m tests.benchmarks.learning_effect --seeds 3 --budget 200 --out DIR --recorded
    python -m tests.benchmarks.learning_effect --seeds 1 --budget 10 --out DIR --train sample:6 \\
        --target sample:6 --only chain,untrained
"""

from __future__ import annotations

import argparse
import datetime
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.archive.reader import RunReader
from engine.config import Settings, load_settings, override, preset
from engine.control import LOG_NAME, SETTINGS_NAME, create_run, log_tail, run_state
from tests.benchmarks.learning_report import (
    Comparison,
    Measured,
    comparison_table,
    figure,
    rows_of,
    solved_table,
    time_table,
)
from tests.benchmarks.learning_scores import (
    RunScore,
    estimate,
    load_score,
    marks,
    save_score,
    score_run,
)

LOOK_SECONDS = 30.0
RECORDED = Path(__file__).parent / "scores"
TRAIN, TARGET = "arc1-train", "arc1-eval"


@dataclass(frozen=True, slots=True)
class Arm:
    """A kind of run.

    `trains` counts iterations on the training tasks; `start` is what the policy starts from: None
    (untrained), `shipped`, or `arm:iteration` for a checkpoint of another arm's run of that seed.
    `samples` and `refinements` are multiples of the budget; `changes` are settings beside.
    """

    title: str
    trains: int = 0
    start: str | None = None
    iterations: int = 1
    samples: int = 1
    refinements: int = 1
    changes: Mapping[str, object] = field(default_factory=dict)

    @property
    def needs(self) -> str | None:
        """The arm whose run must be through before."""
        return self.start.partition(":")[0] if self.start and ":" in self.start else None


ARMS = {
    "untrained": Arm("no learning"),
    "chain": Arm("one round on the training tasks", trains=1),
    "rounds": Arm("three rounds on the training tasks", trains=3),
    "round-1": Arm("the first of these three", start="rounds:0"),
    "round-2": Arm("the second of these three", start="rounds:1"),
    "shipped": Arm("the shipped checkpoint", start="shipped"),
    "test-time": Arm("shipped, learning from the targets", start="shipped", iterations=4),
    "correct-only": Arm(
        "one round, from correct programs alone",
        trains=1,
        changes={"learn.strategy": "correct-only"},
    ),
    "sample-only": Arm("shipped, no refinement", start="shipped", samples=2, refinements=0),
    "uniform-parent": Arm(
        "shipped, any parent", start="shipped", changes={"search.bandit": "uniform"}
    ),
    "fixed": Arm(
        "shipped, the whole budget on every task", start="shipped", changes={"search.agree_stop": 0}
    ),
    "adaptive": Arm(
        "shipped, what agreement saves goes to others",
        start="shipped",
        changes={"search.effort": "adaptive"},
    ),
}
COMPARISONS: tuple[Comparison, ...] = (
    ("chain", "untrained", "one round of learning"),
    ("round-1", "untrained", "a first round"),
    ("round-2", "round-1", "a second round"),
    ("rounds", "round-2", "a third round"),
    ("test-time:1", "test-time:0", "learning once from the targets"),
    ("test-time:2", "test-time:1", "learning again from the targets"),
    ("test-time:3", "test-time:2", "and a third time"),
    ("chain", "correct-only", "greedy-diverse hindsight over correct programs alone"),
    ("shipped", "sample-only", "refinement at equal total"),
    ("shipped", "uniform-parent", "REX over any parent"),
    ("shipped", "fixed", "stopping when five programs agree"),
    ("adaptive", "fixed", "adaptive effort over fixed, at equal total"),
)
CURVES = {
    "untrained": "untrained",
    "chain": "1 round",
    "round-1": "1 round",
    "round-2": "2 rounds",
    "rounds": "3 rounds",
}


class MeasuringError(RuntimeError):
    """A run that cannot be measured: of other settings, or its engine failed."""


def settings_of(arm: Arm, seed: int, options: argparse.Namespace) -> Settings:
    """Return an arm's settings: the preset `cpu`, as a new run has it, with the arm's changes."""
    start = arm.start
    if start is not None and ":" in start:
        other, _, iteration = start.partition(":")
        start = str(folder_of(options.out, other, seed) / "checkpoints" / f"iteration-{iteration}")
    changes = {
        "tasks": _limited(options.target, options.tasks_limit),
        "seed": seed,
        "iterations": arm.iterations,
        "policy.checkpoint": start,
        "search.samples": arm.samples * options.budget,
        "search.refinements": arm.refinements * options.budget,
    }
    if arm.trains:
        changes["train_tasks"] = _limited(options.train, options.tasks_limit)
        changes["train_iterations"] = arm.trains
        changes["train_samples"] = changes["train_refinements"] = options.train_budget
    return override(preset("cpu"), {**changes, **arm.changes})


def _limited(tasks: str, limit: int | None) -> str:
    return tasks if limit is None else f"{tasks}:{limit}"


def folder_of(out: Path, arm: str, seed: int) -> Path:
    """Return where an arm's run of a seed is."""
    return out / "runs" / f"{arm}-{seed}"


def finish_run(name: str, arm: Arm, seed: int, options: argparse.Namespace) -> Settings:
    """Bring an arm's run to its end, unless it is there, and return its settings.

    The run that it starts from is brought to its end before. Raises MeasuringError for a folder of
    other settings and for an engine that fails.
    """
    if arm.needs is not None:
        finish_run(arm.needs, ARMS[arm.needs], seed, options)
    folder, wanted = folder_of(options.out, name, seed), settings_of(arm, seed, options)
    if not folder.exists():
        create_run(wanted, name=folder.name, day=datetime.datetime.now().astimezone().date())
    elif load_settings(folder / SETTINGS_NAME) != wanted:
        raise MeasuringError(f"{folder}: holds a run of other settings; choose another --out")
    if (folder / "archive.db").exists() and _finished(folder, wanted):
        return wanted
    log = folder / LOG_NAME
    with log.open("ab") as output:
        command = [sys.executable, "-m", "engine", str(folder)]
        with subprocess.Popen(command, stdout=output, stderr=output) as engine:
            code = _watch(engine, folder)
    if code:
        raise MeasuringError(f"{folder.name}: its engine ended with {code}\n{log_tail(log)}")
    return wanted


def _finished(folder: Path, settings: Settings) -> bool:
    with RunReader(folder) as reader:
        return run_state(folder, reader, settings.planned_iterations).state == "finished"


def _watch(engine: subprocess.Popen[bytes], folder: Path) -> int:
    while True:
        try:
            return engine.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            with RunReader(folder) as reader:
                for row in reader.iterations()[-1:]:
                    done = f"iteration {row.index}, {row.finished} of {row.tasks} tasks"
                    print(f"  {folder.name}: {done}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            engine.send_signal(signal.SIGTERM)


def measure(name: str, arm: Arm, seeds: Sequence[int], options: argparse.Namespace) -> Measured:
    """Run an arm for every seed and score its runs."""
    scores: list[RunScore] = []
    for seed in seeds:
        path = score_path(name, seed, options)
        score = load_score(path)
        if score is None:
            print(f"{name}, seed {seed}: {arm.title}", file=sys.stderr, flush=True)
            settings = finish_run(name, arm, seed, options)
            folder = folder_of(options.out, name, seed)
            budgets = budgets_up_to(2 * options.budget)
            score = score_run(folder, settings.vote, budgets, commit())
            save_score(score, path)
        scores.append(score)
    formula = settings_of(arm, seeds[0], options).vote.formula
    return Measured(name, arm.title, formula, tuple(scores))


def score_path(name: str, seed: int, options: argparse.Namespace) -> Path:
    """Return where the score of an arm's run of a seed is, or will be.

    Raises MeasuringError where kept scores are asked for that are of other tasks.
    """
    if not options.recorded:
        return Path(options.out / "scores" / f"{name}-{seed}.json")
    if (options.train, options.target, options.tasks_limit) != (TRAIN, TARGET, None):
        raise MeasuringError(f"--recorded: those scores are of all of {TRAIN} and {TARGET}")
    arm, budgets = ARMS[name], str(options.budget)
    if options.train_budget is not None and (arm.trains or arm.needs):
        budgets += f"-after-{options.train_budget}"
    return RECORDED / budgets / f"{name}-{seed}.json"


def budgets_up_to(most: int) -> list[int]:
    """Return 25, 50, 100 … and `most`, which is the last; of a total below 50 its quarters."""
    if most < 50:
        return sorted({max(most // 4, 1), max(most // 2, 1), most})
    return [25 << power for power in range(most.bit_length()) if 25 << power < most] + [most]


def chosen(only: str | None) -> list[str]:
    """Return the arms to measure, in order. Raises MeasuringError."""
    names = list(ARMS) if only is None else only.split(",")
    unknown = [name for name in names if name not in ARMS]
    if unknown:
        raise MeasuringError(f"no arm {unknown[0]!r}: choose from {', '.join(ARMS)}")
    return [name for name in ARMS if name in names]


def report(arms: Sequence[Measured], options: argparse.Namespace) -> str:
    """Return the tables, headed by how they came about."""
    budgets = budgets_up_to(2 * options.budget)
    early = 50 if 50 in budgets else budgets[0]
    seeds = max(len(arm.runs) for arm in arms)
    commits = sorted({run.commit for arm in arms for run in arm.runs})
    train, learned_with = options.train_budget, ""
    if train is not None:
        learned_with = f", {train} + {train} where it is to learn from"
    return "\n\n".join(
        [
            f"Searched at {', '.join(commits)}; {options.budget} + {options.budget} programs per "
            f"task{learned_with}, medians of {seeds} seeds, 95 % intervals by resampling the tasks.",
            solved_table(arms, budgets),
            comparison_table(arms, COMPARISONS, early),
            time_table(arms),
        ]
    )


def commit() -> str:
    """Return the short name of the commit that is measured, marked where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def curves(arms: Sequence[Measured], budgets: Sequence[int]) -> dict[str, dict[int, float]]:
    """Return the figure's curves: solved within b programs, after each round of learning."""
    found = {}
    for name, (arm, label) in rows_of(arms).items():
        title = CURVES.get(name, name)
        if label != "pooled" and (name in CURVES or not CURVES.keys() & {a.name for a in arms}):
            parts = arm.parts(label)
            found[title] = {b: estimate(marks(parts, f"@{b}")).median for b in budgets}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for runs, scores, report")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds of every arm")
    parser.add_argument("--from-seed", type=int, default=0, help="the first of them")
    parser.add_argument("--budget", type=int, default=200, help="samples, and as many refinements")
    parser.add_argument(
        "--train-budget", type=int, help="the same for tasks to learn from [default: --budget]"
    )
    parser.add_argument(
        "--recorded", action="store_true", help="take the scores kept here, and add to them"
    )
    parser.add_argument("--only", help=f"arms, by comma: {', '.join(ARMS)}")
    parser.add_argument("--train", default=TRAIN, help="tasks to learn from")
    parser.add_argument("--target", default=TARGET, help="tasks to solve, held out")
    parser.add_argument("--tasks-limit", type=int, help="only the first so many of both")
    options = parser.parse_args()
    options.out = options.out.resolve()
    os.environ["SOAR_HOME"] = str(options.out)
    try:
        names = chosen(options.only)
        seeds = range(options.from_seed, options.from_seed + options.seeds)
        arms = [measure(name, ARMS[name], seeds, options) for name in names]
    except MeasuringError as error:
        print(error, file=sys.stderr)
        return 1
    text = report(arms, options)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.md").write_text(text + "\n", encoding="utf-8")
    drawn = curves(arms, budgets_up_to(2 * options.budget))
    svg = figure(drawn, "Tasks solved by the vote over the first b programs")
    (options.out / "learning_effect.svg").write_text(svg, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
