"""What the commands print that look after installation and runs: setup, doctor, gc."""

from __future__ import annotations

from typing import Literal

import msgspec

from soar_tui.cli.documents import Document


class PackageDocument(Document, frozen=True):
    """An installed package."""

    name: str
    version: str


class EnvironmentDocument(Document, frozen=True):
    """An environment for language models; `problem` says why it cannot be used."""

    environment: str
    about: str
    python: str | None
    packages: list[PackageDocument]
    problem: str | None


class EnvironmentsDocument(Document, frozen=True):
    """What `setup` prints without a name."""

    environments: list[EnvironmentDocument]


class SetupDocument(Document, frozen=True):
    """What `setup ENVIRONMENT` prints; with --dry-run nothing is built and no config named."""

    environment: str
    python: str
    built: bool
    config: str | None
    commands: list[str]
    packages: list[PackageDocument]


class CheckDocument(Document, frozen=True):
    """One thing doctor looked at; `needed` things that are missing make it fail."""

    name: str
    state: Literal["ok", "missing", "note", "failed"]
    needed: bool
    detail: str
    hint: str | None


class RunCheckDocument(Document, frozen=True):
    """One thing `doctor RUN` looked at in the run's folder; no faults: it is well."""

    name: str
    detail: str
    faults: list[str]
    repairable: bool
    hint: str | None


class DoctorDocument(Document, frozen=True):
    """What `doctor` prints; `gpu` is filled by --gpu only, `run` where a run is named.

    `repaired` is the folder in which --repair put the files as they were.
    """

    ok: bool
    checks: list[CheckDocument]
    gpu: list[CheckDocument]
    run: list[RunCheckDocument] = msgspec.field(default_factory=list)
    repaired: str | None = None


class LitterDocument(Document, frozen=True):
    """How much of one kind a run could do without."""

    kind: str
    count: int
    bytes: int


class GarbageDocument(Document, frozen=True):
    """What `gc` prints; `freed` is how many bytes the run folder has become smaller."""

    dropped: bool
    freed: int
    litter: list[LitterDocument]
