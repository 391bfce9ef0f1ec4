"""A run whose programs a language model writes: what it took, and what is said when it cannot be."""

from __future__ import annotations

import json
import os
import signal
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from engine.archive.reader import RunReader
from engine.control import engine_alive, engine_process
from engine.learning.skills import load_skills
from engine.policies.llm.models import SMOLLM2, models_folder
from tests.cli.program import Said, spawn
from tests.cli.test_steering import until
from tests.learning.trainers import imitation_python
from tests.policies.llm import imitation
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


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('[policy]\nkind = "local"\n', "soar-tui setup local"),
        ('[policy]\nkind = "sglang"\n', "soar-tui setup serve"),
        ('[policy]\nkind = "openai"\n', "policy.endpoints"),
        (
            '[policy]\nkind = "openai"\n[[policy.endpoints]]\n'
            'url = "http://127.0.0.1:9/v1"\nkey_env = "NO_SUCH_KEY"\n',
            "environment variable NO_SUCH_KEY: holds no API key",
        ),
        (CONFIG.format(url="http://127.0.0.1:9/v1").replace("openai", "sglang"), "train.model"),
        (
            CONFIG.format(url="http://127.0.0.1:9/v1").replace("openai", "sglang")
            + "[serve]\nmodel = '/models/base'\n",
            "setup train",
        ),
    ],
)
def test_what_a_run_cannot_use_is_refused_in_one_sentence(
    tmp_path: Path, settings: str, said: str
) -> None:
    interpreters = [f"{section}.python={sys.executable}" for section in ("serve", "train")]
    options = [word for each in interpreters for word in ("--set", each)]
    refused = run(tmp_path, settings, "--iterations", "2", *options)
    assert refused.code == 2, refused.err
    assert said in refused.err and "Traceback" not in refused.err
    assert "exit code" not in refused.err


def starts(folder: Path) -> int:
    file = folder / "starts"
    return len(file.read_text().splitlines()) if file.exists() else 0


def tunable(home: Path, model: Path) -> str:
    """Return settings whose interpreter imitates both sglang and the trainer's."""
    model.mkdir()
    python = home / "python"
    python.write_text(
        '#!/bin/sh\ncase "$1" in -I) ;; -m) shift 2; '
        f'exec {sys.executable} {imitation.__file__} "$@" ;; '
        f'*) exec {sys.executable} {imitation_python.__file__} "$@" ;; esac\n'
    )
    python.chmod(0o755)
    return (
        'tasks = "sample:2"\niterations = 2\n[policy]\nkind = "sglang"\n'
        f"[serve]\npython = '{python}'\nmodel = '{model}'\n[train]\npython = '{python}'\n"
        "[search]\nsamples = 4\nwave = 4\nrefinements = 0\n"
    )


def test_a_run_that_starts_from_a_checkpoint_serves_it_and_tunes_the_base_model(
    tmp_path: Path,
) -> None:
    model = tmp_path / "model"
    said = run(tmp_path, tunable(tmp_path, model), "--json")
    assert said.code == 0, said.err
    config = ("--config", str(tmp_path / "box.toml"))
    said = spawn(tmp_path, "run", *config, "--name", "two", "--checkpoint", "one", "--json")
    assert said.code == 0, said.err
    learned = tmp_path / "runs" / "one" / "checkpoints" / "iteration-0"
    assert (starts(model), starts(learned / "merged")) == (1, 2)
    with RunReader(tmp_path / "runs" / "two") as reader:
        assert [row.checkpoint for row in reader.iterations()] == ["iteration-0"] * 2
        assert [row.base for row in reader.checkpoints()] == [str(model)]


def test_a_run_that_goes_on_serves_its_latest_checkpoint_and_no_other(tmp_path: Path) -> None:
    model = tmp_path / "model"
    said = run(tmp_path, tunable(tmp_path, model), "--json")
    assert said.code == 0, said.err
    checkpoints = tmp_path / "runs" / "one" / "checkpoints"
    first, second = (checkpoints / f"iteration-{number}" / "merged" for number in range(2))
    assert (starts(model), starts(first)) == (1, 1)
    said = spawn(tmp_path, "iterate", "one", "--iterations", "2", "--json")
    assert said.code == 0, said.err
    assert [one["index"] for one in said.document["iterations"]] == [0, 1, 2, 3]
    # The second engine learned from iteration 1 first, and then served what it had learned.
    assert (starts(model), starts(first), starts(second)) == (1, 1, 1)


