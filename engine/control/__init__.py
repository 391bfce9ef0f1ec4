"""Starting, watching and steering an engine from outside its process.

This is what the command line and the app may call: make or find a run folder, launch its engine,
read its state, send it a command. The engine's own side is in `engine.control.process`.
"""

from engine.archive.commands import reply, send
from engine.archive.schema import ArchiveError, MissingFileError
from engine.control.checkpoints import shipped_checkpoint
from engine.control.folder import (
    LOG_NAME,
    SETTINGS_NAME,
    RunFolderError,
    catalogue,
    create_run,
    find_run,
    known_runs,
    may_be_run,
    reserve_run,
    run_folders,
    soar_home,
)
from engine.control.launch import LaunchError, UnusableError, changed_settings, launch, log_tail
from engine.control.lock import engine_alive, engine_process
from engine.control.preview import (
    DryExample,
    DryRun,
    DryRunError,
    DryRunProcess,
    TaskShare,
)
from engine.control.prompt import Prompt, PromptMessage, prompt_of
from engine.control.state import RunState, State, run_state
from engine.control.tasks import run_tasks

__all__ = [
    "LOG_NAME",
    "SETTINGS_NAME",
    "ArchiveError",
    "DryExample",
    "DryRun",
    "DryRunError",
    "DryRunProcess",
    "LaunchError",
    "MissingFileError",
    "Prompt",
    "PromptMessage",
    "RunFolderError",
    "RunState",
    "State",
    "TaskShare",
    "UnusableError",
    "catalogue",
    "changed_settings",
    "create_run",
    "engine_alive",
    "engine_process",
    "find_run",
    "known_runs",
    "launch",
    "log_tail",
    "may_be_run",
    "prompt_of",
    "reply",
    "reserve_run",
    "run_folders",
    "run_state",
    "run_tasks",
    "send",
    "shipped_checkpoint",
    "soar_home",
]
