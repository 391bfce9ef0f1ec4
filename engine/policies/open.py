"""Opening the policy a run asks for, whatever its kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine.config import ConfigError, PolicyConfig, Settings
from engine.policies.llm.prompts import ChooseShot
from engine.policies.own_module import own_module
from engine.policies.protocol import Policy

SERVER_LOG = "serve.log"
SHIPPED = Path(__file__).parent / "grammar" / "shipped.npz"
"""The embedded policy's checkpoint that comes with soar-tui; docs/learning.md says how it was made."""


def first_checkpoint(settings: Settings) -> Path | None:
    """Return the checkpoint a run starts from, or None for the untrained policy.

    Raises ConfigError when `shipped` is asked for by another kind than the embedded policy.
    """
    name = settings.policy.checkpoint
    if name != "shipped":
        return None if name is None else Path(name)
    if settings.policy.kind != "grammar":
        raise ConfigError(
            f"policy.checkpoint: shipped is of the kind grammar, not {settings.policy.kind}"
        )
    return SHIPPED


def shows_examples(config: PolicyConfig) -> bool:
    """Whether solved examples are shown: to a language model, unless `few_shot` is off."""
    return config.few_shot and config.kind not in ("grammar", "module")


@asynccontextmanager
async def open_policy(
    settings: Settings, logs: Path, choose_shot: ChooseShot | None = None
) -> AsyncIterator[Policy]:
    """Open the policy of `settings.policy.kind`, and close it in the end.

    `logs` is the folder for what a server of ours prints. Its `load` starts such a server, which
    may then take minutes for a large model: its status says so, and proposals wait for it.
    `choose_shot` chooses what is shown first, where `shows_examples`.

    The kinds: `grammar` embedded; `local` a GGUF file on this CPU; `sglang` a server of ours
    (`serve.model`) or, where `policy.endpoints` are given, ones that run already; `openai` any
    OpenAI-compatible servers; `module` whatever the module `policy.module` opens.
    Raises ConfigError for settings that do not fit the kind, PolicyError when it cannot start.
    """
    if settings.policy.kind == "grammar":
        from engine.policies.grammar import GrammarPolicy

        async with GrammarPolicy(settings.policy) as grammar:
            yield grammar
        return
    if settings.policy.kind == "module":
        async with own_module(settings.policy).open_policy(settings, logs) as policy:
            yield policy
        return
    async with _language_model(settings, logs, choose_shot) as model:
        yield model


@asynccontextmanager
async def _language_model(
    settings: Settings, logs: Path, choose_shot: ChooseShot | None
) -> AsyncIterator[Policy]:
    # Kept out of a run of the embedded policy, which needs no HTTP.
    from engine.policies.llm.client import ChatClient
    from engine.policies.llm.environments import serving_python
    from engine.policies.llm.local import LocalServer
    from engine.policies.llm.policy import LanguageModelPolicy
    from engine.policies.llm.pool import EndpointPool
    from engine.policies.llm.sglang_server import SglangElsewhere, SglangServer, check_sglang

    config, decoding, serve = settings.policy, settings.policy.decoding, settings.serve
    server: LocalServer | SglangServer | SglangElsewhere | None = None
    endpoints = config.endpoints
    match config.kind:
        case "local":
            python = serving_python(config, serve.python)
            server = LocalServer(serve, decoding, logs / SERVER_LOG, python=python)
            endpoints = (server.endpoint,)
        case "sglang" if endpoints:
            server = SglangElsewhere(endpoints, serve.model)
        case "sglang":
            python = serving_python(config, serve.python)
            check_sglang(python)
            server = SglangServer(serve, decoding, logs / SERVER_LOG, python=python)
            endpoints = (server.endpoint,)
    if not endpoints:
        raise ConfigError("policy.endpoints: the kind openai needs at least one server")
    clients = [ChatClient(endpoint, decoding) for endpoint in endpoints]
    pool = EndpointPool(clients, ready=None if server is None else server.ready)
    shown = choose_shot if shows_examples(config) else None
    policy = LanguageModelPolicy(_name(settings), pool, decoding, server=server, choose_shot=shown)
    try:
        yield policy
    finally:
        await policy.close()


def _name(settings: Settings) -> str:
    kind = settings.policy.kind
    if kind == "openai" or (kind == "sglang" and settings.policy.endpoints):
        models = sorted({endpoint.model for endpoint in settings.policy.endpoints})
        return f"{kind}:{'+'.join(models)}"
    model = settings.serve.model
    name = "smollm2-135m" if model is None else Path(model).name.removesuffix(".gguf")
    return f"{kind}:{name}"
