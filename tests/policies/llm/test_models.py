"""Packaged models are used whole and unchanged, or not at all."""

import hashlib
import sys
import zipfile
from dataclasses import replace

import pytest

from engine.config import ConfigError, DecodingConfig, ServeConfig, TrainConfig
from engine.learning.trainers.subprocess_trainer import check_interpreter
from engine.policies.llm import models
from engine.policies.llm.environment import missing_packages
from engine.policies.llm.errors import ModelError
from engine.policies.llm.local import LocalServer

CONTENT = b"GGUF" + bytes(range(256)) * 40

MODEL = models.PackagedModel(
    name="tiny",
    wheels=(("tiny-part1==1.0", "tiny/1.bin"), ("tiny-part2==1.0", "tiny/2.bin")),
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    provenance="made up",
)


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "models_folder", lambda: tmp_path / "cache")
    folder = tmp_path / "wheels"
    folder.mkdir()
    for part, content in ((1, CONTENT[:5000]), (2, CONTENT[5000:])):
        with zipfile.ZipFile(folder / f"tiny_part{part}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"tiny/{part}.bin", content)
    return folder


def test_a_model_in_parts_is_put_together(wheels):
    path = models.fetch(MODEL, wheels)
    assert path.read_bytes() == CONTENT
    assert models.find(MODEL) == path
    assert list(path.parent.iterdir()) == [path]


def test_a_model_of_another_hash_is_not_kept(wheels):
    with pytest.raises(ModelError, match="SHA-256"):
        models.fetch(replace(MODEL, sha256="0" * 64), wheels)
    with pytest.raises(ModelError, match="fetch it by"):
        models.find(MODEL)


def test_a_wheel_without_the_file_is_named(wheels):
    wrong = replace(MODEL, wheels=(("tiny-part1==1.0", "tiny/9.bin"),))
    with pytest.raises(ModelError, match=r"tiny_part1-1\.0.*holds no tiny/9"):
        models.fetch(wrong, wheels)


def test_a_truncated_file_in_the_cache_does_not_count(wheels):
    path = models.fetch(MODEL, wheels)
    path.write_bytes(CONTENT[:100])
    with pytest.raises(ModelError):
        models.find(MODEL)
    assert models.fetch(MODEL, wheels).read_bytes() == CONTENT


def test_only_models_we_pin_can_be_fetched(capsys):
    assert models.main(["gpt-9"]) == 2
    assert "smollm2-135m" in capsys.readouterr().err


def test_missing_packages_are_named():
    assert missing_packages(sys.executable, ["json", "no_such_package"]) == ["no_such_package"]


def test_an_interpreter_that_is_none_is_refused_before_the_search(tmp_path):
    config = TrainConfig(python=str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match=r"train\.python"):
        check_interpreter(config)
    with pytest.raises(ModelError, match=r"serve\.python"):
        LocalServer(ServeConfig(), DecodingConfig(), tmp_path / "log", python="/dev/null")
