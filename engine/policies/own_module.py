"""A policy from outside: the module that `policy.module` names, and what it must hold."""

from __future__ import annotations

import importlib
from types import ModuleType

from engine.config import ConfigError, PolicyConfig

OPEN_POLICY, OPEN_TRAINER = "open_policy", "open_trainer"


def own_module(config: PolicyConfig) -> ModuleType:
    """Import the module of a policy of the kind `module` (docs/extending.md).

    It defines `open_policy(settings, logs)`, an asynchronous context manager that yields a Policy,
    and, where its policy can be tuned, `open_trainer(settings, logs)`, which returns a Trainer.
    Raises ConfigError when there is no such module, or it does not define what it must.
    """
    name = config.module
    if name is None:
        raise ConfigError("policy.module: the kind module needs the name of a Python module")
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"policy.module: {name}: {error}; install it beside soar-tui, or name its folder in"
            " PYTHONPATH"
        ) from error
    if not callable(getattr(module, OPEN_POLICY, None)):
        raise ConfigError(f"policy.module: {name} defines no {OPEN_POLICY}(settings, logs)")
    return module
