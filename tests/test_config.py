"""Settings: presets, overrides, TOML there and back, refusals that name the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import (
    PRESETS,
    ConfigError,
    SearchConfig,
    Settings,
    VoteConfig,
    load_settings,
    override,
    preset,
    save_settings,
)

settings = st.builds(
    Settings,
    tasks=st.text(min_size=1, max_size=20),
    seed=st.integers(0, 2**62),
    search=st.builds(
        SearchConfig,
        samples=st.integers(0, 10**6),
        bandit=st.sampled_from(["rex", "uniform", "greedy", "thompson-no-discount"]),
        c=st.floats(0.01, 1e6),
    ),
    vote=st.builds(VoteConfig, formula=st.sampled_from(["sum", "text", "appendix"])),
)


@given(settings)
def test_toml_there_and_back(tmp_path_factory, settings):
    path = tmp_path_factory.mktemp("settings") / "run.toml"
    save_settings(settings, path)
    assert load_settings(path) == settings


def test_the_paper_preset_is_the_method_as_published():
    paper = preset("paper")
    assert (paper.search.samples, paper.search.refinements) == (3000, 3000)
    assert (paper.search.wave, paper.search.pull, paper.search.perfect_stop) == (50, 4, 100)
    assert (paper.search.c, paper.vote.c, paper.vote.formula) == (20.0, 1000.0, "sum")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_its_own_file(name, tmp_path):
    save_settings(preset(name), tmp_path / "run.toml")
    assert load_settings(tmp_path / "run.toml") == preset(name)


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(ConfigError, match="choose one of paper, cpu, demo"):
        preset("quick")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[search]\nsamples = -1", "search.samples: Expected `int` >= 0"),
        ("[search]\nsamples = 'many'", "search.samples: Expected `int`, got `str`"),
        (
            "[search]\nsample = 1",
            "search: Object contains unknown field `sample`; did you mean `samples`?",
        ),
        (
            "[vote]\nformula = 'mean'",
            "vote.formula: Invalid enum value 'mean'; choose one of appendix, invariant, prior, sum, te",
        ),
        ("[vote]\nx = 1", "vote: Object contains unknown field `x`; choose one of formula, c"),
        ("[vote]\nc = inf", "vote.c: must be a finite number"),
        ("[search]\nc = 1e400", "search.c: must be a finite number"),
        ("sede = 1", "Object contains unknown field `sede`; did you mean `seed`?"),
        ("[serve]\nquantization = 'fp4'", "Invalid enum value 'fp4'; choose one of fp8"),
        (
            "[[policy.endpoints]]\nurl = 'http://a/v1'\nserver = 'x'",
            "policy.endpoints[0].server: Invalid enum value 'x'; choose one of hosted, llama.cpp, ol",
        ),
        (
            "[[policy.endpoints]]\nurl = 'http://a/v1'\nmodels = 'x'",
            "policy.endpoints[0]: Object contains unknown field `models`; did you mean `model`?",
        ),
        ("[search", "not TOML"),
    ],
)
def test_a_bad_file_is_refused_by_file_and_field(tmp_path, text, says):
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.toml: No such file"):
        load_settings(tmp_path / "nothing.toml")


def test_override_changes_one_field_and_checks_it():
    changed = override(preset("cpu"), {"search.samples": 7, "seed": 3})
    assert (changed.search.samples, changed.seed, changed.search.wave) == (7, 3, 50)
    with pytest.raises(ConfigError, match=r"search\.wave: Expected `int` >= 1"):
        override(preset("cpu"), {"search.wave": 0})
    with pytest.raises(ConfigError, match="no section 'serch'"):
        override(preset("cpu"), {"serch.wave": 1})


def test_a_list_of_endpoints_survives_the_file(tmp_path):
    endpoint = {"url": "https://models.example/v1", "key_env": "KEY", "extra": {"top_k": 20}}
    settings = override(Settings(), {"policy.kind": "openai", "policy.endpoints": [endpoint]})
    save_settings(settings, tmp_path / "run.toml")
    assert load_settings(tmp_path / "run.toml") == settings
    assert settings.policy.endpoints[0].key_env == "KEY"


def test_a_password_in_an_endpoint_is_refused_without_repeating_it():
    endpoint = {"url": "https://me:secret@models.example/v1"}
    with pytest.raises(ConfigError, match=r"policy.endpoints\[0\].url") as refused:
        override(Settings(), {"policy.endpoints": [endpoint]})
    assert "secret" not in str(refused.value)
