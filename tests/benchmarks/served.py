"""A simulated fleet of OpenAI-compatible servers, one process: real HTTP, realistic programs.

Time passes as on GPUs (`curve.py`); the replies are programs of the embedded policy for the task
that is asked about, two thirds of them changed in a constant so that they are new, in the words and
fences a chat model puts round them. `GET /stats` on any of its ports says what all have done.

    python -m tests.benchmarks.served --tasks arc1-train:20 --servers 2 --rate 100 --corpus c.json
"""

import argparse
import asyncio
import contextlib
import random
import re
import resource
import signal
import sys
import time
import zlib
from pathlib import Path

import msgspec

from engine.arc.load import load_tasks
from engine.policies.grammar.proposing import Proposer
from engine.policies.llm.prompts import sample_messages
from tests.benchmarks.curve import PREFILL, Gpu, Request

PROGRAMS_PER_TASK = 24
CHARACTERS_PER_TOKEN = 3.3
NEW = 2 / 3
"""Share of replies that nobody has seen; an LLM at temperature 1 repeats itself that rarely."""

_FIRST_PAIR = re.compile(r"## Training pair 1, input.*?(?=## )", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])\d(?![\w.])")
_WORDS = (
    "The output keeps the shape of the input.",
    "Every object moves until it meets another colour.",
    "The background is the most frequent colour, and it must stay as it is.",
    "I compare the pairs cell by cell to see what changes.",
    "Small objects are recoloured by their size, large ones are left alone.",
    "A marker of one cell says which rule holds for its row.",
)


def task_key(prompt: str) -> str:
    """Return the part of a prompt by which its task is known again."""
    found = _FIRST_PAIR.search(prompt)
    return found[0] if found else ""


def make_corpus(tasks: str, file: Path) -> dict[str, list[str]]:
    """Return programs by task key, made by the embedded policy or read from a file made before."""
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=dict[str, list[str]])
    proposer, corpus = Proposer(), {}
    for task in load_tasks(tasks).tasks:
        found = proposer.sample(task.without_truth(), PROGRAMS_PER_TASK, 0)
        key = task_key(sample_messages(task.without_truth())[1]["content"])
        corpus[key] = sorted({each.source for each in found if each.source is not None})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.encode(corpus))
    return corpus


def reply(programs: list[str], rng: random.Random) -> str:
    """Return a chat model's answer: some words, then one of the programs, as it is or changed."""
    source = rng.choice(programs)
    if rng.random() < NEW:
        places = [match.start() for match in _NUMBER.finditer(source)]
        if places:
            place = rng.choice(places)
            source = source[:place] + str(rng.randrange(10)) + source[place + 1 :]
        source = f"# attempt {rng.randrange(10**9)}\n{source}"
    words = " ".join(rng.choices(_WORDS, k=1 + int(rng.expovariate(1 / 6))))
    return f"{words}\n\n```python\n{source.rstrip()}\n```\n"


