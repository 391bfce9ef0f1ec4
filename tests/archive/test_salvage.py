"""A damaged archive: the damage is found, what can be read comes over, the rest is searched again."""

import asyncio
import random
import sqlite3
from contextlib import closing

import pytest

from engine.archive.integrity import blob_faults, counter_faults, page_faults, reference_faults
from engine.archive.reader import RunReader
from engine.archive.salvage import salvage
from engine.archive.schema import ARCHIVE, ArchiveError
from engine.control.folder import RunFolderError
from engine.control.integrity import REPAIR, check_run, vote_faults
from engine.control.lock import EngineLock
from engine.control.repair import repair
from engine.search.invariants import invariants_of
from engine.search.vote import rank, tally_of
from tests.app.recorded import record, settings

PAGE = 4096
CHOSEN = settings("sample:6", iterations=2, **{"search.refinements": 200})


def unheard(*_):
    pass


@pytest.fixture
def run(tmp_path):
    return asyncio.run(record(tmp_path / "run", chosen=CHOSEN, seed=3))


def faults(folder):
    looks = (page_faults, reference_faults, counter_faults, lambda f: blob_faults(f, unheard))
    return [fault for look in looks for fault in look(folder)]


def change(folder, *statements):
    with closing(sqlite3.connect(folder / ARCHIVE.file, isolation_level=None)) as sql:
        for statement in statements:
            sql.execute(statement)


def pages_of(folder, table):
    with closing(sqlite3.connect(folder / ARCHIVE.file)) as sql:
        rows = sql.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)
        )
        return [page for (page,) in rows]


def spoil(folder, page, dice):
    with (folder / ARCHIVE.file).open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(dice.randbytes(PAGE))


def everything(folder):
    with RunReader(folder) as reader:
        return {
            (row.index, task): reader.pulls(row.index, task)
            for row in reader.iterations()
            for task in range(len(reader.tasks()))
        }


def test_a_whole_archive_has_no_faults(run):
    assert faults(run) == []
    assert all(check.ok or check.name == "checkpoints" for check in check_run(run, unheard))


@pytest.mark.parametrize(
    "table", ["program", "outcome", "pattern", "candidate", "pull", "search", "vote"]
)
def test_a_corrupted_page_costs_only_what_was_on_it(run, table):
    before, dice = everything(run), random.Random(table)
    spoil(run, dice.choice(pages_of(run, table)), dice)
    assert faults(run)
    repaired = repair(run, unheard)
    assert faults(run) == []
    assert not list(vote_faults(run, CHOSEN, unheard))
    after = everything(run)
    cut = {(iteration, task): pulls for iteration, task, pulls in repaired.salvaged.cut}
    for place, pulls in before.items():
        assert after[place] == pulls[: cut.get(place, len(pulls))]
    assert cut
    assert (repaired.aside / ARCHIVE.file).stat().st_size
    with RunReader(run) as reader:
        for row in reader.iterations():
            whole = not any(place[0] == row.index for place in cut)
            assert (row.ended is not None) == whole
            assert row.candidates == sum(
                len(found)
                for (i, _), pulls in after.items()
                if i == row.index
                for _, found in pulls
            )


@pytest.mark.parametrize("table", ["search", "vote", "pattern"])
def test_a_run_that_cannot_be_summed_up_is_looked_over_all_the_same(run, table):
    dice = random.Random(table)
    spoil(run, dice.choice(pages_of(run, table)), dice)
    found = {check.name: check for check in check_run(run, unheard)}
    assert list(found) == [
        "settings", "archive", "pages", "references", "blobs", "counters", "votes", "checkpoints",
        "engine",
    ]  # fmt: skip
    assert not found["archive"].ok and found["archive"].repairable
    assert found["archive"].hint == found["engine"].hint == REPAIR
    repair(run, unheard)
    assert [c.name for c in check_run(run, unheard) if not c.ok] == ["checkpoints"]


