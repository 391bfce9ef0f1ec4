"""What every trainer promises, whatever it tunes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class TrainingError(RuntimeError):
    """A training that did not give a checkpoint; the message says why and shows the log's tail."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a training: its number of `steps`, the mean loss since the last, tokens seen.

    `loss` is in nats per supervised token; `seconds` is time since the training began.
    """

    step: int
    steps: int
    loss: float
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tuned policy on disk, and what it was made of.

    `rows` were trained on; `dropped` were left out, being longer than the trainer's limit.
    `losses` has one entry per step. `surviving` is the share of the update that is left after
    the merged weights were rounded to 16 bits (None where it was not measured).
    """

    path: Path
    base: str
    rows: int
    dropped: int
    losses: tuple[float, ...]
    tokens: int
    seconds: float
    surviving: float | None


class Trainer(Protocol):
    """Tunes a policy on a dataset."""

    async def train(
        self,
        dataset: Path,
        base: Path | None,
        out_dir: Path,
        on_progress: Callable[[Progress], None],
    ) -> Checkpoint:
        """Tune a policy and put the checkpoint at `out_dir`.

        `base` is the checkpoint that the run started from, None for none. The embedded policy learns
        on from it; of a language model the configured base model is tuned each time (SOAR §8), and
        `base` only where none is configured.

        `dataset` is a file of engine.learning.dataset. `out_dir` must not exist; it appears
        whole or not at all. Raises TrainingError. Cancelling ends the training at once.
        """
        ...