class Fleet:
    """The simulated servers and the one timer that drives them."""

    def __init__(
        self, corpus: dict[str, list[str]], servers: int, most: int, rate: float, prefill: float
    ) -> None:
        rng = random.Random(1)
        self.corpus = corpus
        sizes = [len(reply(rng.choice(list(corpus.values())), rng)) for _ in range(500)]
        self.mean_tokens = sum(sizes) / len(sizes) / CHARACTERS_PER_TOKEN
        now = time.monotonic()
        at_once = servers * Gpu(most, 1.0, now).full_rate / self.mean_tokens
        self.slower = at_once / rate
        self.gpus = [Gpu(most, self.slower, now, prefill) for _ in range(servers)]
        self.started = now
        self._rng = rng
        self._timers: list[asyncio.TimerHandle | None] = [None] * servers

    def ask(self, number: int, body: dict, answer) -> Request:
        """Take in a chat request; `answer` gets the reply's bytes when it is complete."""
        prompt = body["messages"][-1]["content"]
        programs = self.corpus.get(task_key(prompt)) or next(iter(self.corpus.values()))
        texts = [reply(programs, self._rng) for _ in range(body.get("n", 1))]
        lengths = [1 + int(len(text) / CHARACTERS_PER_TOKEN) for text in texts]
        tokens = int(len(prompt) / CHARACTERS_PER_TOKEN)
        request = Request(zlib.crc32(prompt.encode()), tokens, lengths, None)

        def complete() -> None:
            usage = {
                "prompt_tokens": tokens,
                "completion_tokens": sum(lengths),
                "prompt_tokens_details": {"cached_tokens": tokens if request.cached else 0},
            }
            choices = [
                {
                    "index": i,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": t},
                }
                for i, t in enumerate(texts)
            ]
            answer(
                msgspec.json.encode(
                    {"object": "chat.completion", "choices": choices, "usage": usage}
                )
            )

        request.answer = complete
        self.pass_time(number)
        self.gpus[number].put(request)
        self.pass_time(number)
        return request

    def drop(self, number: int, request: Request) -> None:
        """Take back a request whose client is gone."""
        self.gpus[number].drop(request)
        self.pass_time(number)

    def pass_time(self, number: int) -> None:
        """Answer what is complete by now, and come back when the next will be."""
        gpu, loop = self.gpus[number], asyncio.get_running_loop()
        for request in gpu.advance(time.monotonic()):
            request.answer()
        timer = self._timers[number]
        if timer is not None:
            timer.cancel()
        at = gpu.next_event()
        # Coarser than the loop's clock, so that thousands of ends a second are few wake-ups.
        wait = None if at is None else max(0.02, at - time.monotonic())
        self._timers[number] = (
            None if wait is None else loop.call_later(wait, self.pass_time, number)
        )

    def stats(self) -> dict:
        """Return, of all servers together, seconds, busy seconds, tokens, completions and queues."""
        for number in range(len(self.gpus)):
            self.pass_time(number)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "seconds": time.monotonic() - self.started,
            "busy": [gpu.busy for gpu in self.gpus],
            "tokens": sum(gpu.tokens for gpu in self.gpus),
            "finished": sum(gpu.finished for gpu in self.gpus),
            "running": [len(gpu.running) for gpu in self.gpus],
            "queued": [len(gpu.queue) for gpu in self.gpus],
            "cut": sum(gpu.cut for gpu in self.gpus),
            "cpu": usage.ru_utime + usage.ru_stime,
            "mean_tokens": self.mean_tokens,
            "slower": self.slower,
        }


class Connection(asyncio.Protocol):
    """One client's connection to one of the servers; a request at a time, as HTTP/1.1 has it."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        self._fleet, self._number = fleet, number
        self._data = b""
        self._under_way: Request | None = None

    def connection_made(self, transport) -> None:
        self._transport = transport

    def connection_lost(self, error) -> None:
        if self._under_way is not None:
            self._fleet.drop(self._number, self._under_way)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, gap, rest = self._data.partition(b"\r\n\r\n")
        if not gap:
            return
        found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        size = int(found[1]) if found else 0
        if len(rest) < size:
            return
        self._data = rest[size:]
        path = head.split(b" ", 2)[1]
        if path == b"/v1/chat/completions":
            body = msgspec.json.decode(rest[:size])
            self._under_way = self._fleet.ask(self._number, body, self._answer)
        elif path == b"/tokenize":
            text = msgspec.json.decode(rest[:size])["messages"][-1]["content"]
            tokens = int(len(text) / CHARACTERS_PER_TOKEN)
            self._answer(msgspec.json.encode({"tokens": [0] * tokens}))
        elif path == b"/stats":
            self._answer(msgspec.json.encode(self._fleet.stats()))
        else:
            self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self._under_way = None
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head % len(body) + body)


async def serve(fleet: Fleet) -> None:
    """Listen on a port per server, say which on stdout, and serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as opened:
        ports = []
        for index in range(len(fleet.gpus)):
            server = await loop.create_server(
                lambda index=index: Connection(fleet, index), "127.0.0.1", 0, backlog=1024
            )
            opened.callback(server.close)
            ports.append(server.sockets[0].getsockname()[1])
        sys.stdout.write(msgspec.json.encode({"ports": ports}).decode() + "\n")
        sys.stdout.flush()
        await ended.wait()


def main() -> None:
    """Make or read the programs, then serve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default="arc1-train:20")
    parser.add_argument("--corpus", type=Path, required=True, help="programs are kept here")
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--sequences", type=int, default=512, help="decoded at once per server")
    parser.add_argument("--rate", type=float, default=100.0, help="completions/s of all, when full")
    parser.add_argument("--prefill", type=float, default=PREFILL, help="prompt tokens/s; inf: free")
    arguments = parser.parse_args()
    corpus = make_corpus(arguments.tasks, arguments.corpus)
    fleet = Fleet(corpus, arguments.servers, arguments.sequences, arguments.rate, arguments.prefill)
    asyncio.run(serve(fleet))


if __name__ == "__main__":
    main()
