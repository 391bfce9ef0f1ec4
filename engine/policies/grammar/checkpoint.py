"""A trained model's weights, and the one file they are kept in.

Everything is stored under the names of primitives, slot values, traits and roles, so a checkpoint
goes on serving when primitives are added or reordered: what it has never seen weighs nothing more
than the untrained model gives it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engine.policies.grammar.language import Primitive, Value
from engine.policies.grammar.traits import ROLES, TRAITS

FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file and says why."""


@dataclass(frozen=True, slots=True)
class Softmax:
    """A log-linear choice among named values: weights float32 of shape (inputs, values)."""

    values: tuple[str, ...]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """A trained model: one softmax per kind of choice.

    `steps` chooses primitives from step_inputs; `slots` holds, by slot_name, the softmax of each
    slot (from traits; of a colour slot: from roles, one column); `edits` are shares of EDITS and
    `going_on` a probability, the same everywhere. `meta` says what it was made of.
    """

    steps: Softmax
    slots: Mapping[str, Softmax]
    edits: Mapping[str, float]
    going_on: float
    meta: Mapping[str, Any]


def slot_name(primitive: Primitive, position: int) -> str:
    """Return the name under which a slot's choice is learned.

    Slots that choose among all features or all colour sources share what they learn.
    """
    kind = primitive.slots[position].kind
    if kind in ("feature", "features"):
        return "features"
    return "sources" if kind == "source" else f"{primitive.name}/{position}"


def value_name(value: Value) -> str:
    """Return the name of a slot's value: a function's own, any other's literal."""
    return str(value.__name__) if callable(value) else repr(value)


def save_weights(weights: Weights, path: Path) -> None:
    """Write a checkpoint, whole or not at all; arrays are stored in 16 bits, compressed."""
    arrays: dict[str, NDArray[Any]] = {"steps": weights.steps.weights.astype(np.float16)}
    for number, softmax in enumerate(weights.slots.values()):
        arrays[f"slot {number}"] = softmax.weights.astype(np.float16)
    head = {
        "format": FORMAT,
        "traits": TRAITS,
        "roles": ROLES,
        "steps": weights.steps.values,
        "slots": [[name, softmax.values] for name, softmax in weights.slots.items()],
        "edits": dict(weights.edits),
        "going_on": weights.going_on,
        "meta": dict(weights.meta),
    }
    unfinished = path.with_name(path.name + ".new")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, head=np.array(json.dumps(head)), **arrays)  # type: ignore[arg-type]  # its stub knows no keyword arrays
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def load_weights(path: Path) -> Weights:
    """Read a checkpoint. Raises CheckpointError: missing, damaged, or made with other traits."""
    try:
        with np.load(path, allow_pickle=False) as file:
            head = json.loads(str(file["head"]))
            if head["format"] != FORMAT:
                raise CheckpointError(
                    f"{path}: format {head['format']}, this version reads {FORMAT}"
                )
            if (tuple(head["traits"]), tuple(head["roles"])) != (TRAITS, ROLES):
                raise CheckpointError(f"{path}: trained on other traits; train it anew")
            steps = Softmax(tuple(head["steps"]), file["steps"].astype(np.float32))
            slots = {
                name: Softmax(tuple(values), file[f"slot {number}"].astype(np.float32))
                for number, (name, values) in enumerate(head["slots"])
            }
            return Weights(steps, slots, head["edits"], head["going_on"], head["meta"])
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path}: not a checkpoint of the grammar policy") from error
