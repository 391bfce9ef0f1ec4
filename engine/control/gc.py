"""What of a run folder its user may do without: how much it takes, and dropping it.

Never on a live engine: dropping holds its lock.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from engine.archive.pruning import compact, drop_replies, layout_twins, merge_twins, replies
from engine.archive.reader import RunReader
from engine.control.lock import (
    LATER,
    EngineLock,
    EngineRunningError,
    engine_alive,
    engine_process,
    tended,
)

Kind: TypeAlias = Literal["replies", "sources", "checkpoints", "datasets", "damaged"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_SKILLS = [".skills", ".zst"]

OnProgress = Callable[[str, int], None]
"""Hears what is being looked at and how many of it have been."""


@dataclass(frozen=True, slots=True)
class Litter:
    """What can go of one kind: how many, their bytes on disk, and the files, where it is files."""

    kind: Kind
    count: int
    size: int
    files: tuple[Path, ...] = ()
    twins: dict[int, int] = field(default_factory=dict, repr=False)


def survey(
    folder: Path, kinds: Collection[Kind], keep: Collection[Path], on_progress: OnProgress
) -> list[Litter]:
    """Return what can go of each kind asked for, without changing anything.

    replies: a language model's whole answers · sources: programs that differ from a shorter one in
    comments and layout only, and stand in no reply that stays · checkpoints: all but the last learned and those in `keep`, not the skills beside them · datasets:
    what was trained on, which learning writes anew · damaged: files that a repair put aside.
    Raises ArchiveError, and EngineRunningError while an engine, or another like this, is on the
    folder.
    """
    if engine_alive(folder):
        raise EngineRunningError(
            f"{folder}: an engine is on it (process {engine_process(folder) or '?'}); "
            "stop it first: soar-tui stop RUN --wait"
        )
    doing = tended(folder)
    if doing is not None:
        raise EngineRunningError(f"{folder}: {doing}; {LATER}")
    found = []
    for kind in KINDS:
        if kind not in kinds:
            continue
        on_progress(kind, 0)
        if kind == "replies":
            found.append(Litter(kind, *replies(folder)))
        elif kind == "sources":
            twins, size = layout_twins(
                folder,
                lambda rows: on_progress("sources", rows),
                with_replies="replies" in kinds,
            )
            found.append(Litter(kind, len(twins), size, twins=twins))
        else:
            files = tuple(_files(folder, kind, keep))
            found.append(Litter(kind, len(files), sum(map(_size, files)), files))
    return found


def sweep(folder: Path, litter: Collection[Litter]) -> int:
    """Drop what a survey found and return how many bytes the folder has become smaller.

    Raises ArchiveError, OSError, and EngineRunningError while an engine is on the folder.
    """
    with EngineLock(folder, passing="tidied"):
        before = _size(folder)
        rewritten = False
        for one in litter:
            if not one.count:
                continue
            if one.kind == "replies":
                drop_replies(folder)
                rewritten = True
            elif one.kind == "sources":
                merge_twins(folder, one.twins)
                rewritten = True
            for path in one.files:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if rewritten:
            compact(folder)
        return before - _size(folder)


def _files(folder: Path, kind: Kind, keep: Collection[Path]) -> list[Path]:
    if kind == "datasets":
        return sorted((folder / "datasets").glob("*"))
    if kind == "damaged":
        return sorted(folder.glob("damaged-*"))
    with RunReader(folder) as reader:
        recorded = reader.checkpoints()
    kept = {path.resolve() for path in keep}
    if recorded:
        kept.add((folder / recorded[-1].path).resolve())
    there = sorted((folder / "checkpoints").glob("*"))
    # Skills are small, and all that a policy has which cannot be tuned.
    return [path for path in there if path.resolve() not in kept and path.suffixes[-2:] != _SKILLS]


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.lstat().st_size
    return sum(inner.lstat().st_size for inner in path.rglob("*") if inner.is_file())
