"""How a run stands: as a document, and as tables with the next steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.figures.numbers import duration, money, of, percent, short
from soar_tui.cli.source_text import entry, print_source
from soar_tui.cli.standing import Standing, TaskResult, matching
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.archive.reader import RunReader
    from engine.archive.rows import CandidateRow, IterationRow
    from soar_tui.cli.documents.runs import IterationDocument, RunDocument, TaskResultDocument

ROWS = 60
"""The most tasks that are shown line by line."""


def run_document(now: Standing) -> RunDocument:
    """Return how a run stands as a document."""
    from soar_tui.cli.documents.runs import RunDocument

    last = now.last
    return RunDocument(
        run=now.folder.name,
        folder=str(now.folder),
        state=now.state.state,
        reason=now.state.reason,
        task_set=now.settings.tasks,
        policy=now.settings.policy.kind,
        seed=now.settings.seed,
        tasks=now.searched,
        known=0 if last is None else last.known,
        finished=0 if last is None else last.finished,
        solved=None if last is None else last.solved,
        oracle=None if last is None else last.oracle,
        candidates=now.candidates,
        seconds=now.seconds,
        process=now.process,
        silent=now.state.silent,
        iterations=[_iteration_document(row, now.seconds_of(row)) for row in now.iterations],
        results=[_result_document(result) for result in now.results],
        tokens_in=sum(row.tokens_in for row in now.iterations),
        tokens_cached=sum(row.tokens_cached for row in now.iterations),
        tokens_out=sum(row.tokens_out for row in now.iterations),
        cost=now.cost,
    )


def _iteration_document(row: IterationRow, seconds: float) -> IterationDocument:
    from soar_tui.cli.documents.runs import IterationDocument

    return IterationDocument(
        index=row.index,
        phase=row.phase,
        tasks=row.tasks,
        known=row.known,
        finished=row.finished,
        solved=row.solved,
        oracle=row.oracle,
        partial_credit=row.partial_credit,
        candidates=row.candidates,
        seconds=seconds,
        tokens_in=row.tokens_in,
        tokens_cached=row.tokens_cached,
        tokens_out=row.tokens_out,
        cost=row.cost,
    )


def _result_document(result: TaskResult) -> TaskResultDocument:
    from soar_tui.cli.documents.runs import TaskResultDocument

    row = result.row
    return TaskResultDocument(
        task=row.id,
        finished=row.state == "finished",
        solved=row.vote_right,
        oracle=row.oracle,
        candidates=row.candidates,
        best_accuracy=row.best,
        vote_share=result.share,
        shortest_perfect=None if result.shortest is None else result.shortest.length,
    )


def _program_to_read(reader: RunReader, iteration: int, result: TaskResult) -> CandidateRow | None:
    """Return the program to show for a solved task; a right answer may come from an imperfect one."""
    from engine.archive.rows import CandidateQuery

    if result.shortest is not None and result.shortest.right:
        return result.shortest
    query = CandidateQuery(iteration=iteration, task=result.row.index, filter="", right=True)
    return min(
        matching(reader, query),
        key=lambda row: (-(row.accuracy or 0.0), row.length, row.id),
        default=None,
    )


def print_run(console: Console, now: Standing, *, with_programs: bool = False) -> None:
    """Print how a run stands: its tasks, its iterations, its state, and what to do next.

    What matters most comes last, where a terminal still shows it.
    """
    if with_programs:
        _print_programs(console, now)
    if now.results and len(now.results) <= ROWS:
        console.print(_task_table(now.results))
        console.print()
    if len(now.iterations) > 1 or len(now.results) > ROWS:
        console.print(_iteration_table(now))
        console.print()
    console.print(heading(now))
    if now.state.reason:
        console.print(Text(f"  {one_line(now.state.reason)}", style="red"))
    for line in next_steps(now):
        console.print(line, soft_wrap=True)


def heading(now: Standing) -> Text:
    """Return the line that says what a run is and how far it has come."""
    last = now.last
    parts = [now.state.state, one_line(now.settings.tasks), now.settings.policy.kind]
    if last is not None:
        planned = now.settings.planned_iterations
        if planned > 1:
            parts.append(f"iteration {last.index + 1} of {planned}")
        parts.append(f"{of(last.finished, last.tasks)} tasks searched")
        parts.append(f"solved {of(last.solved, last.known)}" if last.known else "truth unknown")
        parts.append(f"{now.candidates:,} candidates in {duration(now.seconds)}")
        written = sum(row.tokens_out for row in now.iterations)
        if written:
            parts.append(f"{short(written)} tokens written")
        if now.cost:
            parts.append(f"cost {money(now.cost)}")
    return Text.assemble((now.folder.name, "bold"), "  ", " · ".join(parts))


def _iteration_table(now: Standing) -> Table:
    names = ["phase", "searched", "solved", "oracle", "partial", "candidates", "time"]
    of_models = any(row.tokens_out for row in now.iterations)
    table = _table("iteration", *names, *(["tokens", "cost"] if of_models else []))
    for row in now.iterations:
        table.add_row(
            str(row.index + 1),
            row.phase,
            of(row.finished, row.tasks),
            of(row.solved, row.known) if row.known else "?",
            of(row.oracle, row.known) if row.known else "?",
            percent(row.partial_credit),
            f"{row.candidates:,}",
            duration(now.seconds_of(row)),
            *([short(row.tokens_out), money(row.cost)] if of_models else []),
        )
    return table


def _task_table(results: tuple[TaskResult, ...]) -> Table:
    table = _table("task", "solved", "candidates", "best", "vote", "shortest")
    for result in results:
        row, pairs = result.row, len(result.task.train)
        table.add_row(
            one_line(row.id),
            mark(row.vote_right) if row.state == "finished" else Text("…", style="dim"),
            f"{row.candidates:,}",
            "–" if row.best is None else f"{round(row.best * pairs)}/{pairs}",
            percent(result.share),
            "–" if result.shortest is None else f"{result.shortest.length:,}",
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="center" if name == "solved" else "right")
    return table


def mark(right: bool | None) -> Text:
    """Return the mark of right, wrong and unknown."""
    if right is None:
        return Text("?", style="dim")
    return Text("✓", style="green") if right else Text("✗", style="red")


def _print_programs(console: Console, now: Standing) -> None:
    """Print, for each solved task, the `transform` of its best program."""
    from engine.archive.reader import RunReader

    last = now.last
    if last is None:
        return
    with RunReader(now.folder) as reader:
        for result in now.results:
            best = None
            if result.row.vote_right:
                best = _program_to_read(reader, last.index, result)
            source = None if best is None else reader.candidate(best.id).candidate.source
            if best is not None and source is not None:
                pairs = len(result.task.train)
                right = f"{round((best.accuracy or 0.0) * pairs)}/{pairs}"
                console.print(
                    Text.assemble(
                        (one_line(result.row.id), "bold"),
                        f"  candidate {best.number}, {right} demonstrations, {best.length:,} characters",
                    )
                )
                print_source(console, entry(source))
                console.print()


def next_steps(now: Standing) -> list[str]:
    """Return lines that say how to go on from here."""
    name = now.folder.name
    steps = []
    if now.state.state in ("stopped", "crashed", "new"):
        steps.append(f"  go on        soar-tui resume {name}")
    if now.state.state in ("running", "draining", "stalled"):
        steps.append(f"  watch it     soar-tui attach {name}")
    if now.state.state == "paused":
        steps.append(f"  go on        soar-tui resume {name}")
    shown = next((r.row.id for r in now.results if r.row.vote_right), None)
    shown = shown or next((r.row.id for r in now.results), None)
    if shown is not None:
        steps.append(f"  look at one  soar-tui show {name} {one_line(shown)}")
    if now.iterations:
        steps.append(f"  hand over    soar-tui export submission {name} --out submission.json")
    return steps
