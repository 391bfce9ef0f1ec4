"""How the kinds of OpenAI-compatible servers differ: request fields, token counting, replies."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from engine.config import DecodingConfig, EndpointConfig, Server
from engine.policies.llm.prompts import Messages

_NEUTRAL: dict[Server, dict[str, Any]] = {
    # Left out, these would take the server's or the model's own defaults.
    "sglang": {"top_p": 1.0, "top_k": -1, "repetition_penalty": 1.0},
    "vllm": {"top_p": 1.0, "top_k": -1, "repetition_penalty": 1.0},
    "llama.cpp": {"top_p": 1.0, "top_k": 0, "repeat_penalty": 1.0, "cache_prompt": True},
    "ollama": {"top_p": 1.0},
    "hosted": {},
}

_TAKES_MIN_P: frozenset[Server] = frozenset({"sglang", "vllm", "llama.cpp"})

ONE_EACH: frozenset[Server] = frozenset({"ollama"})
"""Servers that give one completion a request, whatever `n` says."""

COUNTS_FIRST_ONLY: frozenset[Server] = frozenset({"llama.cpp"})
"""Servers whose usage counts the tokens of the first completion alone."""

RENDER = "/apply-template"
"""Where llama.cpp turns messages into the text that its tokenizer then counts."""


def chat_request(
    endpoint: EndpointConfig,
    decoding: DecodingConfig,
    messages: Messages,
    n: int,
    max_tokens: int,
) -> dict[str, Any]:
    """Return the body of a chat completion request.

    No seed is sent: no server promises the same completions for it, and some give all `n`
    completions of a seed the same text.
    """
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": messages,
        "n": n,
        "temperature": decoding.temperature,
        "max_tokens": max_tokens,
        "stream": False,
        **_NEUTRAL[endpoint.server],
    }
    if endpoint.server in _TAKES_MIN_P:
        body["min_p"] = decoding.min_p
    return body | endpoint.extra


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Text
    finish_reason: str | None = None

    @property
    def text(self) -> str:
        """The completion's text; some servers send null for an empty one."""
        return self.message.content or ""


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


_LOST = {None, "abort", "error"}
"""How a choice ends that is no completion: cut off, dropped by the server or, at a router, behind it."""


class ChatBody(msgspec.Struct):
    """The part of a chat completion that we read; what else a server sends is ignored."""

    choices: list[_Choice]
    usage: _Usage | None = None
    metadata: dict[str, Any] | None = None
    meta_info: dict[str, Any] | None = None

    def whole(self, n: int) -> list[_Choice]:
        """Return the first `n` choices without those that the server did not finish."""
        return [c for c in self.choices[:n] if c.finish_reason not in _LOST]

    @property
    def weights(self) -> str | None:
        """The version of the weights, which sglang tells: in one place or the other by release."""
        told = (self.meta_info or {}) | (self.metadata or {})
        version = told.get("weight_version")
        return None if version is None else str(version)


class _Rendered(msgspec.Struct):
    prompt: str


class _Counted(msgspec.Struct):
    tokens: list[Any]


def counting_requests(endpoint: EndpointConfig) -> bool:
    """Whether the server has a tokenizer that can be asked (vLLM, sglang, llama.cpp)."""
    return endpoint.server in {"sglang", "vllm", "llama.cpp"}


def chat_count_request(endpoint: EndpointConfig, messages: Messages) -> tuple[str, dict[str, Any]]:
    """Return path (from the server's root) and body of the first request that counts tokens."""
    if endpoint.server == "llama.cpp":
        return RENDER, {"messages": messages}
    body: dict[str, Any] = {"messages": messages, "add_generation_prompt": True}
    return "/tokenize", body if endpoint.server == "sglang" else body | {"model": endpoint.model}


def rendered(body: bytes) -> str:
    """Return the text in the reply to a request to RENDER."""
    return msgspec.json.decode(body, type=_Rendered).prompt


def text_count_request(text: str) -> dict[str, Any]:
    """Return the body of llama.cpp's request that tokenizes a text."""
    return {"content": text, "add_special": False, "parse_special": True}


def token_count(body: bytes) -> int:
    """Return the number of tokens in the reply to a tokenizing request."""
    return len(msgspec.json.decode(body, type=_Counted).tokens)


def error_text(body: bytes) -> str:
    """Return what a server says went wrong: its message in any of the usual shapes, one line."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        document = body.decode("utf-8", "replace")
    for name in ("error", "message", "detail"):
        if isinstance(document, dict) and name in document:
            document = document[name]
    return " ".join(str(document).split())


def speaks_of_context(text: str) -> bool:
    """Whether an error says that the prompt is too long for the model's context."""
    return _CONTEXT.search(text) is not None


_CONTEXT = re.compile(
    r"context.{0,30}(length|size|window)|(length|size|window).{0,30}context|prompt is too long",
    re.IGNORECASE,
)
