"""A run's settings: every budget and threshold of the method by name, presets, TOML in and out.

Defaults are the preset `paper` (SOAR §2-6). A settings file that cannot be used is refused
with the file, the field and what is allowed.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0)]
Level: TypeAlias = Literal["strong", "reduced", "weak"]
Bandit: TypeAlias = Literal["rex", "uniform", "greedy", "thompson-no-discount"]
Formula: TypeAlias = Literal["sum", "text", "appendix", "prior", "invariant"]
Strategy: TypeAlias = Literal["greedy-diverse", "correct-only", "uniform", "greedy"]
Server: TypeAlias = Literal["sglang", "vllm", "llama.cpp", "ollama", "hosted"]


class ConfigError(ValueError):
    """Settings that cannot be used; the message names the file, the field and what is allowed."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all sections share: frozen, by keyword, unknown fields refused."""


class PriceConfig(_Section, frozen=True):
    """What a million tokens cost, in one currency of your choice."""

    input: Annotated[float, Meta(ge=0)]
    """Input tokens."""
    output: Annotated[float, Meta(ge=0)]
    """Tokens the model writes."""
    cached: Annotated[float, Meta(ge=0)] | None = None
    """Input tokens the server had in its cache; none: as `input`."""


class EndpointConfig(_Section, frozen=True):
    """One OpenAI-compatible server that is already running."""

    url: Annotated[str, Meta(pattern="^https?://[^/@?#]+(/[^?#]*)?$")]
    """Up to and including `/v1`, without name, password or query."""
    model: str = "default"
    """The name the server knows the model by."""
    server: Server = "hosted"
    """Which server it is: decides which fields are sent and how tokens are counted."""
    key_env: str | None = None
    """The environment variable that holds the API key."""
    key_file: str | None = None
    """The file that holds the API key and nothing else."""
    capacity: Positive = 64
    """Completions under way at once."""
    requests: Positive | None = None
    """Requests under way at once, each of one prompt; none: as many as `capacity` has room for."""
    price: PriceConfig | None = None
    """What it costs; none: cost is not counted."""
    extra: dict[str, Any] = {}
    """Fields put into every request, over those we send."""


class DecodingConfig(_Section, frozen=True):
    """How a language model writes (SOAR §3)."""

    temperature: Annotated[float, Meta(ge=0)] = 1.0
    """Sampling temperature."""
    min_p: Annotated[float, Meta(ge=0, le=1)] = 0.05
    """Tokens below this share of the likeliest one's probability are not drawn."""
    sample_tokens: Positive = 4096
    """New tokens of one completion at most, to sample a program."""
    refine_tokens: Positive = 2048
    """New tokens of one completion at most, to repair a program."""
    context: Positive = 30000
    """Tokens of prompt and completion together."""
    n: Annotated[int, Meta(ge=1, le=64)] = 8
    """Completions of one prompt asked for in one request."""
    request_seconds: Seconds = 600.0
    """How long one request may take."""


