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
from engine.control.integrity import check_run, vote_faults
from engine.control.lock import EngineLock
from engine.control.repair import repair
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


@pytest.mark.parametrize("table", ["program", "outcome", "pattern", "candidate", "pull"])
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
