"""What the places inside a candidate show of it."""

import pytest

from engine.arc import load_tasks
from engine.archive.reader import RunReader
from engine.learning.example import Example
from engine.learning.skills import UNTRIED, Skill, library, save_skills, skills_beside
from engine.policies.llm.prompts import refine_messages, sample_messages
from tests.app.recorded import best_candidate, record, settings
from tests.app.stage import opened, settled, text

ASKED = {"tasks": "sample:1", "iterations": 1, "policy.kind": "openai"}


@pytest.mark.parametrize("operator", ["sample", "refine"])
async def test_a_language_models_prompt_is_the_one_it_was_given(home, operator):
    folder = await record(home / "runs" / "asked", chosen=settings(**ASKED))
    with RunReader(folder) as reader:
        task = reader.tasks()[0].without_truth()
        chain = reader.chain(best_candidate(folder))
        chosen = chain[0] if operator == "sample" else chain[-1]
        if operator == "sample":
            messages = sample_messages(task)
        else:
            messages = refine_messages(task, reader.candidate(chosen.parent).candidate)
    async with opened(folder, desk=home) as (app, pilot):
        app.look(candidate=chosen.id)
        app.go("prompt")
        await settled(app, pilot)
        _, prompt = app.current_place.copied()
        for message in messages:
            assert message["content"] in prompt
        assert "You are a specialist in ARC-AGI puzzles" in text(app)
        assert f"{sum(len(m['content']) for m in messages):,} characters" in text(app)


@pytest.mark.parametrize("operator", ["sample", "refine"])
async def test_the_skill_that_a_call_was_shown_stands_in_its_prompt(home, operator):
    folder = await record(home / "runs" / "shown", chosen=settings(**{**ASKED, "iterations": 2}))
    lesson = load_tasks("sample:2").tasks[1]
    program = "def transform(grid):\n    return [row[::-1] for row in grid]\n"
    known = library([Skill(Example("hindsight", lesson.without_truth(), program, 7), UNTRIED)])
    (folder / "checkpoints").mkdir(exist_ok=True)
    save_skills(known, skills_beside(folder / "checkpoints" / "iteration-0"))
    with RunReader(folder) as reader:
        chosen = next(row for row in reader.candidate_rows(1, 0) if row.operator == operator)
    async with opened(folder, desk=home) as (app, pilot):
        app.look(candidate=chosen.id)
        app.go("prompt")
        await settled(app, pilot)
        _, prompt = app.current_place.copied()
        assert "# A solved example" in prompt and "return [row[::-1] for row in grid]" in prompt
        assert "the prompt with its skill" in text(app)


async def test_the_embedded_policy_is_shown_with_what_it_was_called_with(home):
    folder = await record(home / "runs" / "called", chosen=settings("sample:1", iterations=1))
    async with opened(folder, desk=home) as (app, pilot):
        app.look(candidate=best_candidate(folder))
        app.go("prompt")
        await settled(app, pilot)
        assert "operator   refine" in text(app) and "what the policy was given" in text(app)
