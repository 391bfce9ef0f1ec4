"""Trying the GPU path for real, part by part: serve a model, tune it, serve what was tuned.

Each part that can run here does, with a model of two layers made on the spot unless one is named;
what cannot says why. So a machine is known to be fit before hours are spent on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from engine.arc import Task, load_tasks
from engine.config import ConfigError, DecodingConfig, ServeConfig, TrainConfig
from engine.control.gpus import GpuQueryError, query_gpus
from engine.learning.dataset import write_dataset
from engine.learning.example import Example
from engine.learning.trainers.protocol import Progress, TrainingError
from engine.learning.trainers.subprocess_trainer import SubprocessTrainer, check_interpreter
from engine.policies import PolicyError
from engine.policies.llm import tiny_model
from engine.policies.llm.client import ChatClient
from engine.policies.llm.environment import missing_packages
from engine.policies.llm.environments import ENVIRONMENTS, noted_interpreters
from engine.policies.llm.process import Probes
from engine.policies.llm.prompts import sample_messages
from engine.policies.llm.sglang_server import SglangServer, reload_weights, weights_of

Outcome: TypeAlias = Literal["ran", "failed", "not available"]

COMPLETIONS = 32
NEW_TOKENS = 64
MODEL_SECONDS = 300.0
START_SECONDS = 900.0
TRAIN_SILENCE_SECONDS = 900.0

ON_GPU = ("--mem-fraction-static", "0.3")
"""Leaves room beside the server for the tuning."""

_DECODING = DecodingConfig(context=8192, sample_tokens=NEW_TOKENS, n=8)
_PROGRAM = "def transform(grid):\n    return [row[::-1] for row in grid]\n"


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one part: a sentence of what was seen or why not, and what would help."""

    name: str
    outcome: Outcome
    detail: str
    hint: str | None = None


def check_gpu_path(
    folder: Path,
    on_part: Callable[[str], None],
    *,
    model: str | None = None,
    gpu: bool,
    flags: Sequence[str] = ON_GPU,
) -> list[Part]:
    """Try serving, tuning and reloading, and return what became of each part in turn.

    Everything is written under `folder`. `on_part` hears what is tried now. `model` is a folder
    or hub name to try with (None: the tiny one). Without `gpu` the trainer runs on the CPU;
    `flags` are put at the end of sglang's command line.
    """
    return asyncio.run(_check(folder, on_part, model, flags, gpu=gpu))


async def _check(
    folder: Path,
    on_part: Callable[[str], None],
    model: str | None,
    flags: Sequence[str],
    *,
    gpu: bool,
) -> list[Part]:
    (task,) = [task for task in load_tasks("sample").tasks if task.id == "mirror-left-right"]
    try:
        python = _interpreter("serve")
        trainer = _trainer(gpu=gpu)
    except ConfigError as error:
        broken = Part("serve", "failed", str(error))
        return [broken, _not("train", broken), _not("reload", broken)]
    parts = []
    async with contextlib.AsyncExitStack() as opened:
        server: SglangServer | None = None
        if isinstance(python, Part):
            parts.append(python)
        else:
            on_part("serve: starting sglang, which takes minutes the first time")
            try:
                base = model or await _tiny(python, folder / "tiny")
                served = _served(base, flags, folder, python)
                server = await opened.enter_async_context(served)
                parts.append(Part("serve", "ran", await _ask(server, task, "base")))
            except (PolicyError, OSError) as error:
                parts.append(Part("serve", "failed", str(error)))
                server = None
        checkpoint: Path | None = None
        if isinstance(trainer, Part):
            parts.append(trainer)
        else:
            on_part("train: two steps of LoRA, which take minutes the first time")
            try:
                base = model or await _tiny(str(trainer.python), folder / "tiny")
                detail, checkpoint = await _train(trainer, base, folder, task)
                parts.append(Part("train", "ran", detail))
            except (TrainingError, OSError) as error:
                parts.append(Part("train", "failed", str(error)))
        if server is None or checkpoint is None:
            parts.append(_not("reload", parts[0] if server is None else parts[1]))
        else:
            on_part("reload: new weights into the running server")
            parts.append(await _reload(server, checkpoint, task))
    return parts


def _interpreter(name: str) -> str | Part:
    """Return the noted interpreter of an environment, or why its part cannot run."""
    environment = ENVIRONMENTS[name]
    hint = f"soar-tui setup {name}"
    unfit = environment.unfit()
    python = noted_interpreters().get(name)
    if unfit is not None:
        return Part(name, "not available", unfit, "name a server elsewhere: docs/gpu.md")
    if python is None:
        return Part(name, "not available", f"no environment {name!r} is set up", hint)
    try:
        lacking = missing_packages(python, environment.imports)
    except OSError as error:
        return Part(name, "not available", str(error), hint)
    if lacking:
        detail = f"{python} lacks {', '.join(lacking)}"
        return Part(name, "not available", detail, hint)
    return python


