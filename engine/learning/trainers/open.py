"""Choosing the trainer that fits a run's policy."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from engine.config import ConfigError, Settings
from engine.learning.trainers.grammar.trainer import GrammarTrainer
from engine.learning.trainers.protocol import Trainer
from engine.policies.own_module import OPEN_TRAINER, own_module

TRAINING_LOG = "train.log"


def open_trainer(settings: Settings, logs: Path) -> Trainer | None:
    """Return the trainer of a run's kind of policy; what it prints goes to the folder `logs`.

    None for the kind `openai`, whose weights are not ours to tune, and for a module without one of
    its own. Raises ConfigError without what training needs, and PolicyError when the model to
    train from is not there.
    """
    kind = settings.policy.kind
    if kind == "grammar":
        return GrammarTrainer(
            logs / TRAINING_LOG, seed=settings.seed, workers=settings.policy.workers
        )
    if kind in ("local", "sglang"):
        # Kept out of a run of the embedded policy, which needs neither HTTP nor chats.
        from engine.learning.trainers.subprocess_trainer import SubprocessTrainer, check_interpreter
        from engine.policies.llm import models

        base = base_model(settings)
        if base is None and kind == "local":
            base = str(models.find(models.SMOLLM2))
        if base is None and settings.policy.checkpoint is None:
            raise ConfigError(
                "train.model: no base model is named to learn with, nor in serve.model; "
                "a run of one iteration needs none"
            )
        check_interpreter(settings.train)
        return SubprocessTrainer(settings.train, base, logs / TRAINING_LOG, seed=settings.seed)
    if kind == "module":
        opened = getattr(own_module(settings.policy), OPEN_TRAINER, None)
        return None if opened is None else cast(Trainer, opened(settings, logs))
    return None


def base_model(settings: Settings) -> str | None:
    """Return the model that settings name to be tuned, a file's `~` written out as for its server."""
    base = settings.train.model or settings.serve.model
    return None if base is None else str(Path(base).expanduser())
