"""Learn acts on what is selected in it, and offers only checkpoints that new runs can start from."""

import pytest

from engine.archive.catalogue import CatalogueError
from engine.archive.rows import Checkpoint, Example
from engine.archive.writer import ArchiveWriter
from engine.programs.candidate import candidate_id, split_candidate_id
from soar_tui.checkpoints import CheckpointChoiceError, checkpoint_in_use, use_checkpoint
from soar_tui.screens.note import Note
from soar_tui.screens.rows import Rows
from tests.app.recorded import NOW, make_folder, record, settings
from tests.app.stage import opened, settled, text, until


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "small", chosen=settings("sample:3"))


async def with_checkpoint_of(folder, policy):
    """Record a run whose first iteration taught a policy; return it with what was made."""
    chosen = settings("sample:2", **{"policy.kind": policy})
    await record(make_folder(folder, chosen), chosen=chosen, learned=False)
    made = folder / "checkpoints" / "iteration-0"
    if policy == "grammar":
        made.parent.mkdir()
        made.write_bytes(b"weights")
    else:
        made.mkdir(parents=True)
        (made / "checkpoint.json").write_text("{}")
    writer = ArchiveWriter(folder)
    writer.put_checkpoint(Checkpoint(0, "checkpoints/iteration-0", policy, "", 24, 8.0, NOW))
    await writer.flush()
    await writer.close()
    return made


async def test_what_a_language_model_learned_is_not_offered_to_the_embedded_policy(home):
    await with_checkpoint_of(home / "runs" / "llm", "sglang")
    before = checkpoint_in_use()
    async with opened(home / "runs" / "llm", desk=home, place="learn") as (app, pilot):
        reason = app.why_not("activate")
        assert "sglang" in reason and "only the embedded policy" in reason
        await pilot.press("A")
        await pilot.pause()
        assert not any(work.group == "steering" for work in app.workers)
    assert checkpoint_in_use() == before


async def test_what_the_embedded_policy_learned_is_what_its_new_runs_start_from(home):
    made = await with_checkpoint_of(home / "runs" / "own", "grammar")
    async with opened(home / "runs" / "own", desk=home, place="learn") as (_app, pilot):
        await pilot.press("A")
        await until(lambda: checkpoint_in_use() == str(made.resolve()), "it is in use")


async def test_a_checkpoint_of_a_language_model_is_not_chosen_by_any_name(home):
    made = await with_checkpoint_of(home / "runs" / "llm", "local")
    before = checkpoint_in_use()
    for name in ("llm", "llm:1", str(made)):
        with pytest.raises(CheckpointChoiceError, match=f"run --checkpoint {name}"):
            use_checkpoint(name)
    assert checkpoint_in_use() == before


async def test_a_damaged_catalogue_hides_nothing_of_what_was_learned(home, folder):
    async with opened(folder, desk=home / "desk", place="overview") as (app, pilot):
        (home / "catalogue.json").write_text("{ damaged")
        with pytest.raises(CatalogueError):
            checkpoint_in_use()
        await pilot.press("6")
        await settled(app, pilot)
        assert "examples used" in text(app) and "checkpoints" in text(app)


@pytest.mark.parametrize("key", ["c", "d", "v"])
async def test_a_place_inside_a_candidate_is_opened_at_the_selected_example(home, folder, key):
    async with opened(folder, desk=home) as (app, pilot):
        app.look(candidate=candidate_id(0, 2, 3), task=2)
        app.go("learn")
        await settled(app, pilot)
        await pilot.press(*["down"] * 6)
        await settled(app, pilot)
        body = app.current_place._body
        row = app.current_place.query_one("#examples", Rows).selected
        chosen = dict(body.examples)[row.key].candidate
        await pilot.press(key)
        await settled(app, pilot)
        assert app.view.candidate == chosen != candidate_id(0, 2, 3)
        assert app.view.task == split_candidate_id(chosen)[1]


async def test_a_bookmark_set_in_learn_is_of_the_selected_example(home, folder):
    async with opened(folder, desk=home, place="learn") as (app, pilot):
        app.look(candidate=candidate_id(0, 2, 3))
        await settled(app, pilot)
        await pilot.press("down", "b")
        await until(lambda: isinstance(app.screen, Note), "a note is asked for")
        await pilot.press("enter")
        body = app.screen_stack[0]._body
        await until(lambda: app.bookmarks() == {body.examples[1][1].candidate}, "it is marked")


async def test_an_example_of_another_run_is_not_taken_for_a_candidate_of_this(home):
    folder = await record(home / "runs" / "both", chosen=settings("sample:2"), learned=False)
    writer = ArchiveWriter(folder)
    example = Example(0, "sample", "correct", candidate_id(0, 1, 2), run="elsewhere")
    writer.put_examples([example])
    writer.put_checkpoint(Checkpoint(0, "checkpoints/m1", "grammar", "", 1, 8.0, NOW))
    await writer.flush()
    await writer.close()
    async with opened(folder, desk=home, place="learn") as (app, pilot):
        for key in ("c", "d", "v", "b", "enter"):
            app.look(candidate=candidate_id(0, 0, 3))
            await pilot.press(key)
            await pilot.pause()
            assert app.current_mode == "learn" and len(app.screen_stack) == 1, key
            assert app.view.candidate == candidate_id(0, 0, 3), key
        assert "from the run elsewhere" in app.why_not("go-chain")
