"""Embedding by a model in an interpreter of its own: what it tells alike, and how it fails."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from engine.config import ConfigError, Settings, override
from engine.learning.embedding import DIMENSIONS, distinct_programs
from engine.learning.embedding_model import check_embedding, opened_embedding
from engine.learning.trainers.protocol import TrainingError
from tests.learning.imitated_embedding import interpreter


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return interpreter(tmp_path_factory.mktemp("embeds"))


def settings(python, model, **more):
    changes = {"learn.embedding.model": model, "learn.embedding.python": python}
    return override(Settings(), changes | more)


def test_without_a_model_the_built_in_sketch_embeds():
    check_embedding(Settings())
    with opened_embedding(Settings()) as embedding:
        assert embedding(["a = 1"]).shape == (1, DIMENSIONS)


def test_programs_a_model_finds_alike_go(python, tmp_path):
    programs = ["a = 1", "bb = 2", "c = 3"]
    log = tmp_path / "logs" / "embedding.log"
    check_embedding(settings(python, "by length"))
    with opened_embedding(settings(python, "by length"), log) as embedding:
        assert embedding(programs).dtype == np.float32
        assert distinct_programs(programs, embedding) == [0, 1]
        assert embedding([]).shape[0] == 0
    assert "a banner" in log.read_text()
    with opened_embedding(settings(python, "all alike")) as embedding:
        assert distinct_programs(programs, embedding) == [0]


def test_more_programs_than_a_pipe_holds_go_in_and_their_vectors_come_out(python):
    programs = ["x" * length for length in range(900)]
    with opened_embedding(settings(python, "by length")) as embedding:
        vectors = embedding(programs)
    assert list(vectors.argmax(axis=1)) == [length % 300 for length in range(900)]


def test_code_of_a_models_own_runs_only_where_it_may(python):
    with (
        opened_embedding(settings(python, "needs code")) as embedding,
        pytest.raises(TrainingError, match=r"'needs code'.*trust_remote_code"),
    ):
        embedding(["a = 1"])
    allowed = settings(python, "needs code", **{"learn.embedding.remote_code": True})
    with opened_embedding(allowed) as embedding:
        assert len(embedding(["a = 1"])) == 1


@pytest.mark.parametrize(
    ("model", "said"),
    [("refuses", "ValueError: no such model"), ("dies", "exit code 9; see .*log")],
)
def test_a_model_that_fails_is_named_with_its_reason(python, tmp_path, model, said):
    log = tmp_path / "embedding.log"
    with (
        opened_embedding(settings(python, model), log) as embedding,
        pytest.raises(TrainingError, match=f"learn.embedding.model '{model}'.*{said}"),
    ):
        embedding(["a = 1"])


def test_cancelling_ends_a_model_that_hangs(python, tmp_path):
    named, cancelled = tmp_path / "hangs", threading.Event()
    errors = []

    def work():
        try:
            with opened_embedding(settings(python, str(named)), None, cancelled) as embedding:
                embedding(["a = 1"])
        except TrainingError as error:
            errors.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    while not named.exists() or not named.read_text():
        thread.join(0.01)
        assert thread.is_alive(), errors
    cancelled.set()
    thread.join(60)
    assert not thread.is_alive()
    assert "cancelled" in errors[0]
    assert not Path("/proc", named.read_text()).exists()


def test_an_interpreter_without_the_library_is_refused_before_the_search(python, tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    with pytest.raises(ConfigError, match="lacks sentence_transformers"):
        check_embedding(settings(str(bare / "bin" / "python"), "any"))
    with pytest.raises(ConfigError, match=r"learn\.embedding\.python"):
        check_embedding(settings(str(tmp_path / "nowhere"), "any"))
