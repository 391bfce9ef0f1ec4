"""The client of one OpenAI-compatible server: ask, count, try again, and say what came of it.

It knows nothing of tasks. Every wait has a limit; what is worth trying again is a connection, a
timeout, HTTP 429 and 5xx, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Literal, Self

import httpx
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_base, wait_random_exponential

from engine.config import DecodingConfig, EndpointConfig, PriceConfig
from engine.policies.llm import dialect
from engine.policies.llm.connections import Connections
from engine.policies.llm.errors import (
    BusyError,
    ContextError,
    EndpointError,
    RefusedError,
    ReplyError,
    UnreachableError,
)
from engine.policies.llm.keys import read_key
from engine.policies.llm.loopback import on_loopback
from engine.policies.llm.prompts import Messages
from engine.policies.llm.room import Room

ATTEMPTS = 5
LONGEST_WAIT = 30.0
"""Seconds between two attempts at most, whatever the server asks for."""

CONNECT_SECONDS = 10.0
COUNT_SECONDS = 60.0

_TEMPLATE_TOKENS = 256
"""What a chat template may add to a prompt; the usual ones add fewer than 60."""

_JSON = {"Content-Type": "application/json"}
_DETAIL_LIMIT = 300
_ECHO = 16
"""So many characters of an error text that are also in the prompt count as an echo of it."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion: its text, how it ended, and its share of the request's tokens and cost."""

    text: str
    finish: Literal["stop", "length"]
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    cost: float
    weights: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request gave: whole completions, and how many the server aborted or left out."""

    completions: tuple[Completion, ...]
    missing: int


class ChatClient:
    """One server's connections, asked for at most as much at once as it has room for.

    `first_wait` is the longest wait before the second attempt, in seconds; it doubles with each
    further one.
    """

    def __init__(
        self, endpoint: EndpointConfig, decoding: DecodingConfig, *, first_wait: float = 1.0
    ) -> None:
        self.endpoint = endpoint
        self._decoding = decoding
        self._key = read_key(endpoint)
        self._first_wait = first_wait
        self._root = endpoint.url.rstrip("/").removesuffix("/v1")
        self._one_each = endpoint.server in dialect.ONE_EACH
        self._room = Room(endpoint.capacity)
        self._requests = Room(endpoint.requests or endpoint.capacity)
        # At its default level httpx logs a line for each request.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._connections = Connections(self._connection)

    @property
    def most(self) -> int:
        """Completions to ask for in one request."""
        return 1 if self._one_each else min(self._decoding.n, self.endpoint.capacity)

    async def complete(
        self,
        messages: Messages,
        n: int,
        max_tokens: int,
        *,
        attempts: int = ATTEMPTS,
        turn: int = 0,
    ) -> Reply:
        """Ask for `n` completions of one prompt, at most so many times.

        While the server has no room, the request of the lowest `turn` goes first. A completion that
        the server aborted is not one; it is counted as missing. Raises EndpointError once trying
        again is of no use, and ContextError when the server says that the prompt does not fit.
        """
        body = dialect.chat_request(self.endpoint, self._decoding, messages, n, max_tokens)
        url = self.endpoint.url.rstrip("/") + "/chat/completions"
        seconds = self._decoding.request_seconds
        content = await self._insist(url, body, messages, seconds, n, attempts=attempts, turn=turn)
        answer = self._answer(content, messages)
        texts = [choice.text for choice in answer.whole(n)]
        if self.endpoint.server in dialect.COUNTS_FIRST_ONLY:
            tokens_out = [await self._count_text(text) for text in texts]
        else:
            total = (answer.usage.completion_tokens or 0) if answer.usage else 0
            tokens_out = _shares(total, [1 + len(text) for text in texts])
        reply = _reply(answer, n, tokens_out, self.endpoint.price)
        if len(answer.choices) == 1 < n:
            self._one_each = True
        return reply

    def must_count(self, messages: Messages, tokens: int) -> bool:
        """Whether the server has to be asked if the prompt has at most `tokens` tokens.

        No token is shorter than a byte, so a short prompt needs no asking.
        """
        return _most_tokens(messages) > tokens and dialect.counting_requests(self.endpoint)

    async def fits(
        self, messages: Messages, tokens: int, *, attempts: int = ATTEMPTS
    ) -> int | None:
        """Return None when the prompt has at most `tokens` tokens, else how many it has.

        The server's own tokenizer is asked where it must be (see must_count), at most so many times.
        Where it has none the bytes themselves count. Raises EndpointError once trying again is of
        no use.
        """
        most = _most_tokens(messages)
        if self.must_count(messages, tokens):
            most = await self._count(messages, attempts)
        return most if most > tokens else None

    async def _count(self, messages: Messages, attempts: int) -> int:
        path, body = dialect.chat_count_request(self.endpoint, messages)
        url = self._root + path
        content = await self._insist(url, body, messages, COUNT_SECONDS, attempts=attempts)
        try:
            if path == dialect.RENDER:
                return await self._count_text(dialect.rendered(content), attempts)
            return dialect.token_count(content)
        except msgspec.DecodeError as error:
            raise ReplyError(f"{url}: not the answer of a tokenizer") from error

    async def _count_text(self, text: str, attempts: int = ATTEMPTS) -> int:
        url = f"{self._root}/tokenize"
        shown: Messages = [{"role": "user", "content": text}]
        body = dialect.text_count_request(text)
        content = await self._insist(url, body, shown, COUNT_SECONDS, attempts=attempts)
        try:
            return dialect.token_count(content)
        except msgspec.DecodeError as error:
            raise ReplyError(f"{url}: not the answer of a tokenizer") from error

    async def _insist(
        self,
        url: str,
        body: dict[str, object],
        messages: Messages,
        seconds: float,
        completions: int = 1,
        *,
        attempts: int = ATTEMPTS,
        turn: int = 0,
    ) -> bytes:
        insisting = AsyncRetrying(
            retry=retry_if_exception_type((UnreachableError, BusyError)),
            stop=stop_after_attempt(attempts),
            wait=_Wait(wait_random_exponential(self._first_wait, LONGEST_WAIT)),
            reraise=True,
        )
        return await insisting(
            self._post, url, body, messages, seconds, completions=completions, turn=turn
        )

    async def _post(
        self,
        url: str,
        body: dict[str, object],
        messages: Messages,
        seconds: float,
        *,
        completions: int,
        turn: int,
    ) -> bytes:
        async with self._requests.take(1, turn), self._room.take(completions, turn):
            try:
                # httpx limits each read; only this limits a server that sends byte after byte.
                async with asyncio.timeout(seconds), self._connections.one() as http:
                    response = await http.post(
                        url, content=msgspec.json.encode(body), headers=_JSON
                    )
            except TimeoutError as error:
                raise UnreachableError(f"{url}: no answer within {seconds:g} s") from error
            except httpx.DecodingError as error:
                raise ReplyError(f"{url}: a body that cannot be decoded") from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                # The text of httpx's errors names hosts and causes, never headers or bodies.
                text = f"{url}: {type(error).__name__}: {error}".rstrip(": ")
                raise (UnreachableError if _may_pass(error) else EndpointError)(text) from error
        if response.is_success:
            return response.content
        raise self._failure(url, response, messages)

    def _failure(self, url: str, response: httpx.Response, messages: Messages) -> Exception:
        status = response.status_code
        said = dialect.error_text(response.content)
        text = f"{url}: HTTP {status}: {self._showable(said, messages)}"
        if status == 429 or status >= 500:
            return BusyError(text, _retry_after(response))
        if status in {400, 413, 422} and dialect.speaks_of_context(said):
            return ContextError(text)
        return RefusedError(text, status)

    def _showable(self, text: str, messages: Messages) -> str:
        """Return an error text without key, and withheld if it repeats the prompt."""
        if self._key is not None:
            text = self._key.hide(text)
        text = text[:_DETAIL_LIMIT]
        prompt = " ".join(word for message in messages for word in message["content"].split())
        if any(text[at : at + _ECHO] in prompt for at in range(len(text) - _ECHO + 1)):
            return "(its message repeats the prompt and is not shown)"
        return text or "(no message)"

    def _answer(self, content: bytes, messages: Messages) -> dialect.ChatBody:
        try:
            return msgspec.json.decode(content, type=dialect.ChatBody)
        except msgspec.DecodeError as error:
            said = self._showable(dialect.error_text(content), messages)
            raise ReplyError(
                f"{self.endpoint.url}: not a chat completion ({error}): {said}"
            ) from error

    def _connection(self) -> httpx.AsyncClient:
        """Return a client for one connection."""
        return httpx.AsyncClient(
            auth=self._authorize,
            timeout=httpx.Timeout(self._decoding.request_seconds, connect=CONNECT_SECONDS),
            verify=_trusted(),
            limits=httpx.Limits(max_connections=1),
            trust_env=not on_loopback(self.endpoint.url),
        )

    def _authorize(self, request: httpx.Request) -> httpx.Request:
        if self._key is not None:
            request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return request

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        await self._connections.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _most_tokens(messages: Messages) -> int:
    return sum(len(message["content"].encode()) for message in messages) + _TEMPLATE_TOKENS


def _may_pass(error: Exception) -> bool:
    """Whether a request that got no answer may get one when it is made again.

    A proxy that cannot reach the server says so with a status; one that wants a password (407)
    will go on wanting it.
    """
    if isinstance(error, httpx.ProxyError):
        return not str(error).startswith("407")
    retried = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)
    return isinstance(error, retried)


@cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates all clients trust; reading them takes a while."""
    return httpx.create_ssl_context()


