"""sglang: the command line of a server of ours, and new weights for any sglang server.

Weights are exchanged in place by `/update_weights_from_disk` and then checked: the version the
server reports must be the one asked for, and it must still write. When that fails, a server of
ours is started anew with the checkpoint; of one that is not ours the failure is reported, and its
old weights serve on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from engine.config import DecodingConfig, EndpointConfig, ServeConfig
from engine.policies.llm import dialect
from engine.policies.llm.environment import missing_packages
from engine.policies.llm.errors import ModelError, ReloadError
from engine.policies.llm.keys import Key, read_key
from engine.policies.llm.loopback import on_loopback
from engine.policies.llm.process import Probes, ServerProcess, free_port

RELOAD_SECONDS = 900.0
CANARY_SECONDS = 300.0

CAPACITY = 1024
"""Completions asked of each replica at once. More than it decodes at once is meant: a request keeps
its places until its longest completion is through, and sglang's guide to throughput wants 100 to
2000 requests in the queue."""

MERGED = "merged"
"""The folder of a checkpoint that holds its whole weights; see engine.learning.trainers."""

_DETAIL_LIMIT = 300

log = logging.getLogger(__name__)


def command_line(
    serve: ServeConfig,
    decoding: DecodingConfig,
    *,
    python: str,
    model: str,
    port: int,
    version: str,
) -> list[str]:
    """Return the command line of an sglang server on the loopback."""
    command = [python, "-m", "sglang.launch_server", "--model-path", model]
    command += ["--host", "127.0.0.1", "--port", str(port), "--weight-version", version]
    command += ["--context-length", str(decoding.context)]
    # Otherwise the model's own generation_config.json would decide how it samples.
    command += ["--sampling-defaults", "openai", "--enable-cache-report"]
    if serve.tp > 1:
        command += ["--tp-size", str(serve.tp)]
    if serve.dp > 1:
        command += ["--dp-size", str(serve.dp)]
    if serve.quantization is not None:
        command += ["--quantization", serve.quantization]
    return [*command, *serve.flags]


def weights_of(checkpoint: Path) -> Path:
    """Return the folder of a checkpoint's whole weights, or the checkpoint if it is one itself.

    An adapter is not served: sglang ignores `use_rslora` and would scale it wrongly. Raises
    ReloadError when there are no whole weights.
    """
    for folder in (checkpoint / MERGED, checkpoint):
        if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
            return folder.resolve()
    raise ReloadError(f"{checkpoint}: no merged weights (config.json and .safetensors) in it")


def check_sglang(python: str) -> None:
    """Check that an interpreter has sglang. Raises ModelError saying how to get one that has."""
    try:
        lacking = missing_packages(python, ["sglang"])
    except OSError as error:
        raise ModelError(f"serve.python: {error}") from error
    if lacking:
        raise ModelError(
            f"serve.python: {python} has no sglang; `soar-tui setup serve` builds an environment "
            "that has"
        )


class SglangServer:
    """A supervised sglang server on a free port of the loopback; see ServerProcess."""

    def __init__(
        self,
        serve: ServeConfig,
        decoding: DecodingConfig,
        log_file: Path,
        *,
        python: str,
        probes: Probes | None = None,
    ) -> None:
        if serve.model is None:
            raise ModelError("serve.model: the kind sglang needs a model: a folder or a hub name")
        self._serve = serve
        self._decoding = decoding
        self._python = python
        self._base = serve.model
        self._version = "base"
        port = free_port()
        self._port = port
        root = f"http://127.0.0.1:{port}"
        capacity = CAPACITY * serve.dp
        self.endpoint = EndpointConfig(url=f"{root}/v1", server="sglang", capacity=capacity)
        self._process = ServerProcess(
            root,
            log_file,
            probes or Probes("/ready", "/health", serve.start_seconds),
        )

    def _command(self, model: str) -> list[str]:
        return command_line(
            self._serve,
            self._decoding,
            python=self._python,
            model=model,
            port=self._port,
            version=self._version,
        )

    @property
    def up(self) -> bool:
        return self._process.up

    async def ready(self) -> None:
        await self._process.ready()

    async def load(self, checkpoint: Path | None) -> None:
        """Serve a checkpoint's merged weights, None the base model's; in place while it is up.

        Where it is not running yet, or was told to rest, it begins to; `ready` waits for it.
        Raises ReloadError for a checkpoint without weights, StartError when the restart fails.
        """
        model = self._base if checkpoint is None else str(weights_of(checkpoint))
        version = "base" if checkpoint is None else checkpoint.name
        if version == self._version and self._process.kept:
            return
        self._version = version
        command = self._command(model)
        if not self._process.kept:
            self._process.start(command)
            return
        if self._process.up:
            try:
                await reload_weights(self.endpoint, model, version)
            except ReloadError as error:
                log.warning("%s; the server is started anew with them", error)
            else:
                # Should it end by itself later, it must come back with these weights.
                self._process.comes_back_as(command)
                return
        await self._process.restart(command)

    async def rest(self) -> None:
        """End it until the next `load`: nothing less frees a GPU's memory for sure."""
        await self._process.close()

    async def close(self) -> None:
        await self._process.close()


