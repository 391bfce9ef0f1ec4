"""The policy whose programs a language model writes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Protocol

from engine.arc import Task
from engine.config import DecodingConfig
from engine.policies.llm.client import Completion
from engine.policies.llm.errors import ContextError, ModelError
from engine.policies.llm.pool import EndpointPool
from engine.policies.llm.prompts import ChooseShot, Messages, refine_messages, sample_messages
from engine.policies.protocol import PolicyStatus, Proposal
from engine.programs.candidate import Candidate
from engine.programs.source import extract

ROUNDS = 3
"""How often completions that did not come are asked for again, in all."""

log = logging.getLogger(__name__)


class ModelServer(Protocol):
    """What makes a checkpoint's weights answer: a server of our own, or servers told to reload."""

    async def load(self, checkpoint: Path | None) -> None:
        """Serve a checkpoint, None the base model, or begin to. Raises ModelError."""
        ...

    async def ready(self) -> None:
        """Wait until it serves. Raises ModelError when it will not."""
        ...

    async def rest(self) -> None:
        """Give back memory and processors until the next `load`, where they are ours to give."""
        ...

    async def close(self) -> None:
        """End it. Safe to call twice."""
        ...

    @property
    def up(self) -> bool:
        """Whether it serves now."""
        ...


class LanguageModelPolicy:
    """A `Policy` that asks a language model, over however many servers.

    Needs no seed to be different each time, and promises no reproducibility. `server` is what it
    can load checkpoints into; without one, only the untrained model can be used.
    """

    def __init__(
        self,
        name: str,
        pool: EndpointPool,
        decoding: DecodingConfig,
        *,
        server: ModelServer | None = None,
        choose_shot: ChooseShot | None = None,
    ) -> None:
        self._name = name
        self._pool = pool
        self._decoding = decoding
        self._server = server
        self._choose_shot = choose_shot
        self._checkpoint = "untrained"
        self._in_flight = 0
        self._fitting: set[str] = set()
        self._refused: set[str] = set()
        self._told: set[str] = set()

    async def sample(self, task: Task, n: int, seed: int) -> list[Proposal]:
        """Propose `n` programs. A task that does not fit the context is refused, see `refused`."""
        if task.id in self._refused:
            return _refusals(n)
        tokens = self._decoding.sample_tokens
        shot = None if self._choose_shot is None else self._choose_shot(task, "sample", seed)
        messages = sample_messages(task, shot)
        if shot is not None and await self._excess(task, messages, tokens):
            # An example that does not fit is no reason to refuse the task.
            shot = None
            messages = sample_messages(task)
        if shot is None and task.id not in self._fitting:
            excess = await self._excess(task, messages, tokens)
            if excess:
                self._refused.add(task.id)
                log.warning("task %s is refused: %s", task.id, excess)
                return _refusals(n)
            self._fitting.add(task.id)
        return await self._propose(task, messages, n, tokens)

    async def refine(self, task: Task, parent: Candidate, n: int, seed: int) -> list[Proposal]:
        """Propose `n` repairs; a prompt that does not fit the context is refused."""
        tokens = self._decoding.refine_tokens
        shot = None if self._choose_shot is None else self._choose_shot(task, "refine", seed)
        messages = refine_messages(task, parent, shot)
        excess = await self._excess(task, messages, tokens)
        if excess and shot is not None:
            messages = refine_messages(task, parent)
            excess = await self._excess(task, messages, tokens)
        if excess:
            if task.id not in self._told:
                self._told.add(task.id)
                log.warning("a repair of task %s is refused: %s", task.id, excess)
            return _refusals(n)
        return await self._propose(task, messages, n, tokens)

    async def load(self, checkpoint: Path | None) -> None:
        """Serve a checkpoint. Raises ModelError when there is no server that can."""
        if self._server is not None:
            await self._server.load(checkpoint)
        elif checkpoint is not None:
            raise ModelError(f"{self._name}: this model cannot load {checkpoint}")
        self._checkpoint = "untrained" if checkpoint is None else checkpoint.name

    async def rest(self) -> None:
        """Give the device to a training: a server of ours ends until the next `load`.

        A model and its training seldom fit into one GPU together. Nothing may be in flight.
        """
        if self._server is not None:
            await self._server.rest()

    async def close(self) -> None:
        await self._pool.close()
        if self._server is not None:
            await self._server.close()

    @property
    def status(self) -> PolicyStatus:
        up = self._pool.healthy > 0 and (self._server is None or self._server.up)
        return PolicyStatus(
            self._name,
            self._checkpoint,
            self._in_flight,
            up,
            self._pool.capacity,
            self._pool.servers,
        )

    @property
    def refused(self) -> frozenset[str]:
        """Ids of the tasks whose prompts do not fit the context."""
        return frozenset(self._refused)

    async def _excess(self, task: Task, messages: Messages, new_tokens: int) -> str:
        """Return why a prompt does not fit the context, or an empty text when it does."""
        context = self._decoding.context
        found = await self._pool.fits(task.id, messages, context - new_tokens)
        if found is None:
            return ""
        return (
            f"its prompt of {found} tokens with {new_tokens} for the answer does not fit a context "
            f"of {context}"
        )

    async def _propose(
        self, task: Task, messages: Messages, n: int, max_tokens: int
    ) -> list[Proposal]:
        self._in_flight += n
        try:
            completions: list[Completion] = []
            for _ in range(ROUNDS):
                if len(completions) == n:
                    break
                missing = n - len(completions)
                completions += await self._round(task, messages, missing, max_tokens)
        except ContextError as error:
            log.warning("task %s: the server refuses its prompt: %s", task.id, error)
            return _refusals(n)
        finally:
            self._in_flight -= n
        proposals = [_proposal(completion) for completion in completions]
        lost = n - len(proposals)
        if lost:
            log.warning("task %s: %d of %d completions did not come", task.id, lost, n)
        return proposals + [Proposal(None, finish="abort")] * lost

    async def _round(
        self, task: Task, messages: Messages, n: int, max_tokens: int
    ) -> list[Completion]:
        """Ask for `n` completions in requests of about equal size; fewer may come."""
        await self._pool.ready()
        requests = -(-n // self._pool.own(task.id).most)
        sizes = [n // requests + (index < n % requests) for index in range(requests)]
        try:
            async with asyncio.TaskGroup() as group:
                asked = [
                    group.create_task(self._pool.complete(task.id, messages, size, max_tokens))
                    for size in sizes
                ]
        except ExceptionGroup as errors:
            # The first says it; the others were asked the same and are cancelled.
            raise _first(errors) from None
        return [completion for reply in asked for completion in reply.result().completions]


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _proposal(completion: Completion) -> Proposal:
    return Proposal(
        extract(completion.text),
        reply=completion.text,
        finish=completion.finish,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        tokens_cached=completion.tokens_cached,
        cost=completion.cost,
        weights=completion.weights,
    )


def _refusals(n: int) -> list[Proposal]:
    return [Proposal(None, finish="refused")] * n
