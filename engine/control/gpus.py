"""The GPUs of this machine, as nvidia-smi tells them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

SMI_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as nvidia-smi tells it; memory in MiB."""

    name: str
    memory: int
    free: int
    driver: str


class GpuQueryError(RuntimeError):
    """GPUs that cannot be asked for; the message says why."""


def query_gpus() -> list[Gpu]:
    """Return the GPUs nvidia-smi finds. Raises GpuQueryError when there are none."""
    wanted = "name,memory.total,memory.free,driver_version"
    command = ["nvidia-smi", f"--query-gpu={wanted}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=SMI_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise GpuQueryError("none found (there is no nvidia-smi)") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GpuQueryError(f"nvidia-smi gave no answer: {error}") from error
    lines = [line for line in answer.stdout.splitlines() if line.strip()]
    said = (answer.stdout + answer.stderr).strip().splitlines() or ["no GPU listed"]
    if answer.returncode or not lines:
        raise GpuQueryError(f"nvidia-smi found none: {said[0]}")
    try:
        return [_gpu(line) for line in lines]
    except ValueError as error:
        raise GpuQueryError(f"nvidia-smi said {said[0]!r}, which is no GPU") from error


def _gpu(line: str) -> Gpu:
    name, memory, free, driver = (part.strip() for part in line.split(","))
    return Gpu(name, int(memory), int(free), driver)
