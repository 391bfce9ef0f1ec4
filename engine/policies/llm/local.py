"""A model on this machine's CPU: a GGUF file served by xllamacpp in a process of ours."""

from __future__ import annotations

import os
from pathlib import Path

from engine.config import DecodingConfig, EndpointConfig, ServeConfig
from engine.policies.llm import local_server, models
from engine.policies.llm.environment import missing_packages
from engine.policies.llm.errors import ModelError, ReloadError
from engine.policies.llm.process import Probes, ServerProcess, free_port

GGUF = "model.gguf"
"""The file of a checkpoint that this server loads; see engine.learning.trainers."""
_PROMPTS = 2
"""Prompts the server works on at once. Each may be as long as the context, which is reserved."""


class LocalServer:
    """A supervised xllamacpp server on a free port of the loopback; see ServerProcess.

    Without `serve.model` it serves SmolLM2-135M, which must have been fetched. Raises ModelError
    when there is no such file.
    """

    def __init__(
        self, serve: ServeConfig, decoding: DecodingConfig, log_file: Path, *, python: str
    ) -> None:
        try:
            lacking = missing_packages(python, ["xllamacpp"])
        except OSError as error:
            raise ModelError(f"serve.python: {error}") from error
        if lacking:
            raise ModelError(
                f"serve.python: {python} has no xllamacpp; `soar-tui setup local` builds an "
                "environment that has"
            )
        self._serve = serve
        self._decoding = decoding
        self._python = python
        self._base = models.find(models.SMOLLM2) if serve.model is None else _file(serve.model)
        self._served = self._base
        self._port = free_port()
        root = f"http://127.0.0.1:{self._port}"
        self.endpoint = EndpointConfig(
            url=f"{root}/v1", server="llama.cpp", capacity=serve.slots, requests=_PROMPTS
        )
        self._process = ServerProcess(
            root,
            log_file,
            Probes("/health", "/health", serve.start_seconds),
            # OpenMP's threads spin when they wait; beside other work that halves their speed.
            os.environ | {"OMP_WAIT_POLICY": "passive"},
        )

    def _command(self, model: Path) -> list[str]:
        decoding, slots = self._decoding, self._serve.slots
        # Completions of one prompt share its cells; each has its own answer beside.
        answer = max(decoding.sample_tokens, decoding.refine_tokens)
        prompts = min(slots, _PROMPTS)
        cells = prompts * decoding.context + (slots - prompts) * answer
        command = [self._python, local_server.__file__, "--model", str(model)]
        command += ["--port", str(self._port), "--slots", str(slots), "--cells", str(cells)]
        return [*command, "--threads", str(self._serve.threads)]

    @property
    def up(self) -> bool:
        return self._process.up

    async def ready(self) -> None:
        await self._process.ready()

    async def load(self, checkpoint: Path | None) -> None:
        """Serve a checkpoint's GGUF file, None the base model's, by starting anew.

        Where it is not running yet, or was told to rest, it begins to; `ready` waits for it.
        Raises ReloadError when the checkpoint has none, StartError when it cannot be served.
        """
        model = self._base if checkpoint is None else checkpoint / GGUF
        if not model.is_file():
            raise ReloadError(f"{model}: not there; a local model is served from a GGUF file")
        if not self._process.kept:
            self._process.start(self._command(model))
        elif model != self._served:
            await self._process.restart(self._command(model))
        self._served = model

    async def rest(self) -> None:
        """End it until the next `load`: training wants its cores and memory."""
        await self._process.close()

    async def close(self) -> None:
        await self._process.close()


def _file(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_file():
        raise ReloadError(f"serve.model: {path}: no such GGUF file")
    return path