def put_tasks(folder: Path) -> None:
    """Write a task of one row, which all the imitation's programs keep, and one they never solve."""
    folder.mkdir()
    for name, below in (("kept", []), ("unsolved", [[5, 6, 7]])):
        grids = [[[1, 2, number], *below] for number in (3, 4, 5)]
        pairs = [{"input": grid, "output": [[9]] if below else grid} for grid in grids[:2]]
        task = {"train": pairs, "test": [{"input": grids[2]}]}
        (folder / f"{name}.json").write_text(json.dumps(task))


def skills_of(folder: Path, iteration: int) -> Path:
    return folder / "checkpoints" / f"iteration-{iteration}.skills.zst"


def test_a_model_without_weights_of_ours_learns_by_what_it_is_shown(tmp_path: Path) -> None:
    put_tasks(tmp_path / "tasks")
    with Imitation() as server:
        config = CONFIG.format(url=server.url).replace("sample:2", str(tmp_path / "tasks"))
        said = run(tmp_path, "iterations = 3\ntasks_in_flight = 1\n" + config, "--json")
        assert said.code == 0, said.err
        prompts = [body["messages"][1]["content"] for body in server.asked("/v1/chat/completions")]
    assert [one["finished"] for one in said.document["iterations"]] == [2, 2, 2]
    shown = [text for text in prompts if "# A solved example" in text]
    assert shown and all("return grid[::-" in text for text in shown)
    # Where the unsolved task is asked for, the solved one is shown, and never itself.
    of_unsolved = [text.partition("# The puzzle")[0] for text in shown if "[[9]]" in text]
    assert of_unsolved and all("[[1 2 3]]" in text for text in of_unsolved)
    # A repair is shown a skill once there is a library.
    repairs = ["# A solved example" in text for text in prompts if "does not solve it yet" in text]
    assert repairs == [False, True, True]
    folder = tmp_path / "runs" / "one"
    with RunReader(folder) as reader:
        told = [event.text for event in reader.events() if event.kind == "learn"]
        assert not reader.checkpoints()
    assert told[0] == "learning from iteration 1"
    assert "openai:m: no weights of ours to tune" in told[1] and " skills" in told[1]
    # It was of no use to one wave and one repair in iteration 1, and has that counted back.
    before, after = (load_skills(skills_of(folder, number)).skills for number in range(2))
    assert [dict(skill.rates) for skill in before] == [{"sample": 0.5, "refine": 0.5}]
    assert [dict(skill.rates) for skill in after] == [{"sample": 0.45, "refine": 0.45}]


def test_a_model_that_learns_by_example_goes_on_with_the_same_skills(tmp_path: Path) -> None:
    put_tasks(tmp_path / "tasks")
    folder = tmp_path / "runs" / "one"
    with Imitation() as server:
        server.faults.extend([None] * 3 + ["gone"])
        config = CONFIG.format(url=server.url).replace("sample:2", str(tmp_path / "tasks"))
        config = "iterations = 2\nlearn_last = true\ntasks_in_flight = 1\n" + config
        said = run(tmp_path, config, "--detach")
        assert said.code == 0, said.err
        until(lambda: len(server.requests) == 4, "iteration 1 asks")
        process = engine_process(folder)
        assert process is not None
        os.killpg(process, signal.SIGKILL)
        until(lambda: not engine_alive(folder), "the kernel has given the lock back")
        first = skills_of(folder, 0).read_bytes()
        said = spawn(tmp_path, "resume", "one", "--json")
        assert said.code == 0, said.err
    assert skills_of(folder, 0).read_bytes() == first
    (skill,) = load_skills(skills_of(folder, 1)).skills
    assert skill.rates == {"sample": 0.45, "refine": 0.45}


