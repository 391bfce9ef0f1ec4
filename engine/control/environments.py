"""The environments that serve and tune models, for whoever builds them or looks what is there."""

from engine.policies.llm.environment import Interpreter, interpreter, missing_packages
from engine.policies.llm.environments import (
    ENVIRONMENTS,
    OVERRIDES,
    TABLE,
    Environment,
    config_path,
    glibc,
    noted_interpreters,
)
from engine.policies.llm.leash import leashed

__all__ = [
    "ENVIRONMENTS",
    "OVERRIDES",
    "TABLE",
    "Environment",
    "Interpreter",
    "config_path",
    "glibc",
    "interpreter",
    "leashed",
    "missing_packages",
    "noted_interpreters",
]