class SglangElsewhere:
    """sglang servers that are not ours: told to reload one after the other."""

    def __init__(self, endpoints: Sequence[EndpointConfig], base: str | None) -> None:
        self._endpoints = tuple(endpoints)
        self._base = base

    @property
    def up(self) -> bool:
        return True

    async def ready(self) -> None:
        """Nothing to wait for: the pool finds out who answers."""

    async def load(self, checkpoint: Path | None) -> None:
        """Serve a checkpoint, which must lie at the same path on the servers' machines.

        The base model is reloaded only where `serve.model` names it. Raises ReloadError.
        """
        if checkpoint is None and self._base is None:
            return
        model = str(weights_of(checkpoint)) if checkpoint is not None else str(self._base)
        version = "base" if checkpoint is None else checkpoint.name
        for endpoint in self._endpoints:
            await reload_weights(endpoint, model, version)

    async def rest(self) -> None:
        """Nothing of ours is running."""

    async def close(self) -> None:
        """Nothing of ours is running."""


class _Info(msgspec.Struct):
    weight_version: str | None = None


async def reload_weights(endpoint: EndpointConfig, model: str, version: str) -> None:
    """Have an sglang server load weights in place, and check that it did and still writes.

    Raises ReloadError; after a bad path the old weights serve on.
    """
    root = endpoint.url.rstrip("/").removesuffix("/v1")
    key = read_key(endpoint)
    headers = {} if key is None else {"Authorization": f"Bearer {key.reveal()}"}
    async with httpx.AsyncClient(
        base_url=root, headers=headers, trust_env=not on_loopback(root)
    ) as http:
        control = _Control(http, key)
        body = {"model_path": model, "weight_version": version}
        await control.call("POST", "/update_weights_from_disk", body, RELOAD_SECONDS)
        content = await control.call("GET", "/model_info", None, CANARY_SECONDS)
        try:
            served = msgspec.json.decode(content, type=_Info).weight_version
        except msgspec.DecodeError as error:
            raise ReloadError(
                f"{root}: does not say what it serves after loading {version!r}"
            ) from error
        if served != version:
            raise ReloadError(f"{root}: serves weights {served!r} after loading {version!r}")
        content = await control.call("POST", "/v1/chat/completions", _CANARY, CANARY_SECONDS)
    try:
        answers = msgspec.json.decode(content, type=dialect.ChatBody).whole(1)
    except msgspec.DecodeError as error:
        raise ReloadError(f"{root}: no chat completion from weights {version!r}") from error
    if not any(answer.text for answer in answers):
        raise ReloadError(f"{root}: writes nothing with weights {version!r}")


_CANARY = {
    "model": "default",
    "messages": [{"role": "user", "content": "Write a line of Python."}],
    "max_tokens": 16,
    "temperature": 0.0,
}


@dataclass(frozen=True, slots=True)
class _Control:
    """Calls of one server's control paths, each within a time limit."""

    http: httpx.AsyncClient
    key: Key | None

    async def call(self, method: str, path: str, body: object, seconds: float) -> bytes:
        url = f"{self.http.base_url}{path}"
        try:
            async with asyncio.timeout(seconds):
                response = await self.http.request(method, path, json=body, timeout=seconds)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ReloadError(f"{url}: {type(error).__name__}: {error}") from error
        if response.is_success:
            return response.content
        said = dialect.error_text(response.content)
        if self.key is not None:
            said = self.key.hide(said)  # before it is cut, or half a key would be left
        raise ReloadError(f"{url}: HTTP {response.status_code}: {said[:_DETAIL_LIMIT]}")