def test_without_few_shot_no_example_is_shown(tmp_path: Path) -> None:
    put_tasks(tmp_path / "tasks")
    with Imitation() as server:
        config = CONFIG.format(url=server.url).replace("sample:2", str(tmp_path / "tasks"))
        config = "iterations = 2\n" + config.replace('"openai"', '"openai"\nfew_shot = false')
        said = run(tmp_path, config, "--json")
        prompts = [body["messages"][1]["content"] for body in server.asked("/v1/chat/completions")]
    assert said.code == 0 and not any("# A solved example" in text for text in prompts)


def test_no_file_holds_the_key_and_no_log_any_text_of_a_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_KEY", "sk-very-secret")
    with Imitation() as server:
        config = CONFIG.format(url=server.url).replace('"m"', '"m"\nkey_env = "MODEL_KEY"')
        config = (
            "tasks_in_flight = 1\n" + config
        )  # one after the other, or the last may end it first
        server.faults.extend(["busy", "abort", "garbage", "echo"])
        said = run(tmp_path, config)
        prompts = [body["messages"][1]["content"] for body in server.asked("/v1/chat/completions")]
        assert server.headers[0]["authorization"] == "Bearer sk-very-secret"
        server.faults.extend(["echo key"] * 9)
        again = spawn(tmp_path, "resume", "one")
    assert said.code == again.code == 1
    told = [" ".join(text.split()) for text in (said.err, again.err)]
    assert "repeats the prompt" in told[0] and "wrong key in Bearer …" in told[1]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"very-secret" in path.read_bytes()]
    logs = "".join(path.read_text() for path in (tmp_path / "runs" / "one" / "logs").iterdir())
    shown = " ".join((logs + said.err + said.out + again.err + again.out).split())
    assert "not a chat completion" in shown
    for prompt in prompts:
        words = prompt.split()
        assert not [at for at in range(len(words) - 4) if " ".join(words[at : at + 4]) in shown]


def test_what_the_engine_refuses_to_go_on_with_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_KEY", "sk-very-secret")
    settings = tmp_path / "runs" / "one" / "run.toml"
    with Imitation() as server:
        config = CONFIG.format(url=server.url).replace('"m"', '"m"\nkey_env = "MODEL_KEY"')
        assert run(tmp_path, config).code == 0
        before = settings.read_bytes()
        refused = spawn(tmp_path, "iterate", "one", MODEL_KEY="")
        assert refused.code == 2 and "MODEL_KEY: holds no API key" in refused.err
        assert settings.read_bytes() == before
        said = spawn(tmp_path, "iterate", "one", "--json")
    assert said.code == 0, said.err
    assert [one["index"] for one in said.document["iterations"]] == [0, 1]


KINDS = ("grammar", "local", "sglang", "openai")


def test_a_run_file_changes_in_nothing_but_the_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    smollm2 = models_folder() / SMOLLM2.file
    smollm2.parent.mkdir(parents=True)
    with smollm2.open("wb") as file:
        file.truncate(SMOLLM2.size)
    model = tmp_path / "model"
    model.mkdir()
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\n[ "$1" = -I ] && exit 0\nshift 3  # the server, --model and its file\n'
        f'exec {sys.executable} {imitation.__file__} --model-path {model} "$@"\n'
    )
    python.chmod(0o755)
    files, policies = {}, {}
    with Imitation() as server:
        config = CONFIG.format(url=server.url) + f"[serve]\npython = '{python}'\n"
        (tmp_path / "box.toml").write_text(config)
        for kind in KINDS:
            arguments = ("--config", str(tmp_path / "box.toml"), "--set", f"policy.kind={kind}")
            said = spawn(tmp_path, "run", *arguments, "--name", kind, "--from-scratch", "--json")
            assert said.code == 0, said.err
            run_folder = tmp_path / "runs" / kind
            files[kind] = tomllib.loads((run_folder / "run.toml").read_text())
            assert files[kind]["policy"].pop("kind") == kind
            with RunReader(run_folder) as reader:
                policies[kind] = reader.iterations()[0].policy
    assert all(files[kind] == files["grammar"] for kind in KINDS)
    assert starts(model) == 1  # the local one; the others are named in the file
    assert policies == {
        "grammar": policies["grammar"],
        "local": "local:smollm2-135m",
        "sglang": "sglang:m",
        "openai": "openai:m",
    }
