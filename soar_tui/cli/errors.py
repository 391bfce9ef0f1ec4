"""Exit codes, and what becomes of an error: one clear line and a code, never a trace."""

from __future__ import annotations

OK, FAILED, BAD_INPUT, UNFINISHED, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: done · failed · usage or input refused · the run is not finished · Ctrl+C."""


class InputError(ValueError):
    """What the user asked for cannot be done as asked; the message says what is allowed."""


class OutcomeError(RuntimeError):
    """Something was tried and failed; the message says what and how to go on."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


def exit_code(error: BaseException) -> int | None:
    """Return the exit code an error stands for, or None when it is a defect of this program."""
    from engine.arc import TaskFileError
    from engine.archive.catalogue import CatalogueError
    from engine.config import ConfigError
    from engine.control import ArchiveError, DryRunError, LaunchError, RunFolderError, UnusableError
    from engine.exports.output import ExportError
    from engine.intake.rows import IntakeError
    from engine.learning.dataset import DatasetError
    from soar_tui.checkpoints import CheckpointChoiceError

    refused = InputError | CheckpointChoiceError | ConfigError | TaskFileError | RunFolderError
    if isinstance(error, refused | ExportError | IntakeError | UnusableError):
        return BAD_INPUT
    if isinstance(error, OutcomeError):
        return error.code
    damaged = ArchiveError | CatalogueError | DatasetError
    if isinstance(error, damaged | DryRunError | LaunchError | OSError):
        return FAILED
    return None


def message(error: BaseException) -> str:
    """Return an error's text; that of the operating system with the file it is about."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
