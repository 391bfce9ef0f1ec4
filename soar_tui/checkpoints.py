"""The checkpoints there are, and the one that new runs of the embedded policy start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from engine.control import catalogue, find_run, known_runs, shipped_checkpoint

PREFERENCE = "checkpoints in use"
SHIPPED = "shipped"
EMBEDDED = "grammar"
"""The kind of the embedded policy, the only one whose new runs start from a chosen checkpoint."""


class CheckpointChoiceError(ValueError):
    """A checkpoint that is not there or not to be chosen, or none to go back to."""


@dataclass(frozen=True, slots=True)
class KnownCheckpoint:
    """A checkpoint: `name` is what commands call it; figures are None where nobody noted them."""

    name: str
    path: Path
    policy: str
    examples: int | None
    seconds: float | None
    created: float | None
    in_use: bool


def known_checkpoints() -> list[KnownCheckpoint]:
    """Return the shipped checkpoint and those of all known runs, oldest first."""
    used = checkpoint_in_use()
    found: list[KnownCheckpoint] = []
    shipped = shipped_checkpoint()
    if shipped is not None:
        found.append(
            KnownCheckpoint(SHIPPED, shipped, "grammar", None, None, None, used == SHIPPED)
        )
    learned: list[KnownCheckpoint] = []
    for folder in known_runs():
        try:
            with RunReader(folder) as reader:
                rows = reader.checkpoints()
        except (ArchiveError, OSError):
            continue  # `runs` says which runs cannot be read, and why
        for row in rows:
            path = folder / row.path
            learned.append(
                KnownCheckpoint(
                    f"{folder.name}:{row.iteration + 1}",
                    path,
                    row.policy,
                    row.examples,
                    row.seconds,
                    row.created,
                    used == str(path.resolve()),
                )
            )
    return found + sorted(learned, key=lambda entry: entry.created or 0.0)


def find_checkpoint(name: str) -> str:
    """Return `shipped` or the absolute path that a name means, as settings hold it.

    A run's name (or `last`) means its newest checkpoint, RUN:ITERATION that iteration's, counted
    from 1; anything else is a path. Raises CheckpointChoiceError, RunFolderError.
    """
    return _find(name)[0]


def _find(name: str) -> tuple[str, bool]:
    """Return what find_checkpoint does, and whether the embedded policy can start from it."""
    if name == SHIPPED:
        if shipped_checkpoint() is None:
            raise CheckpointChoiceError("this installation came without a checkpoint")
        return SHIPPED, True
    if Path(name).is_file():
        return str(Path(name).resolve()), True
    if Path(name).joinpath("checkpoint.json").is_file():
        return str(Path(name).resolve()), False  # a folder is what a language model learned
    run, colon, iteration = name.rpartition(":")
    folder = find_run(run if colon else name)
    with RunReader(folder) as reader:
        rows = {row.iteration + 1: row for row in reader.checkpoints()}
    if not rows:
        raise CheckpointChoiceError(f"{folder.name}: nothing has been learned there yet")
    wanted = iteration if colon else str(max(rows))
    if not wanted.isdecimal() or int(wanted) not in rows:
        raise CheckpointChoiceError(
            f"{folder.name}: no checkpoint of iteration {wanted!r}, only of "
            f"{', '.join(map(str, sorted(rows)))}"
        )
    found = rows[int(wanted)]
    return str((folder / found.path).resolve()), found.policy == EMBEDDED


def checkpoint_in_use() -> str | None:
    """Return what new runs of the embedded policy start from: `shipped`, a path, or None."""
    history = _history()
    if history:
        return history[-1]
    return SHIPPED if shipped_checkpoint() is not None else None


def use_checkpoint(name: str) -> None:
    """Let new runs of the embedded policy start from a checkpoint (see find_checkpoint).

    Raises CheckpointChoiceError for one of a language model, too: they would refuse to start.
    """
    path, embedded = _find(name)
    if not embedded:
        raise CheckpointChoiceError(
            f"{name}: of a language model, and only the embedded policy starts from a chosen "
            f"checkpoint; `soar-tui run --checkpoint {name}` starts a run of a language model "
            "from this one"
        )
    _remember([*_history(), path])


def go_back() -> None:
    """Let new runs start from what was in use before. Raises CheckpointChoiceError."""
    history = _history()
    if not history:
        raise CheckpointChoiceError(
            "no checkpoint was chosen before; there is nothing to go back to"
        )
    _remember(history[:-1])


def _history() -> list[str]:
    value = catalogue().preferences().get(PREFERENCE, [])
    return [str(entry) for entry in value] if isinstance(value, list) else []


def _remember(history: list[str]) -> None:
    catalogue().set_preference(PREFERENCE, history)