def _trainer(*, gpu: bool) -> TrainConfig | Part:
    """Return how to tune with what is set up here, unsloth first, or why nothing can."""
    unsloth = _interpreter("train")
    kind: Literal["unsloth", "hf"] = "unsloth"
    python = unsloth
    if isinstance(unsloth, Part):
        python, kind = _interpreter("train-hf"), "hf"
    if isinstance(python, Part):
        return unsloth if isinstance(unsloth, Part) else python
    config = TrainConfig(
        trainer=kind,
        python=python,
        rank=8,
        learning_rate=2e-3,
        warmup=0.0,
        steps=2,
        accumulation=1,
        max_length=8192,
        four_bit=False,
        cpu=not gpu,
        silence_seconds=TRAIN_SILENCE_SECONDS,
    )
    try:
        check_interpreter(config)
    except ConfigError as error:
        return Part("train", "not available", str(error))
    return config


async def _tiny(python: str, folder: Path) -> str:
    """Return the folder of the tiny model, made if it is not there. Raises OSError."""
    if not (folder / "config.json").is_file():
        process = await asyncio.create_subprocess_exec(
            python,
            tiny_model.__file__,
            str(folder),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(MODEL_SECONDS):
                said, _ = await process.communicate()
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise OSError(f"{python}: made no model within {MODEL_SECONDS:g} s") from error
        if process.returncode:
            last = (said.decode("utf-8", "replace").strip().splitlines() or ["nothing"])[-1]
            raise OSError(f"{python}: could not make the tiny model: {last}")
    return str(folder)


@contextlib.asynccontextmanager
async def _served(
    model: str, flags: Sequence[str], folder: Path, python: str
) -> AsyncIterator[SglangServer]:
    serve = ServeConfig(model=model, flags=tuple(flags))
    # Started anew it would fail again: a second attempt is for the accidents of a long run.
    probes = Probes("/ready", "/health", START_SECONDS, restarts=0)
    server = SglangServer(serve, _DECODING, folder / "serve.log", python=python, probes=probes)
    try:
        await server.load(None)
        await server.ready()
        yield server
    finally:
        await server.close()


async def _ask(server: SglangServer, task: Task, version: str) -> str:
    """Ask for completions, and return how fast they came. Raises PolicyError."""
    started = time.monotonic()
    async with ChatClient(server.endpoint, _DECODING) as client:
        replies = await asyncio.gather(
            *(
                client.complete(sample_messages(task), 8, NEW_TOKENS)
                for _ in range(COMPLETIONS // 8)
            )
        )
    seconds = time.monotonic() - started
    whole = [completion for reply in replies for completion in reply.completions]
    if len(whole) < COMPLETIONS or {completion.weights for completion in whole} != {version}:
        versions = sorted({str(completion.weights) for completion in whole})
        raise PolicyError(
            f"{len(whole)} of {COMPLETIONS} completions came, by the weights {', '.join(versions)}"
        )
    written = sum(completion.tokens_out for completion in whole)
    return (
        f"{COMPLETIONS} completions, {written:,} tokens in {seconds:.1f} s "
        f"({written / seconds:,.0f}/s){_memory()}"
    )


def _memory() -> str:
    """Return how much memory of the first GPU is taken now, as a part of a sentence."""
    try:
        gpu = query_gpus()[0]
    except GpuQueryError:
        return ""
    return f", {gpu.memory - gpu.free:,} of {gpu.memory:,} MiB taken"


async def _train(config: TrainConfig, base: str, folder: Path, task: Task) -> tuple[str, Path]:
    """Tune for two steps; the job itself checks labels, scale and merged weights."""
    dataset = folder / "lesson.jsonl.zst"
    example = Example("correct", task.without_truth(), _PROGRAM, 0)
    write_dataset([example] * 4, dataset)
    steps: list[Progress] = []
    trainer = SubprocessTrainer(config, base, folder / "train.log")
    made = await trainer.train(dataset, None, folder / "tuned", steps.append)
    detail = (
        f"{config.trainer}, {len(made.losses)} steps, loss "
        f"{' → '.join(f'{loss:.2f}' for loss in made.losses)}, {made.tokens:,} tokens in "
        f"{made.seconds:.0f} s; labels, the adapter's scale and the merged weights are right"
    )
    return detail, made.path


async def _reload(server: SglangServer, checkpoint: Path, task: Task) -> Part:
    started = time.monotonic()
    try:
        # Not by server.load, which would start it anew where this fails.
        await reload_weights(server.endpoint, str(weights_of(checkpoint)), checkpoint.name)
        seconds = time.monotonic() - started
        asked = await _ask(server, task, checkpoint.name)
    except (PolicyError, OSError) as error:
        return Part("reload", "failed", str(error))
    return Part("reload", "ran", f"new weights after {seconds:.1f} s; {asked}")


def _not(name: str, reason: Part) -> Part:
    return Part(name, "not available", f"needs the part {reason.name!r}, which did not run")
