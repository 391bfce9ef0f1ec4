"""Embedding programs by a model, as the paper does by CodeRankEmbed (SOAR §7 *dedup*).

The model runs in an interpreter that has sentence-transformers (embedding_job.py), started with the
first programs to embed.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config import ConfigError, EmbeddingConfig, Settings
from engine.learning.embedding import Embed, embed
from engine.learning.trainers.protocol import TrainingError
from engine.policies.llm.environment import missing_packages
from engine.policies.llm.environments import training_python

REPLY_SECONDS = 900.0
"""A model is loaded, and a task's programs are embedded, within as long."""
_LOOK_SECONDS = 0.2
_END_SECONDS = 5.0
_JOB = Path(__file__).with_name("embedding_job.py")
_NEEDED = ("sentence_transformers",)


def check_embedding(settings: Settings) -> None:
    """Check that a model that is named can be run, before a search that is to be learned from.

    Raises ConfigError naming the interpreter and what it lacks.
    """
    if settings.learn.embedding.model is None:
        return
    python = _python(settings)
    try:
        lacking = missing_packages(python, _NEEDED)
    except OSError as error:
        raise ConfigError(f"learn.embedding.python: {error}") from error
    if lacking:
        raise ConfigError(
            f"learn.embedding.python: {python} lacks sentence_transformers, which "
            f"learn.embedding.model needs; `{python} -m pip install sentence-transformers` adds it"
        )


@contextmanager
def opened_embedding(
    settings: Settings, log_file: Path | None = None, cancelled: threading.Event | None = None
) -> Iterator[Embed]:
    """Yield what embeds programs for a run's learning: the built-in sketch, or the model named.

    What the model's libraries print goes to `log_file`, or nowhere. The function raises
    TrainingError when the model fails or says nothing for REPLY_SECONDS, and soon after `cancelled`
    is set; it is for one thread.
    """
    config = settings.learn.embedding
    if config.model is None:
        yield embed
        return
    model = _Model(_python(settings), config, log_file, cancelled or threading.Event())
    try:
        yield model.embed
    finally:
        model.close()


def _python(settings: Settings) -> str:
    return settings.learn.embedding.python or training_python(settings.train)


class _Model:
    """A process that embeds, started by the first call and ended by `close`."""

    def __init__(
        self,
        python: str,
        config: EmbeddingConfig,
        log_file: Path | None,
        cancelled: threading.Event,
    ) -> None:
        assert config.model is not None
        self._command = [python, str(_JOB), config.model, "1" if config.remote_code else "0"]
        self._name = f"learn.embedding.model {config.model!r}"
        self._log_file = log_file
        self._cancelled = cancelled
        self._process: subprocess.Popen[bytes] | None = None

    def embed(self, sources: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors of shape (programs, the model's width), float32."""
        if not sources:
            return np.zeros((0, 0), dtype=np.float32)
        if self._process is None:
            self._process = self._start()
        line = json.dumps(list(sources)).encode() + b"\n"
        try:
            said = json.loads(self._ask(self._process, line))
        except ValueError as error:
            raise TrainingError(f"{self._name}: said no line of ours") from error
        if "failed" in said:
            raise TrainingError(f"{self._name}: {said['failed']}")
        flat = np.frombuffer(base64.b64decode(said["vectors"]), dtype=np.float32)
        return flat.reshape(len(sources), said["width"])

    def close(self) -> None:
        """End the process: with its input it ends by itself, and is killed where it does not."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        if self._cancelled.is_set():
            process.kill()
        process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _start(self) -> subprocess.Popen[bytes]:
        # Its own environment's packages, whatever ours is started with.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        log_file = Path(os.devnull) if self._log_file is None else self._log_file
        log_file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with log_file.open("ab") as log:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=environment,
                    bufsize=0,
                )
        except OSError as error:
            raise TrainingError(f"{self._name}: {self._command[0]}: {error.strerror}") from error
        assert process.stdin is not None and process.stdout is not None
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def _ask(self, process: subprocess.Popen[bytes], line: bytes) -> bytes:
        """Write a line, which may be longer than a pipe holds, and return the line said to it."""
        assert process.stdin is not None and process.stdout is not None
        until = time.monotonic() + REPLY_SECONDS
        reply = bytearray()
        left = memoryview(line)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ)
            while not reply.endswith(b"\n"):
                if self._cancelled.is_set():
                    raise TrainingError(f"{self._name}: embedding was cancelled")
                if time.monotonic() > until:
                    raise TrainingError(
                        f"{self._name}: no answer within {REPLY_SECONDS:g} s{self._see_log()}"
                    )
                for key, events in selector.select(_LOOK_SECONDS):
                    if events & selectors.EVENT_WRITE:
                        left = self._write(process, left)
                        if not left:
                            selector.unregister(key.fileobj)
                    else:
                        said = os.read(process.stdout.fileno(), 1 << 16)
                        if not said:
                            raise self._ended(process)
                        reply += said
        return bytes(reply)

    def _write(self, process: subprocess.Popen[bytes], left: memoryview) -> memoryview:
        assert process.stdin is not None
        try:
            return left[os.write(process.stdin.fileno(), left) :]
        except BrokenPipeError:
            # What it said of its end is still to be read.
            return left[len(left) :]

    def _ended(self, process: subprocess.Popen[bytes]) -> TrainingError:
        code = process.wait(_END_SECONDS)
        return TrainingError(f"{self._name}: ended with exit code {code}{self._see_log()}")

    def _see_log(self) -> str:
        return "" if self._log_file is None else f"; see {self._log_file}"