class PolicyConfig(_Section, frozen=True):
    """Which policy writes programs, and from which checkpoint (none: untrained)."""

    kind: Literal["grammar", "local", "sglang", "openai", "module"] = "grammar"
    """Embedded; a GGUF file on this CPU; sglang; any OpenAI-compatible servers; a module of yours."""
    module: Annotated[str, Meta(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*$")] | None = None
    """Name of the Python module that the kind `module` is made of (docs/extending.md)."""
    checkpoint: str | None = None
    """What the run starts from: a path, or `shipped`, the embedded policy's own; none: untrained."""
    workers: Count = 0
    """Processes of the embedded policy; 0 means one per core."""
    endpoints: tuple[EndpointConfig, ...] = ()
    """Servers of the kind `openai`; of `sglang`, where it is not to start one itself."""
    decoding: DecodingConfig = msgspec.field(default_factory=DecodingConfig)
    few_shot: bool = True
    """Whether a language model is shown a skill or a solved task of the run (SOAR §3, §7)."""


class ServeConfig(_Section, frozen=True):
    """The server of a language model that the engine starts and supervises."""

    python: str | None = None
    """Interpreter with sglang, or for the kind `local` with xllamacpp.

    None: the one that `soar-tui setup` noted, else the engine's own."""
    model: str | None = None
    """Model of the kind `sglang`: a folder or a hub name; of `local`: a GGUF file."""
    tp: Positive = 1
    """GPUs that one copy of the model is spread over."""
    dp: Positive = 1
    """Copies of the model."""
    quantization: Literal["fp8"] | None = None
    """How sglang quantises the weights; none: as they are."""
    flags: tuple[str, ...] = ()
    """Put at the end of sglang's command line."""
    slots: Positive = 8
    """Completions the `local` server works on at once."""
    threads: Count = 0
    """Threads of the `local` server; 0 means one per core."""
    start_seconds: Seconds = 1800.0
    """How long a start may take until the server is ready."""


class TrainConfig(_Section, frozen=True):
    """How a language model is tuned (SOAR §8)."""

    trainer: Literal["unsloth", "hf"] = "unsloth"
    """unsloth, for GPUs; hf: transformers and peft, for a small model on a CPU, too."""
    python: str | None = None
    """Interpreter with the trainer's packages.

    None: the one that `soar-tui setup` noted, else the engine's own."""
    model: str | None = None
    """The base model, a folder or a hub name; none: `serve.model`."""
    rank: Positive = 256
    """Rank of the LoRA update."""
    alpha: Positive = 32
    """The update is scaled by alpha / √rank (RS-LoRA)."""
    four_bit: bool | None = None
    """Whether unsloth loads the base in 4 bits; none: above 15 billion parameters."""
    learning_rate: Annotated[float, Meta(gt=0)] = 5e-5
    """Learning rate at its highest; it falls as a cosine."""
    warmup: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    """Share of all steps over which the learning rate rises."""
    weight_decay: Annotated[float, Meta(ge=0)] = 0.05
    """Weight decay of AdamW."""
    epochs: Positive = 3
    """Times every row is seen."""
    steps: Count = 0
    """Optimiser steps; 0 means as many as the epochs take."""
    batch: Positive = 1
    """Rows at once."""
    accumulation: Positive = 64
    """Batches that make one optimiser step."""
    max_length: Positive = 30000
    """Tokens of prompt and answer; longer rows are left out and counted."""
    cpu: bool = False
    """Train on the CPU, in bfloat16 and on one thread."""
    silence_seconds: Seconds = 1800.0
    """Without a line of progress for as long, the trainer counts as hung."""


class EmbeddingConfig(_Section, frozen=True):
    """What right programs are held against each other by, to leave out near-duplicates (SOAR §7)."""

    model: str | None = None
    """A sentence-transformers model, e.g. `nomic-ai/CodeRankEmbed`: a folder or a hub name.

    None: the built-in sketch of a program's syntax tree."""
    python: str | None = None
    """Interpreter with sentence-transformers; none: the one that trains."""
    remote_code: bool = False
    """Run code that the model brings along, as CodeRankEmbed does."""


class LearnConfig(_Section, frozen=True):
    """What an iteration learns from (SOAR §7)."""

    strategy: Strategy = "greedy-diverse"
    """Which candidates become sampling examples."""
    samples: Count = 50
    """Sampling examples of one task at most."""
    repairs: Count = 50
    """Refinement examples of one task at most."""
    repairs_without_truth: bool = False
    """Whether tasks whose truth may not be used give refinement examples too."""
    pool: bool = True
    """Learn from all iterations so far, not only from the last."""
    skills: Count = 200
    """Programs kept beside a checkpoint as its skill library, to show by example; 0: none."""
    embedding: EmbeddingConfig = msgspec.field(default_factory=EmbeddingConfig)
    runs: tuple[str, ...] = ()
    """Folders of other runs to learn from, too: from all their iterations."""


class SearchConfig(_Section, frozen=True):
    """How one task is searched (SOAR §2, §5)."""

    samples: Count = 3000
    """Programs sampled per task."""
    wave: Positive = 50
    """Programs sampled in one pull."""
    refinements: Count = 3000
    """Programs per task that repair another."""
    pull: Positive = 4
    """Repairs of one program in one pull."""
    perfect_stop: Positive = 100
    """A task is through with so many programs that are right on all demonstrations."""
    agree_stop: Count = 0
    """Stop, too, when one pattern has as many distinct perfect programs more than any other.

    0: never, as published."""
    effort: Literal["fixed", "adaptive"] = "fixed"
    """`adaptive`: what tasks that end early leave unspent goes to refining others that get on.

    They end early by `perfect_stop` and `agree_stop`."""
    bandit: Bandit = "rex"
    """How the program to refine is chosen; all but `rex` are there to compare with."""
    c: Annotated[float, Meta(gt=0)] = 20.0
    """C of REX: how much an arm's accuracy weighs against how often it was drawn."""
    islands: Positive = 1
    """Populations of a task that do not see each other; they vote together."""
    in_flight: Positive = 4
    """Pulls of one task under way at once; pull k sees what pulls up to k - in_flight showed."""


class VoteConfig(_Section, frozen=True):
    """How submissions are chosen (SOAR §6)."""

    formula: Formula = "sum"
    """`sum`, `text`, `appendix`: the published ones; `prior`: by the policy's own weights;
    `invariant`: by these, less for answers unlike all the demonstrations' in shape or colours."""
    c: Annotated[float, Meta(ge=0)] = 1000.0
    """c of the formulas: how much accuracy weighs against a program's mere presence."""


class SandboxConfig(_Section, frozen=True):
    """What a program may use (SOAR §4)."""

    workers: Count = 0
    """Zygotes; 0 means one per core."""
    pin: bool = False
    """Keep each zygote and its children on one core (Linux): steadier on a machine of your own; on a
    shared one a neighbour on that core holds them up."""
    fast_cpu: Seconds = 0.1
    """CPU seconds in the first lane; what needs longer is tried again in the slow lane."""
    cpu: Seconds = 2.0
    """CPU seconds per grid in the slow lane."""
    wall: Seconds = 10.0
    """Seconds a program may go without using any CPU before it counts as stuck."""
    memory_mb: Positive = 1024
    """Memory of one program, in MiB."""
    minimum: Level = "reduced"
    """The weakest isolation that will do; below it no engine starts."""


class ClusterConfig(_Section, frozen=True):
    """The Ray cluster on which programs run and the embedded policy proposes (docs/scaling.md)."""

    address: Annotated[str, Meta(pattern=r"^(auto|ray://[^\s/]+:\d+|[^\s/:]+:\d+)$")] | None = None
    """`auto` for the cluster of this machine or of RAY_ADDRESS, `ray://HOST:10001` for one reached
    through its client port, `HOST:6379` for one this machine is a node of; none: no cluster."""


class Settings(_Section, frozen=True):
    """All settings of a run, as `run.toml` holds them."""

    tasks: str = "sample"
    """Tasks to search, e.g. `arc1-eval`, `arc1-train:20`, a folder or a file (docs/tasks.md)."""
    seed: Count = 0
    """What all random choices follow from."""
    iterations: Positive = 1
    """Searches of the target tasks; between two of them the policy learns."""
    train_tasks: str | None = None
    """Tasks to learn from before the target tasks, with their truth; none: no such iterations."""
    train_iterations: Positive = 1
    """Searches of the tasks to learn from."""
    train_samples: Count | None = None
    """Programs sampled per task to learn from; none: `search.samples`."""
    train_refinements: Count | None = None
    """Programs per task to learn from that repair another; none: `search.refinements`."""
    learn_last: bool = False
    """Learn from the last iteration, too, for a checkpoint to go on from."""
    tasks_in_flight: Count = 0
    """Tasks searched at once; 0: 64, or more where the policy's servers have room for more."""
    policy: PolicyConfig = msgspec.field(default_factory=PolicyConfig)
    serve: ServeConfig = msgspec.field(default_factory=ServeConfig)
    train: TrainConfig = msgspec.field(default_factory=TrainConfig)
    search: SearchConfig = msgspec.field(default_factory=SearchConfig)
    vote: VoteConfig = msgspec.field(default_factory=VoteConfig)
    learn: LearnConfig = msgspec.field(default_factory=LearnConfig)
    sandbox: SandboxConfig = msgspec.field(default_factory=SandboxConfig)
    cluster: ClusterConfig = msgspec.field(default_factory=ClusterConfig)

    @property
    def planned_iterations(self) -> int:
        """Iterations in all: those on tasks to learn from, then those on the target tasks."""
        return self._learning + self.iterations

    @property
    def _learning(self) -> int:
        return self.train_iterations if self.train_tasks is not None else 0

    def search_at(self, iteration: int) -> SearchConfig:
        """Return how an iteration searches: on tasks to learn from with the budgets of these."""
        if iteration >= self._learning:
            return self.search
        samples, refinements = self.train_samples, self.train_refinements
        return msgspec.structs.replace(
            self.search,
            samples=self.search.samples if samples is None else samples,
            refinements=self.search.refinements if refinements is None else refinements,
        )


PRESETS: dict[str, Settings] = {
    "paper": Settings(),
    "cpu": Settings(
        tasks_in_flight=16,
        search=SearchConfig(samples=200, wave=50, refinements=200, in_flight=2, agree_stop=5),
        vote=VoteConfig(formula="invariant"),
    ),
    "demo": Settings(
        tasks_in_flight=16,
        search=SearchConfig(samples=100, wave=50, refinements=100, in_flight=2, agree_stop=10),
        vote=VoteConfig(formula="invariant"),
    ),
}


def preset(name: str) -> Settings:
    """Return a preset's settings. Raises ConfigError naming the presets there are."""
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def load_settings(path: Path) -> Settings:
    """Read settings from a TOML file; fields left out keep their defaults.

    Raises ConfigError naming the file, the field and what is allowed.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    return _settings(document, str(path))


def override(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Return the settings with dotted fields replaced, e.g. {"search.samples": 100}.

    Raises ConfigError naming the field and what is allowed.
    """
    document = msgspec.to_builtins(settings)
    for name, value in changes.items():
        *sections, last = name.split(".")
        place = document
        for section in sections:
            place = place.get(section)
            if not isinstance(place, dict):
                raise ConfigError(f"{name}: no section {section!r}")
        place[last] = value
    return _settings(document, "settings")


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings as TOML, whole or not at all (fields that are None are left out)."""
    import tomli_w

    document = _without_none(msgspec.to_builtins(settings))
    unfinished = path.with_name(path.name + ".new")
    with unfinished.open("wb") as file:
        tomli_w.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _settings(document: dict[str, Any], source: str) -> Settings:
    try:
        settings = msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        from engine.allowed import refusal

        raise ConfigError(f"{source}: {refusal(error, Settings)}") from error
    endless = next(_endless(msgspec.to_builtins(settings), ""), None)
    if endless is not None:
        raise ConfigError(f"{source}: {endless}: must be a finite number")
    return settings


def _endless(value: Any, place: str) -> Iterator[str]:
    """Yield the places of numbers that are infinite or none: a bound lets `inf` pass."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _endless(inner, f"{place}.{name}" if place else name)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _endless(inner, f"{place}[{number}]")


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list | tuple) else value
