"""The client against a server that answers as real ones do, and fails as they do."""

import asyncio
import logging
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from engine.config import DecodingConfig, EndpointConfig, PriceConfig
from engine.policies.llm.client import ChatClient
from engine.policies.llm.errors import (
    BusyError,
    ContextError,
    CredentialError,
    EndpointError,
    RefusedError,
    ReplyError,
    UnreachableError,
)
from engine.policies.llm.keys import read_key
from engine.policies.llm.prompts import sample_messages
from tests.policies.llm.chat import TASK
from tests.policies.llm.imitation import Imitation

MESSAGES = sample_messages(TASK)


@pytest.fixture
def server():
    with Imitation() as server:
        yield server


def client_of(imitation, /, decoding=None, **fields):
    endpoint = EndpointConfig(**{"url": imitation.url, "server": "sglang"} | fields)
    return ChatClient(endpoint, decoding or DecodingConfig(), first_wait=0.01)


async def test_one_request_brings_n_different_completions(server):
    async with client_of(server) as client:
        reply = await client.complete(MESSAGES, 4, 500)
    assert len({completion.text for completion in reply.completions}) == 4
    assert {completion.finish for completion in reply.completions} == {"stop"}
    assert {completion.weights for completion in reply.completions} == {"default"}
    (body,) = server.asked("/v1/chat/completions")
    assert body["n"] == 4 and body["max_tokens"] == 500
    assert (body["temperature"], body["min_p"]) == (1.0, 0.05)


async def test_the_shares_of_tokens_and_cost_add_up_to_the_request(server):
    price = PriceConfig(input=2.0, output=8.0, cached=0.5)
    async with client_of(server, price=price) as client:
        reply = await client.complete(MESSAGES, 7, 500)
    assert sum(completion.tokens_in for completion in reply.completions) == 100
    assert sum(completion.tokens_out for completion in reply.completions) == 70
    assert sum(completion.tokens_cached for completion in reply.completions) == 40
    total = sum(completion.cost for completion in reply.completions)
    assert total == pytest.approx((60 * 2.0 + 40 * 0.5 + 70 * 8.0) / 1e6)


async def test_llama_cpp_counts_one_completion_so_its_tokenizer_counts_all(server):
    async with client_of(server, server="llama.cpp") as client:
        reply = await client.complete(MESSAGES, 3, 500)
    counts = [len(completion.text.split()) for completion in reply.completions]
    assert [completion.tokens_out for completion in reply.completions] == counts


async def test_an_aborted_completion_is_not_one(server):
    server.faults.extend(["abort", "abort one"])
    async with client_of(server) as client:
        none, some = [await client.complete(MESSAGES, 3, 500) for _ in range(2)]
    assert (len(none.completions), none.missing) == (0, 3)
    assert (len(some.completions), some.missing) == (2, 1)


async def test_a_completion_cut_at_its_length_says_so(server):
    server.faults.append("length")
    async with client_of(server) as client:
        reply = await client.complete(MESSAGES, 2, 500)
    assert [completion.finish for completion in reply.completions] == ["length", "length"]


@pytest.mark.parametrize("fault", ["busy", "reset", "truncated", 429, 500, 502, 503])
async def test_what_passes_is_tried_again(server, fault):
    server.faults.extend([fault, fault])
    async with client_of(server) as client:
        reply = await client.complete(MESSAGES, 2, 500)
    assert len(reply.completions) == 2
    assert len(server.asked("/v1/chat/completions")) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal_is_not_tried_again(server, status):
    server.faults.append(status)
    async with client_of(server) as client:
        with pytest.raises(RefusedError) as refused:
            await client.complete(MESSAGES, 2, 500)
    assert refused.value.status == status
    assert len(server.asked("/v1/chat/completions")) == 1


async def test_a_body_that_is_no_completion_is_said_and_not_tried_again(server):
    server.faults.append("garbage")
    async with client_of(server) as client:
        with pytest.raises(ReplyError):
            await client.complete(MESSAGES, 2, 500)
    assert len(server.asked("/v1/chat/completions")) == 1


async def test_a_server_that_stays_busy_is_given_up(server):
    server.faults.extend([503] * 20)
    async with client_of(server) as client:
        with pytest.raises(BusyError, match="503"):
            await client.complete(MESSAGES, 2, 500)


async def test_a_server_that_is_not_there_is_named():
    with Imitation() as server:
        url = server.url
    client = ChatClient(EndpointConfig(url=url), DecodingConfig(), first_wait=0.01)
    async with client:
        with pytest.raises(UnreachableError, match="127"):
            await client.complete(MESSAGES, 2, 500)


class Proxy(ThreadingHTTPServer):
    """A proxy that never gets through: it says a status, or the `last` once all others are said."""

    def __init__(self, *statuses):
        super().__init__(("127.0.0.1", 0), _Tunnels)
        self.statuses, self.last, self.asked = deque(statuses), statuses[-1], 0

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()


