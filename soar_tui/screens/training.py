"""How far the learning that is under way has come."""

from __future__ import annotations

from dataclasses import dataclass

from engine.figures.numbers import count, duration, of
from soar_tui.open_run import OpenRun


@dataclass(frozen=True, slots=True)
class Training:
    """The learning that is under way: `gathered` tasks, then the step the trainer is at.

    `steps` is 0 before the first one; `tokens` and `seconds` are since the training began.
    """

    iteration: int
    gathered: int
    step: int = 0
    steps: int = 0
    loss: float = 0.0
    tokens: int = 0
    seconds: float = 0.0


def training_of(run: OpenRun) -> Training | None:
    """Return the learning that the run's last engine was at, None when it was at something else."""
    values = {key: status.value for key, status in run.reader.statuses().items()}
    engine, trainer, gathered = values.get("engine"), values.get("training"), values.get("gathered")
    if not isinstance(engine, dict) or engine.get("step") != "learn":
        return None
    iteration = int(engine["iteration"])
    so_far = gathered if isinstance(gathered, int) else 0
    if not isinstance(trainer, dict) or trainer.get("iteration") != iteration:
        return Training(iteration, so_far)
    figures = {name: trainer[name] for name in ("step", "steps", "loss", "tokens", "seconds")}
    return Training(iteration, so_far, **figures)


def training_line(training: Training, tasks: int) -> str:
    """Return how far the learning that is under way has come."""
    about = f"learning from iteration {training.iteration + 1}: "
    if not training.steps:
        gathered = of(training.gathered, tasks)
        return f"{about}gathered from {gathered} tasks"
    left = training.seconds / training.step * (training.steps - training.step)
    speed = f"{count(training.tokens / training.seconds)} tokens/s, " if training.tokens else ""
    return (
        f"{about}step {count(training.step)} of {count(training.steps)}, "
        f"loss {training.loss:.3f}, {speed}{duration(left)} left"
    )
