"""`soar-tui export dataset, programs, tables`: a run's data in the formats other tools read."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from soar_tui.cli.errors import InputError
from soar_tui.cli.options import ForceOption, JsonOption, OutOption, RunArgument
from soar_tui.cli.progress import counting, since_begun
from soar_tui.cli.written import Written, begin, interruptible, say

if TYPE_CHECKING:
    from engine.archive.reader import RunReader

DATASET_EPILOG = """A row is `{"prompt": [messages], "completion": [messages], "task_id", "origin",
"candidate"}`, which TRL and unsloth take as it is. Nothing in it comes from the truth of a target task.

Examples:

  soar-tui export dataset last --out chats.jsonl

  soar-tui export dataset last --out chats.parquet --iteration 1

  soar-tui export dataset last --out - | head -n 1 | jq -r '.prompt[1].content'"""
PROGRAMS_EPILOG = """The columns are those of the released SOAR dataset (docs/exports.md); `soar-tui import`
reads them back.

Examples:

  soar-tui export programs last --out programs.parquet

  soar-tui export programs last --out perfect.jsonl --which perfect

  soar-tui export programs last --out - | jq -r .code | head"""
TABLES_EPILOG = """docs/exports.md lists the tables and their columns.

Examples:

  soar-tui export tables last --out tables

  duckdb -c "SELECT operator, avg(accuracy) FROM 'tables/candidate.parquet' GROUP BY operator" """

IterationOption = Annotated[
    int | None,
    typer.Option(
        "--iteration", metavar="N", min=1, help="Only this one, counted from 1.", show_default=False
    ),
]


def dataset(
    run: RunArgument,
    out: OutOption,
    iteration: Annotated[
        int | None,
        typer.Option(
            "--iteration",
            metavar="N",
            min=1,
            help="What was learned after this one, counted from 1. [default: the last]",
            show_default=False,
        ),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Write the training data a run learns from as chats: JSONL (.jsonl or -) or Parquet.

    Where the iteration was learned from, these are the very examples; otherwise those that
    learning would choose.
    """
    from engine.exports.chats import examples, write_chats_jsonl, write_chats_parquet

    begun = begin(run, out, (".jsonl", ".parquet"), as_json=as_json)
    index = None if iteration is None else iteration - 1
    with begun.reader() as reader, interruptible(begun):
        found, source = examples(reader, begun.folder, begun.settings, index)
        with counting(found.what, as_json=as_json) as show:
            on_rows = since_begun(show)
            if str(out) == "-":
                rows = write_chats_jsonl(found, sys.stdout.buffer, on_rows)
                sys.stdout.buffer.flush()
            else:
                write = write_chats_parquet if out.suffix == ".parquet" else write_chats_jsonl
                rows = write(found, out, force=force, on_rows=on_rows, on_found=begun.left)
    return say(begun, Written(source, rows, ((out, rows),)))


def programs(
    *,
    run: RunArgument,
    out: OutOption,
    which: Annotated[
        Literal["all", "unfiltered", "perfect", "right"],
        typer.Option(
            "--which",
            help="unfiltered: those no filter bars; perfect: of these, right on all demonstrations; "
            "right: and on all test inputs, which uses the truth.",
        ),
    ] = "unfiltered",
    iteration: IterationOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Write a run's distinct programs with what they gave: Parquet, or JSONL (.jsonl or -)."""
    from engine.exports.programs import (
        program_records,
        write_programs_jsonl,
        write_programs_parquet,
    )

    begun = begin(run, out, (".jsonl", ".parquet"), as_json=as_json)
    left_out: Counter[str] = Counter()
    with begun.reader() as reader, interruptible(begun):
        chosen = None if iteration is None else [_known_iteration(reader, iteration)]
        records = program_records(reader, which, left_out, chosen)
        with counting(records.what, as_json=as_json) as show:
            on_rows = since_begun(show)
            if str(out) == "-":
                rows = write_programs_jsonl(records, sys.stdout.buffer, on_rows)
                sys.stdout.buffer.flush()
            else:
                write = write_programs_parquet if out.suffix == ".parquet" else write_programs_jsonl
                rows = write(records, out, force=force, on_rows=on_rows, on_found=begun.left)
    return say(begun, Written("distinct programs", rows, ((out, rows),), left_out))


def tables(
    run: RunArgument,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="The folder to make.", show_default=False),
    ],
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Write the archive's tables as Parquet files into a folder, for DuckDB, Polars or pandas."""
    from engine.exports.tables import write_tables

    begun = begin(run, out, (), as_json=as_json)
    with (
        begun.reader() as reader,
        interruptible(begun),
        counting("rows", as_json=as_json) as show,
    ):
        counts = write_tables(
            reader, out, force=force, on_rows=since_begun(show), on_found=begun.left
        )
    files = tuple((out / f"{name}.parquet", rows) for name, rows in counts.items())
    return say(begun, Written("tables of archive.db", sum(counts.values()), files))


def _known_iteration(reader: RunReader, iteration: int) -> int:
    known = [row.index for row in reader.iterations()]
    if iteration - 1 not in known:
        raise InputError(f"--iteration {iteration}: the run has {len(known)} so far")
    return iteration - 1