class _Tunnels(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        self.server.asked += 1
        self.send_error(
            self.server.statuses.popleft() if self.server.statuses else self.server.last
        )


@pytest.mark.parametrize(("statuses", "times"), [((502, 503), 4), ((503, 407), 2)])
async def test_a_proxy_that_gets_no_further_is_tried_again_unless_it_wants_a_password(
    monkeypatch, statuses, times
):
    with Proxy(*statuses) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.server_port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        endpoint = EndpointConfig(url="https://models.example/v1")
        async with ChatClient(endpoint, DecodingConfig(), first_wait=0.01) as client:
            with pytest.raises(EndpointError, match=str(statuses[-1])) as failure:
                await client.complete(MESSAGES, 2, 500, attempts=4)
    assert proxy.asked == times
    assert isinstance(failure.value, UnreachableError) == (statuses[-1] != 407)


async def test_an_answer_that_drips_ends_at_the_limit(server):
    server.faults.extend(["drip"] * 2)
    async with client_of(server, DecodingConfig(request_seconds=1.0)) as client:
        with pytest.raises(UnreachableError, match="no answer within"):
            await client.complete(MESSAGES, 2, 500, attempts=2)
    assert not server.faults  # each attempt met one


async def test_a_cancelled_request_is_given_up_by_the_connection(server):
    server.faults.append("gone")
    async with client_of(server) as client:
        request = asyncio.create_task(client.complete(MESSAGES, 2, 500))
        await asyncio.to_thread(server.arrived.wait, 30)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert await asyncio.to_thread(server.disconnected.wait, 30)


async def test_no_more_prompts_at_once_than_the_server_has_memory_for(server):
    server.faults.extend(["meet"] * 2)
    async with client_of(server, DecodingConfig(n=1), capacity=8, requests=2) as client:
        await asyncio.gather(*(client.complete(MESSAGES, 1, 500) for _ in range(20)))
    assert server.most_at_once == 2


async def test_no_more_requests_at_once_than_the_server_has_room_for(server):
    server.faults.extend(["meet"] * 2)
    async with client_of(server, DecodingConfig(n=4), capacity=8) as client:
        await asyncio.gather(*(client.complete(MESSAGES, 4, 500) for _ in range(20)))
    assert server.most_at_once == 2


async def test_a_server_that_ignores_n_is_asked_for_one_each(server):
    server.faults.append("one choice")
    async with client_of(server) as client:
        reply = await client.complete(MESSAGES, 4, 500)
        assert reply.missing == 3
        assert client.most == 1


@pytest.mark.parametrize("kind", ["sglang", "vllm", "llama.cpp"])
async def test_a_long_prompt_is_counted_by_the_servers_tokenizer(server, kind):
    words = sum(len(message["content"].split()) for message in MESSAGES)
    async with client_of(server, server=kind) as client:
        assert await client.fits(MESSAGES, words) is None
        assert await client.fits(MESSAGES, words - 1) == words
    assert len(server.asked("/tokenize")) == 2


async def test_a_short_prompt_needs_no_counting(server):
    async with client_of(server) as client:
        assert await client.fits(MESSAGES, 20_000) is None
    assert server.requests == []


async def test_where_there_is_no_tokenizer_every_byte_counts(server):
    size = sum(len(message["content"]) for message in MESSAGES)
    async with client_of(server, server="ollama") as client:
        assert (await client.fits(MESSAGES, 500)) > size
    assert server.requests == []


async def test_the_server_may_say_that_the_prompt_is_too_long(server):
    server.faults.append("too long")
    async with client_of(server) as client:
        with pytest.raises(ContextError):
            await client.complete(MESSAGES, 2, 500)


async def test_the_key_is_sent_and_never_shown(server, monkeypatch, caplog):
    monkeypatch.setenv("MODEL_KEY", "sk-very-secret")
    caplog.set_level(logging.INFO)
    server.faults.extend([503, "echo key"])
    async with client_of(server, key_env="MODEL_KEY", server="hosted") as client:
        with pytest.raises(RefusedError) as refused:
            await client.complete(MESSAGES, 2, 500)
        shown = f"{client!r} {client.endpoint!r} {read_key(client.endpoint)!r} {vars(client)}"
    assert server.headers[0]["authorization"] == "Bearer sk-very-secret"
    assert "very-secret" not in str(refused.value) + shown + caplog.text


async def test_no_prompt_text_in_errors_or_logs(server, caplog):
    caplog.set_level(logging.INFO)
    server.faults.extend([500, "echo"])
    async with client_of(server, server="hosted") as client:
        with pytest.raises(RefusedError) as refused:
            await client.complete(MESSAGES, 2, 500)
    shown = str(refused.value) + caplog.text
    assert "repeats the prompt" in shown
    words = MESSAGES[1]["content"].split()
    runs = [" ".join(words[at : at + 4]) for at in range(len(words) - 3)]
    assert not [run for run in runs if run in shown]


@pytest.mark.parametrize("content", [None, "", "one\ntwo", "schlüssel"])
def test_an_unusable_key_file_is_named_but_not_shown(tmp_path, content):
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CredentialError, match="key") as refused:
        read_key(EndpointConfig(url="https://models.example/v1", key_file=str(path)))
    assert not content or content not in str(refused.value)


async def test_parameters_an_endpoint_does_not_know_are_not_sent(server):
    async with client_of(server, server="hosted", extra={"max_tokens": 9}) as client:
        await client.complete(MESSAGES, 2, 500)
    (body,) = server.asked("/v1/chat/completions")
    assert set(body) == {"model", "messages", "n", "temperature", "max_tokens", "stream"}
    assert body["max_tokens"] == 9


def test_httpx_says_nothing_at_its_default_level(server):
    client_of(server)
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert httpx.__version__


async def test_the_version_of_the_weights_is_found_where_either_release_puts_it(server):
    server.version = "7"
    server.faults.append("meta_info")
    async with client_of(server) as client:
        replies = [await client.complete(MESSAGES, 2, 500) for _ in range(2)]
    assert {c.weights for reply in replies for c in reply.completions} == {"7"}


async def test_what_a_server_may_leave_out_is_no_error(server):
    server.faults.append("sparse")
    async with client_of(server) as client:
        reply = await client.complete(MESSAGES, 2, 500)
    first, second = reply.completions
    assert (first.text, first.finish) == ("", "stop") and "transform" in second.text
    assert {(c.tokens_in, c.tokens_out, c.cost, c.weights) for c in reply.completions} == {
        (0, 0, 0.0, None)
    }
