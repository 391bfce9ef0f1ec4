"""A simulated GPU server's clock: continuous batching along a published throughput curve.

The curve is the time per output token against the number of sequences decoded at once, as measured
for a 30-billion-parameter model in FP8 on two B200 and published at
https://docs.vultr.com/inference-cookbook/cuda/optimization/concurrency-tuning (vLLM, 2 048 tokens
in, 512 out; it saturates at 512 sequences). A prompt that is not in the prefix cache stops the
decoding while it is read. `slower` stretches all of it, so that a server is as slow as the machine
that simulates it can bear, with the same number of sequences at once.

Pure: time comes in as an argument, so what is computed does not depend on when it is computed.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field

TPOT = ((1, 2.91), (8, 3.96), (16, 4.32), (64, 6.74), (128, 8.91), (256, 11.77), (512, 15.46))
"""(sequences at once, milliseconds per output token); 32 is left out, where slower than 64."""

PREFILL = 60_000.0
"""Prompt tokens read per second: total less output throughput of the same measurement, rounded."""

CACHED_PROMPTS = 4096


def seconds_per_token(sequences: int) -> float:
    """Return the time of one decoding step, linear between the measured points."""
    (before, low), *others = TPOT
    for at, high in others:
        if sequences <= at:
            break
        before, low = at, high
    share = min(1.0, (sequences - before) / (at - before)) if at > before else 0.0
    return (low + share * (high - low)) / 1000


@dataclass(order=True)
class Sequence:
    """One completion on its way; it is finished when the decoding's odometer reads `until`."""

    until: float
    number: int
    tokens: int = field(compare=False)
    request: "Request" = field(compare=False)


@dataclass(eq=False)
class Request:
    """A prompt with the lengths of the completions asked for, and what to do when all are there."""

    prompt: int
    prompt_tokens: int
    lengths: list[int]
    answer: object
    left: int = 0
    cached: bool = False


class Gpu:
    """One server: at most `most` sequences at once, the others queue."""

    def __init__(self, most: int, slower: float, now: float, prefill: float = PREFILL) -> None:
        self.most = most
        self.running: list[Sequence] = []
        self.queue: deque[tuple[Request, int]] = deque()
        self.tokens = self.busy = 0.0
        self.finished = self.cut = 0
        self._slower = slower
        self._prefill = prefill
        self._now = now
        self._odometer = 0.0
        self._reading = 0.0
        self._number = 0
        self._cache: dict[int, None] = {}

    @property
    def full_rate(self) -> float:
        """Output tokens per second with a full batch."""
        return self.most / (seconds_per_token(self.most) * self._slower)

    def put(self, request: Request) -> None:
        """Queue a request's sequences."""
        request.left = len(request.lengths)
        self.queue.extend((request, length) for length in request.lengths)
        self._admit()

    def drop(self, request: Request) -> None:
        """Forget a request whose client has gone; it frees its places at once."""
        self.queue = deque(each for each in self.queue if each[0] is not request)
        self.running = [each for each in self.running if each.request is not request]
        heapq.heapify(self.running)
        self.cut += 1
        self._admit()

    def advance(self, now: float) -> list[Request]:
        """Let time pass and return the requests that are complete, as of their time."""
        done = []
        while self._now < now:
            if self._reading > 0:
                passed = min(self._reading, now - self._now)
                self._reading -= passed
                self._now += passed
                self.busy += passed
                continue
            if not self.running:
                self._now = now
                break
            step = seconds_per_token(len(self.running)) * self._slower
            passed = min((self.running[0].until - self._odometer) * step, now - self._now)
            self._now += passed
            self._odometer += passed / step
            self.tokens += passed / step * len(self.running)
            self.busy += passed * min(1.0, len(self.running) / step / self.full_rate)
            while self.running and self.running[0].until <= self._odometer + 1e-9:
                request = heapq.heappop(self.running).request
                self.finished += 1
                request.left -= 1
                if not request.left:
                    done.append(request)
            self._admit()
        return done

    def next_event(self) -> float | None:
        """Return when the next sequence ends, as things stand; None when nothing runs."""
        if not self.running:
            return None
        step = seconds_per_token(len(self.running)) * self._slower
        return self._now + self._reading + (self.running[0].until - self._odometer) * step

    def _admit(self) -> None:
        while self.queue and len(self.running) < self.most:
            request, length = self.queue.popleft()
            request.cached = self._cache.pop(request.prompt, self) is None
            if not request.cached:
                self._reading += request.prompt_tokens / self._prefill * self._slower
            self._cache[request.prompt] = None
            if len(self._cache) > CACHED_PROMPTS:
                del self._cache[next(iter(self._cache))]
            self._number += 1
            until = self._odometer + length
            heapq.heappush(self.running, Sequence(until, self._number, length, request))