class _Wait(wait_base):
    """Waits as long as the server asks (within LONGEST_WAIT), else randomly and longer each time."""

    def __init__(self, otherwise: wait_base) -> None:
        self._otherwise = otherwise

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, BusyError) and error.after is not None:
            return min(error.after, LONGEST_WAIT)
        return self._otherwise(retry_state)


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):  # absent, or a date
        return None


def _reply(
    answer: dialect.ChatBody, n: int, tokens_out: list[int], price: PriceConfig | None
) -> Reply:
    tokens_in = (answer.usage.prompt_tokens or 0) if answer.usage else 0
    details = answer.usage.prompt_tokens_details if answer.usage else None
    cached = min((details.cached_tokens or 0) if details else 0, tokens_in)
    whole = answer.whole(n)
    completions = tuple(
        Completion(
            choice.text,
            "length" if choice.finish_reason == "length" else "stop",
            tokens_in=share_in,
            tokens_out=share_out,
            tokens_cached=share_cached,
            cost=_cost(price, share_in, share_cached, share_out),
            weights=answer.weights,
        )
        for choice, share_in, share_out, share_cached in zip(
            whole,
            _shares(tokens_in, [1] * len(whole)),
            tokens_out,
            _shares(cached, [1] * len(whole)),
            strict=True,
        )
    )
    return Reply(completions, n - len(completions))


def _shares(total: int, weights: list[int]) -> list[int]:
    """Divide a total in proportion to weights into ints that add up to it."""
    whole, before, shares = sum(weights), 0, []
    for weight in weights:
        after = before + weight
        shares.append(total * after // whole - total * before // whole)
        before = after
    return shares


def _cost(price: PriceConfig | None, tokens_in: int, cached: int, tokens_out: int) -> float:
    if price is None:
        return 0.0
    fresh = (tokens_in - cached) * price.input
    known = cached * (price.input if price.cached is None else price.cached)
    return (fresh + known + tokens_out * price.output) / 1e6
