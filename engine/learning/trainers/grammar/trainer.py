"""The trainer of the embedded policy: its fit as a job in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from engine.learning.trainers.job import run_job
from engine.learning.trainers.protocol import Checkpoint, Progress

SILENCE_SECONDS = 1800.0
"""Without a line from the job for as long, it counts as hung; replaying a whole run is silent."""


class GrammarTrainer:
    """Fits the contextual model, every time anew from the base checkpoint or from nothing."""

    def __init__(self, log_file: Path, *, seed: int = 0, workers: int = 0) -> None:
        self._log_file = log_file
        self._seed = seed
        self._workers = workers or os.cpu_count() or 1

    async def train(
        self,
        dataset: Path,
        base: Path | None,
        out_dir: Path,
        on_progress: Callable[[Progress], None],
    ) -> Checkpoint:
        """Fit as engine.learning.trainers.protocol.Trainer says; `out_dir` becomes one file."""
        done = await run_job(
            "fit",
            [
                *(sys.executable, "-P", "-m", "engine.learning.trainers.grammar.fit"),
                *(str(dataset), str(out_dir), f"--seed={self._seed}"),
                f"--workers={self._workers}",
                *(() if base is None else (f"--base={base}",)),
            ],
            self._log_file,
            on_progress,
            # The workers fill the cores; threads of linear algebra beside them only get in the way.
            environment=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            silence_seconds=SILENCE_SECONDS,
        )
        return Checkpoint(
            path=out_dir,
            base="untrained" if base is None else base.name,
            rows=done["rows"],
            dropped=done["dropped"],
            losses=tuple(done["losses"]),
            tokens=0,
            seconds=done["seconds"],
            surviving=None,
        )