def test_what_does_not_open_is_not_for_a_repair(run):
    (run / ARCHIVE.file).write_bytes(b"no archive at all " * 1000)
    (check,) = [check for check in check_run(run, unheard) if not check.ok]
    assert check.name == "archive" and not check.repairable and check.hint is None


def leave_out_numbers(folder, iteration, task):
    """Number a search's pulls as one does whose islands passed their turn now and then."""
    place = f"iteration = {iteration} AND task = {task}"
    change(
        folder,
        f"UPDATE pull SET number = -number * 2 WHERE {place} AND number > 1",
        f"UPDATE pull SET number = -number WHERE {place} AND number < 0",
    )
    with RunReader(folder) as reader:
        numbers = [pull.number for pull, _ in reader.pulls(iteration, task)]
    assert numbers[:4] == [0, 1, 4, 6]
    return numbers


def lose(folder, iteration, task, number):
    """Lose a pull with its candidates."""
    pull = f"iteration = {iteration} AND task = {task} AND number = {number}"
    change(
        folder,
        f"DELETE FROM candidate WHERE pull = (SELECT id FROM pull WHERE {pull})",
        f"DELETE FROM pull WHERE {pull}",
    )


def test_a_whole_search_whose_islands_passed_their_turn_is_left_alone(run):
    leave_out_numbers(run, 1, 3)
    before = everything(run)
    lose(run, 1, 2, 4)
    assert repair(run, unheard).salvaged.cut == [(1, 2, 4)]
    after = everything(run)
    assert after.pop((1, 2)) == before.pop((1, 2))[:4]
    assert after == before


@pytest.mark.parametrize("at", [0, 3, -1])
def test_a_pull_lost_among_left_out_numbers_is_missed(run, at):
    numbers = leave_out_numbers(run, 1, 3)
    before = everything(run)[1, 3]
    lose(run, 1, 3, numbers[at])
    kept = at % len(numbers)
    assert repair(run, unheard).salvaged.cut == [(1, 3, kept)]
    assert everything(run)[1, 3] == before[:kept]
    assert faults(run) == []


def test_a_pattern_that_is_not_there_is_told_and_mended(run):
    with RunReader(run) as reader:
        lost = reader.votes(1, 3).ranked[0].pattern
    change(run, "PRAGMA foreign_keys = OFF", f"DELETE FROM pattern WHERE id = {lost}")
    change(run, "UPDATE vote SET weight = weight + 1 WHERE iteration = 1 AND task = 4 AND rank = 1")
    with RunReader(run) as reader, pytest.raises(ArchiveError, match=f"pattern {lost} is not"):
        reader.votes(1, 3)
    wrong = {check.name: check for check in check_run(run, unheard) if not check.ok}
    assert any(f"pattern {lost} is not there" in fault for fault in wrong["votes"].faults)
    assert wrong["votes"].repairable and wrong["references"].repairable
    cut = repair(run, unheard).salvaged.cut
    assert [(iteration, task) for iteration, task, _ in cut] == [(0, 3), (1, 3)]
    assert [c.name for c in check_run(run, unheard) if not c.ok] == ["checkpoints"]
    with RunReader(run) as reader:
        assert reader.votes(1, 3) is None, "searched again"
        assert reader.votes(1, 4) is None, "a fault beyond one that cannot be read is mended too"


def test_a_source_that_is_not_what_was_stored_is_noticed(run):
    change(
        run, "UPDATE program SET source = (SELECT source FROM program WHERE id = 6) WHERE id = 5"
    )
    (fault,) = blob_faults(run, unheard)
    assert "program 5" in fault


def test_a_vote_its_candidates_do_not_add_up_to_is_taken_back(run):
    change(run, "UPDATE vote SET weight = weight + 1 WHERE iteration = 1 AND task = 2 AND rank = 1")
    (fault,) = vote_faults(run, CHOSEN, unheard)
    assert (fault.iteration, fault.task) == (1, 2)
    repair(run, unheard)
    with RunReader(run) as reader:
        assert reader.votes(1, 2) is None and reader.votes(1, 1) is not None
        assert [row.ended is None for row in reader.iterations()] == [False, True]


