"""Conformance of a real server, where one is named:

SOAR_SERVER_URL=http://127.0.0.1:30000/v1 SOAR_SERVER_KIND=sglang pytest this file
"""

import os

import pytest

from engine.config import DecodingConfig, EndpointConfig
from engine.policies.llm.client import ChatClient
from engine.policies.llm.errors import ContextError, RefusedError
from engine.policies.llm.prompts import sample_messages
from tests.policies.llm.chat import TASK

MESSAGES = sample_messages(TASK)
COUNTED = ("sglang", "vllm", "llama.cpp")


@pytest.fixture
async def client():
    url = os.environ.get("SOAR_SERVER_URL")
    if url is None:
        pytest.skip("SOAR_SERVER_URL names no server")
    endpoint = EndpointConfig(
        url=url,
        model=os.environ.get("SOAR_SERVER_MODEL", "default"),
        server=os.environ.get("SOAR_SERVER_KIND", "hosted"),
    )
    async with ChatClient(endpoint, DecodingConfig()) as client:
        yield client


async def test_n_completions_come_with_their_tokens(client):
    reply = await client.complete(MESSAGES, min(4, client.most), 24)
    texts = [completion.text for completion in reply.completions]
    assert reply.missing == 0 and len(set(texts)) == len(texts)
    assert sum(completion.tokens_in for completion in reply.completions) > 100
    # Of most servers only the sum is known; an end of turn may count beyond the limit.
    written = sum(completion.tokens_out for completion in reply.completions)
    assert 0 < written <= 26 * len(texts)
    assert {completion.finish for completion in reply.completions} <= {"stop", "length"}


async def test_the_prompt_is_counted_as_the_server_counts_it(client):
    if client.endpoint.server not in COUNTED:
        pytest.skip(f"{client.endpoint.server} has no tokenizer to ask")
    reply = await client.complete(MESSAGES, 1, 4)
    counted = await client.fits(MESSAGES, 1)
    assert counted == sum(completion.tokens_in for completion in reply.completions)


async def test_a_prompt_beyond_the_context_is_told_apart(client):
    text = "0 1 2 3 4 5 6 7 8 9 " * 40_000
    with pytest.raises((ContextError, RefusedError)) as refused:
        await client.complete([{"role": "user", "content": text}], 1, 4)
    assert isinstance(refused.value, ContextError)
    assert "0 1 2 3 4 5 6" not in str(refused.value)


async def test_a_repeated_prompt_is_answered_from_the_cache(client):
    replies = [await client.complete(MESSAGES, 1, 4) for _ in range(2)]
    cached = [completion.tokens_cached for reply in replies for completion in reply.completions]
    if not any(cached):
        pytest.skip("the server does not say what was cached")
    assert cached[1] > 100
