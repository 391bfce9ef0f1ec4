"""A run whose programs a language model writes: what it took, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.cli.program import Said, spawn
from tests.policies.llm.imitation import Imitation

CONFIG = """
tasks = "sample:2"
[policy]
kind = "openai"
[[policy.endpoints]]
url = "{url}"
model = "m"
server = "sglang"
price = {{ input = 2.0, output = 8.0, cached = 0.5 }}
[search]
samples = 4
wave = 4
refinements = 4
"""


def run(home: Path, config: str, *arguments: str) -> Said:
    home.mkdir(exist_ok=True)
    (home / "box.toml").write_text(config)
    return spawn(home, "run", "--config", str(home / "box.toml"), "--name", "one", *arguments)


def test_what_a_run_cost_is_told_in_all_and_for_each_candidate(tmp_path: Path) -> None:
    with Imitation() as server:
        said = run(tmp_path, CONFIG.format(url=server.url), "--json")
    assert said.code == 0, said.err
    (iteration,) = said.document["iterations"]
    requests = len(server.asked("/v1/chat/completions"))
    assert iteration["tokens_in"] == 100 * requests
    assert iteration["tokens_cached"] == 40 * requests
    assert iteration["tokens_out"] == 10 * iteration["candidates"]
    expected = requests * (60 * 2.0 + 40 * 0.5) / 1e6 + iteration["tokens_out"] * 8.0 / 1e6
    assert iteration["cost"] == said.document["cost"] == pytest.approx(expected)
    status = spawn(tmp_path, "status", "one", COLUMNS="300").out
    assert "tokens written" in status and "cost 0.0" in status
    task = said.document["results"][0]["task"]
    shown = msgspec.json.decode(spawn(tmp_path, "show", "one", task, "--json").out)
    assert shown["candidate"]["weights"] == "default" and shown["candidate"]["finish"] == "stop"
    assert 0 < shown["candidate"]["cost"] < shown["cost"] < said.document["cost"]
    text = spawn(tmp_path, "show", "one", task).out
    assert "tokens written" in text and "weights default" in text