@pytest.mark.parametrize("formula", ["sum", "appendix", "prior", "invariant"])
def test_a_vote_taken_with_another_c_is_no_fault_but_one_that_no_c_explains_is(run, formula):
    with RunReader(run) as reader:
        for task in range(len(reader.tasks())):
            tallies = map(tally_of, reader.tallies(1, task))
            ranked = rank(tallies, formula, 7.25, invariants_of(reader.tasks()[task]))
            weights = {tally.pattern: weight for tally, weight in ranked}
            vote = reader.votes(1, task)
            change(
                run,
                f"UPDATE search SET formula = '{formula}' WHERE iteration = 1 AND task = {task}",
                *(
                    f"UPDATE vote SET weight = {weights[b''.join(row.outputs)]!r} "
                    f"WHERE iteration = 1 AND task = {task} AND rank = {row.rank}"
                    for row in vote.ranked
                ),
            )
            assert len(vote.ranked) > 1
    assert CHOSEN.vote.c != 7.25
    assert not list(vote_faults(run, CHOSEN, unheard))
    change(run, "UPDATE vote SET weight = weight + 1 WHERE iteration = 1 AND task = 2 AND rank = 1")
    change(run, "UPDATE vote SET count = count + 1 WHERE iteration = 1 AND task = 4 AND rank = 1")
    found = [(fault.iteration, fault.task) for fault in vote_faults(run, CHOSEN, unheard)]
    assert found == [(1, 2), (1, 4)]


def test_a_candidate_or_a_pull_that_is_not_there_is_named(run):
    with RunReader(run) as reader:
        pull, candidates = reader.pulls(1, 3)[2]
    lost, left = candidates[0].id, candidates[-1].id
    change(run, "PRAGMA foreign_keys = OFF", f"DELETE FROM candidate WHERE id = {lost}")
    with RunReader(run) as reader, pytest.raises(ArchiveError, match=f"candidate {lost} is not"):
        reader.pulls(1, 3)
    gone = f"iteration = 1 AND task = 3 AND number = {pull.number}"
    change(run, "PRAGMA foreign_keys = OFF", f"DELETE FROM pull WHERE {gone}")
    with RunReader(run) as reader, pytest.raises(ArchiveError, match="the pull of candidate"):
        reader.candidate(left)


def test_wrong_counters_and_lost_rows_are_told(run):
    change(run, "UPDATE search SET candidates = 3 WHERE iteration = 0 AND task = 1")
    assert any("iteration 0, task 1" in fault for fault in counter_faults(run))
    change(run, "PRAGMA foreign_keys = OFF", "DELETE FROM program WHERE id = 2")
    assert any("program" in fault for fault in reference_faults(run))


def test_without_its_tasks_nothing_can_be_made_of_it_and_nothing_is_changed(run):
    spoil(run, pages_of(run, "task")[0], random.Random(1))
    before = (run / ARCHIVE.file).read_bytes()
    with pytest.raises(ArchiveError, match="task cannot be read"):
        repair(run, unheard)
    assert (run / ARCHIVE.file).read_bytes() == before
    assert not list(run.glob("damaged-*")) and not (run / ".repair").exists()


def test_no_repair_while_an_engine_is_on_the_folder(run):
    with EngineLock(run), pytest.raises(RunFolderError, match="running already"):
        repair(run, unheard)


def test_salvage_leaves_the_damaged_file_as_it_is(run, tmp_path):
    before = (run / ARCHIVE.file).read_bytes()
    (tmp_path / "new").mkdir()
    salvaged = salvage(run, tmp_path / "new", unheard)
    assert salvaged.cut == [] and not salvaged.unreadable
    assert (run / ARCHIVE.file).read_bytes() == before
    assert faults(tmp_path / "new") == []
