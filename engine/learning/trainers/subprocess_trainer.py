"""The trainer of language models: one-shot jobs in an interpreter of their own.

A job file goes in, JSON lines of progress come out, and the checkpoint's folder is renamed into
place once it is whole:

    merged/           16-bit weights with tokenizer, for sglang and to train from
    adapter/          the LoRA adapter
    model.gguf        for the policy `local`, where the base model is a GGUF file
    checkpoint.json   what it was made of
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.config import ConfigError, TrainConfig
from engine.learning.dataset import DatasetError, read_dataset
from engine.learning.trainers.job import run_job
from engine.learning.trainers.protocol import Checkpoint, Progress, TrainingError
from engine.learning.trainers.rows import write_rows
from engine.policies.llm.environment import missing_packages
from engine.policies.llm.environments import training_environment, training_python
from engine.policies.llm.errors import ReloadError
from engine.policies.llm.local import GGUF
from engine.policies.llm.sglang_server import MERGED, weights_of

_LORA_JOB = Path(__file__).with_name("lora_job.py")
_GGUF_JOB = Path(__file__).with_name("gguf_job.py")

_NEEDED = {
    "unsloth": ("unsloth", "transformers", "trl", "peft", "torch"),
    "hf": ("transformers", "trl", "peft", "torch", "datasets"),
}


def check_interpreter(config: TrainConfig) -> None:
    """Check that the trainer's packages are there, before a search that is to be learned from.

    Raises ConfigError naming the interpreter and what it lacks.
    """
    python = training_python(config)
    try:
        lacking = missing_packages(python, _NEEDED[config.trainer])
    except OSError as error:
        raise ConfigError(f"train.python: {error}") from error
    if lacking:
        raise ConfigError(
            f"train.python: {python} lacks {', '.join(lacking)}, which the trainer "
            f"{config.trainer!r} needs; `soar-tui setup {training_environment(config)}` builds an "
            "environment that has them"
        )


class SubprocessTrainer:
    """Tunes a language model by unsloth or by transformers with peft and trl.

    What its libraries print goes to `log_file`. `base` is what is tuned, each time anew (SOAR §8): a
    folder, a hub name in the hub's cache, or a GGUF file. Without one the checkpoint is tuned that
    a training is given.
    """

    def __init__(
        self, config: TrainConfig, base: str | None, log_file: Path, *, seed: int = 0
    ) -> None:
        self._config = config
        self._base = base
        self._log_file = log_file
        self._seed = seed
        self._python = training_python(config)

    async def train(
        self,
        dataset: Path,
        base: Path | None,
        out_dir: Path,
        on_progress: Callable[[Progress], None],
    ) -> Checkpoint:
        """Tune as engine.learning.trainers.protocol.Trainer says."""
        model = self._base or _weights_in(base)
        async with _unfinished(out_dir) as folder:
            rows = folder / "rows.jsonl"
            await asyncio.to_thread(self._write_rows, dataset, rows)
            weights = model
            if model.endswith(".gguf"):
                weights = str(folder / "base")
                await self._convert(
                    {"to": "safetensors", "gguf": model, "weights": weights}, folder
                )
            # Projections of a GGUF file are written in float16, which keeps more of an update.
            job = self._job(weights, rows, folder) | {"half": model.endswith(".gguf")}
            done = await self._run(_LORA_JOB, job, folder, on_progress)
            if model.endswith(".gguf"):
                job = {"to": "gguf", "gguf": model, "weights": str(folder / MERGED)}
                await self._convert(job | {"out": str(folder / GGUF)}, folder)
                await asyncio.to_thread(shutil.rmtree, weights)
            await asyncio.to_thread(folder.rename, out_dir)
        return Checkpoint(
            path=out_dir,
            base=model,
            rows=done["rows"],
            dropped=done["dropped"],
            losses=tuple(done["losses"]),
            tokens=done["tokens"],
            seconds=done["seconds"],
            surviving=done["surviving"],
        )

    def _write_rows(self, dataset: Path, rows: Path) -> None:
        try:
            count = write_rows(read_dataset(dataset), rows, np.random.default_rng(self._seed))
        except DatasetError as error:
            raise TrainingError(str(error)) from error
        if not count:
            raise TrainingError(f"{dataset}: holds no examples")

    def _job(self, base: str, rows: Path, out: Path) -> dict[str, Any]:
        config = self._config
        return {
            "trainer": config.trainer,
            "base": base,
            "rows": str(rows),
            "out": str(out),
            "seed": self._seed,
            "rank": config.rank,
            "alpha": config.alpha,
            "four_bit": config.four_bit,
            "learning_rate": config.learning_rate,
            "warmup": config.warmup,
            "weight_decay": config.weight_decay,
            "epochs": config.epochs,
            "steps": config.steps,
            "batch": config.batch,
            "accumulation": config.accumulation,
            "max_length": config.max_length,
            "cpu": config.cpu,
        }

    async def _convert(self, job: Mapping[str, Any], folder: Path) -> None:
        await self._run(_GGUF_JOB, job, folder, lambda progress: None)

    async def _run(
        self,
        script: Path,
        job: Mapping[str, Any],
        folder: Path,
        on_progress: Callable[[Progress], None],
    ) -> dict[str, Any]:
        """Run a job's script to its end and return its last words. Raises TrainingError."""
        job_file = folder / f"{script.stem}.json"
        job_file.write_text(json.dumps(job, indent=1), encoding="utf-8")
        return await run_job(
            script.stem,
            [self._python, str(script), str(job_file)],
            self._log_file,
            on_progress,
            # Its own environment's packages, whatever ours is started with.
            environment={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            silence_seconds=self._config.silence_seconds,
        )


def _weights_in(checkpoint: Path | None) -> str:
    """Return what of a checkpoint can be tuned: its merged weights or its GGUF file."""
    if checkpoint is None:
        raise TrainingError("train.model: no base model is named, nor is serve.model")
    try:
        return str(weights_of(checkpoint))
    except ReloadError as error:
        if (checkpoint / GGUF).is_file():
            return str(checkpoint / GGUF)
        raise TrainingError(str(error)) from error


@asynccontextmanager
async def _unfinished(out_dir: Path) -> AsyncIterator[Path]:
    """Make a folder beside `out_dir`, and remove what is left of it in the end."""
    folder = out_dir.with_name(out_dir.name + ".new")
    await asyncio.to_thread(_make, folder, out_dir)
    try:
        yield folder
    finally:
        # Not in a thread: when cancelled, it must be gone before the cancellation goes on.
        shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path, out_dir: Path) -> None:
    if out_dir.exists():
        raise TrainingError(f"{out_dir}: there already")
    shutil.rmtree(folder, ignore_errors=True)  # what a training that was killed has left
    folder.mkdir(parents=True)
