"""The policy's promises: exactly n proposals, whatever the servers do."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.arc import Pair, Task, as_grid, pack
from engine.config import DecodingConfig, EndpointConfig
from engine.policies.llm.client import ChatClient
from engine.policies.llm.errors import BusyError, ModelError, RefusedError, ReplyError
from engine.policies.llm.policy import LanguageModelPolicy
from engine.policies.llm.pool import EndpointPool
from engine.policies.llm.prompts import Solved
from engine.programs.candidate import Evaluation
from tests.policies.llm.chat import OTHER, RIGHT, TASK, parent
from tests.policies.llm.imitation import Imitation

FILLED = np.arange(900).reshape(30, 30) % 10
LARGE = Task("large", (Pair(as_grid(FILLED), as_grid(FILLED)),) * 4, (as_grid(FILLED),))


def policy_of(*servers, decoding=None, patience=5.0, **fields):
    decoding = decoding or DecodingConfig()
    clients = [
        ChatClient(EndpointConfig(url=server.url, server="sglang"), decoding, first_wait=0.01)
        for server in servers
    ]
    pool = EndpointPool(clients, patience=patience, rest=0.01)
    return LanguageModelPolicy("imitation", pool, decoding, **fields)


@pytest.fixture
def server():
    with Imitation() as server:
        yield server


async def test_fifty_samples_are_asked_for_in_equal_requests_over_one_prompt(server):
    policy = policy_of(server)
    proposals = await policy.sample(TASK, 50, 1)
    await policy.close()
    assert len(proposals) == 50
    assert len({proposal.source for proposal in proposals}) == 50
    assert all("def transform" in proposal.source for proposal in proposals)
    bodies = server.asked("/v1/chat/completions")
    assert sorted(body["n"] for body in bodies) == [7, 7, 7, 7, 7, 7, 8]
    assert len({str(body["messages"]) for body in bodies}) == 1
    assert {body["max_tokens"] for body in bodies} == {4096}


async def test_a_repair_shows_the_parent_and_asks_for_shorter_answers(server):
    policy = policy_of(server)
    proposals = await policy.refine(TASK, parent(), 4, 1)
    await policy.close()
    (body,) = server.asked("/v1/chat/completions")
    assert len(proposals) == body["n"] == 4
    assert body["max_tokens"] == 2048
    assert parent().source in body["messages"][1]["content"]


async def test_aborted_completions_are_asked_for_again(server):
    server.faults.extend(["abort", "abort one"])
    policy = policy_of(server)
    proposals = await policy.sample(TASK, 8, 1)
    await policy.close()
    assert [proposal.finish for proposal in proposals] == ["stop"] * 8
    assert [body["n"] for body in server.asked("/v1/chat/completions")] == [8, 8, 1]


async def test_a_completion_that_failed_behind_a_router_is_asked_for_again(server):
    server.faults.append("error")
    policy = policy_of(server)
    proposals = await policy.sample(TASK, 2, 1)
    await policy.close()
    assert [proposal.finish for proposal in proposals] == ["stop"] * 2
    assert len(server.asked("/v1/chat/completions")) == 2


async def test_a_server_that_aborts_all_but_one_is_asked_for_many_at_once_again(server):
    server.faults.append("abort one")
    policy = policy_of(server)
    await policy.sample(TASK, 2, 1)
    await policy.sample(TASK, 8, 2)
    await policy.close()
    assert [body["n"] for body in server.asked("/v1/chat/completions")] == [2, 1, 8]


async def test_what_never_comes_is_an_empty_proposal(server):
    server.faults.extend(["abort", "garbage", "abort one"])
    policy = policy_of(server)
    proposals = await policy.sample(TASK, 3, 1)
    await policy.close()
    assert [proposal.finish for proposal in proposals] == ["stop", "stop", "abort"]
    assert proposals[-1].source is None


async def test_a_reply_without_a_program_is_kept_as_a_reply(server):
    server.mute = True
    policy = policy_of(server)
    (proposal,) = await policy.sample(TASK, 1, 1)
    await policy.close()
    assert proposal.source is None and proposal.reply == "" and proposal.tokens_out == 10


async def test_a_task_too_large_for_the_context_is_refused_by_name(server, caplog):
    words = 1500
    policy = policy_of(server, decoding=DecodingConfig(context=words, sample_tokens=500))
    proposals = await policy.sample(LARGE, 5, 1)
    again = await policy.sample(LARGE, 2, 2)
    fitting = await policy.sample(TASK, 2, 1)
    await policy.close()
    assert [proposal.finish for proposal in proposals + again] == ["refused"] * 7
    assert [proposal.finish for proposal in fitting] == ["stop"] * 2
    assert policy.refused == {"large"}
    assert "task large" in caplog.text and "1500" in caplog.text
    assert len(server.asked("/v1/chat/completions")) == 1


async def test_a_task_the_server_calls_too_long_is_refused_by_name(server, caplog):
    server.faults.append("too long")
    policy = policy_of(server)
    (proposal,) = await policy.sample(TASK, 1, 1)
    await policy.close()
    assert proposal.finish == "refused" and "task mirror" in caplog.text


async def test_a_refusal_ends_the_policy_with_the_servers_words(server):
    server.faults.extend([401] * 7)
    policy = policy_of(server)
    with pytest.raises(RefusedError, match="401"):
        await policy.sample(TASK, 50, 1)
    assert policy.status.in_flight == 0
    await policy.close()


async def test_a_task_keeps_to_its_server_and_all_servers_have_tasks():
    with Imitation() as first, Imitation() as second:
        policy = policy_of(first, second)
        for number in range(24):
            task = Task(f"task {number}", TASK.train, TASK.test)
            await policy.sample(task, 1, 1)
            await policy.sample(task, 1, 2)
        await policy.close()
        counts = [len(server.asked("/v1/chat/completions")) for server in (first, second)]
    assert sum(counts) == 48
    assert all(count and count % 2 == 0 for count in counts)


async def test_the_work_of_a_server_that_fails_goes_to_another():
    with Imitation() as good:
        with Imitation() as gone:
            policy = policy_of(gone, good)
        proposals = [
            await policy.sample(Task(f"task {number}", TASK.train, TASK.test), 2, 1)
            for number in range(8)
        ]
        await policy.close()
    assert {proposal.finish for some in proposals for proposal in some} == {"stop"}


COUNTED = DecodingConfig(context=1500, sample_tokens=500)
"""So little room that the tokens of every prompt have to be counted."""


async def test_prompts_are_counted_by_another_server_when_one_fails():
    with Imitation() as good:
        with Imitation() as gone:
            policy = policy_of(gone, good, decoding=COUNTED)
        proposals = [
            await policy.sample(Task(f"task {number}", TASK.train, TASK.test), 2, 1)
            for number in range(8)
        ]
        await policy.close()
        assert len(good.asked("/tokenize")) == 8
    assert {proposal.finish for some in proposals for proposal in some} == {"stop"}


async def test_counting_waits_for_a_server_that_is_down_for_a_while(server, caplog):
    server.count_faults.extend([503] * 7 + ["garbage", "reset"])
    policy = policy_of(server, decoding=COUNTED)
    proposals = await policy.sample(TASK, 2, 1)
    await policy.close()
    assert [proposal.finish for proposal in proposals] == ["stop"] * 2
    assert not server.count_faults and "not the answer of a tokenizer" in caplog.text


async def test_when_no_server_counts_the_policy_gives_up(server):
    server.count_faults.extend(["garbage"] * 500)
    policy = policy_of(server, decoding=COUNTED, patience=0.0)
    with pytest.raises(ReplyError, match="tokenizer"):
        await policy.sample(TASK, 2, 1)
    await policy.close()


async def test_when_all_servers_stay_down_the_policy_gives_up(server):
    server.faults.extend([503] * 500)
    policy = policy_of(server, patience=0.0)
    with pytest.raises(BusyError):
        await policy.sample(TASK, 2, 1)
    assert policy.status.in_flight == 0
    await policy.close()


async def test_cancelling_leaves_nothing_in_flight(server):
    server.faults.append("gone")
    policy = policy_of(server)
    work = asyncio.create_task(policy.sample(TASK, 2, 1))
    await asyncio.to_thread(server.arrived.wait, 30)
    assert policy.status.in_flight == 2
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert policy.status.in_flight == 0
    await policy.close()


async def test_a_solved_example_is_shown_if_it_fits(server):
    shots = {1: Solved(OTHER, RIGHT), 2: Solved(LARGE, RIGHT)}
    decoding = DecodingConfig(context=1500, sample_tokens=500)
    policy = policy_of(
        server, decoding=decoding, choose_shot=lambda task, operator, seed: shots[seed]
    )
    await policy.sample(TASK, 1, 1)
    await policy.sample(TASK, 1, 2)
    await policy.close()
    with_shot, without = server.asked("/v1/chat/completions")
    assert "A solved example" in with_shot["messages"][1]["content"]
    assert "A solved example" not in without["messages"][1]["content"]


async def test_a_repair_is_shown_its_own_example_if_it_fits(server, caplog):
    shots = {
        ("refine", 1): Solved(OTHER, RIGHT),
        ("refine", 2): Solved(LARGE, RIGHT),
        ("refine", 3): Solved(OTHER, RIGHT),
    }
    decoding = DecodingConfig(context=1500, refine_tokens=500)
    policy = policy_of(
        server, decoding=decoding, choose_shot=lambda task, operator, seed: shots[operator, seed]
    )
    await policy.refine(TASK, parent(), 1, 1)
    await policy.refine(TASK, parent(), 1, 2)
    assert "refused" not in caplog.text
    of_large = replace(
        parent((False,) * 4), evaluation=Evaluation((pack(as_grid(FILLED)),) * 5, (False,) * 4)
    )
    (refused,) = await policy.refine(LARGE, of_large, 1, 3)
    await policy.close()
    with_shot, without = server.asked("/v1/chat/completions")
    assert "A solved example" in with_shot["messages"][1]["content"]
    assert "A solved example" not in without["messages"][1]["content"]
    assert refused.finish == "refused" and "a repair of task large" in caplog.text


async def test_a_model_that_cannot_be_tuned_says_so(server):
    policy = policy_of(server)
    await policy.load(None)
    with pytest.raises(ModelError, match="cannot load"):
        await policy.load(Path("checkpoints/1"))
    await policy.close()


async def test_no_prompt_text_at_the_default_level(server, caplog):
    caplog.set_level(logging.INFO)
    server.faults.extend(["abort"] * 3 + ["garbage", 503])
    policy = policy_of(server)
    await policy.sample(TASK, 2, 1)
    await policy.refine(TASK, parent(), 2, 1)
    await policy.close()
    assert "did not come" in caplog.text
    shown = " ".join(caplog.text.split())
    for body in server.asked("/v1/chat/completions"):
        words = " ".join(message["content"] for message in body["messages"]).split()
        assert not [at for at in range(len(words) - 4) if " ".join(words[at : at + 4]) in shown]
