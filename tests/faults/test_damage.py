"""A corrupted page: the error says what to do, the repair keeps the file, the run ends as it would."""

import random
import sqlite3
from contextlib import closing

import pytest

from engine.archive.schema import ARCHIVE
from engine.control.integrity import check_run
from engine.control.repair import repair
from tests.faults.ground import finish, new_run, recorded, state

PAGE = 4096


def unheard(*_):
    pass


def spoil(folder, table, dice):
    """Overwrite one page of a table with noise, as a failing disk would; return the file as it is."""
    path = folder / ARCHIVE.file
    with closing(sqlite3.connect(path)) as sql:
        pages = sql.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)
        ).fetchall()
    damaged = bytearray(path.read_bytes())
    start = (dice.choice(pages)[0] - 1) * PAGE
    damaged[start : start + PAGE] = dice.randbytes(PAGE)
    path.write_bytes(damaged)
    return bytes(damaged)


@pytest.mark.parametrize("table", ["candidate", "program"])
def test_a_corrupted_page_is_found_repaired_and_searched_again(tmp_path, searched, table):
    folder = new_run(tmp_path / "run")
    finish(folder)
    damaged = spoil(folder, table, random.Random(table))
    wrong = [check for check in check_run(folder, unheard) if not check.ok]
    assert wrong and all("--repair" in (check.hint or "") for check in wrong)
    aside = repair(folder, unheard).aside
    assert (aside / ARCHIVE.file).read_bytes() == damaged
    assert not [check for check in check_run(folder, unheard) if not check.ok]
    assert state(folder).state == "stopped"
    assert recorded(folder)[0].items() < searched[0].items()
    finish(folder)
    assert recorded(folder) == searched
    assert state(folder).state == "finished"
