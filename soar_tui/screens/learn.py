"""Learn (6): what an iteration learns from, example by example; its training, its checkpoints."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.arc.grid import unpack
from engine.archive.rows import CandidateDetail, Checkpoint, Example, ExampleCount, MetricPoint
from engine.config import Settings
from engine.programs.candidate import Failure, split_candidate_id
from soar_tui import steering
from soar_tui.actions import ALIVE
from soar_tui.checkpoints import checkpoint_in_use
from soar_tui.feed import OpenRun
from soar_tui.keys import bindings
from soar_tui.numbers import age, count, duration, of
from soar_tui.sanitise import one_line
from soar_tui.screens.make_up import label_role, make_up
from soar_tui.screens.place import Place
from soar_tui.screens.put import entitle, put
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.widgets.curve import Axes, CurveView, Series
from soar_tui.widgets.grid_pair import PairRow, PairView, Produced
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.source_view import SourceView

_LISTED: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """One example as the policy is shown it: inputs and what the answer makes of them."""

    example: Example
    detail: CandidateDetail | None
    pairs: tuple[PairRow, ...]


@dataclass(frozen=True, slots=True)
class Training:
    """The learning that is under way: `gathered` tasks, then the step the trainer is at.

    `steps` is 0 before the first one; `tokens` and `seconds` are since the training began.
    """

    iteration: int
    gathered: int
    step: int = 0
    steps: int = 0
    loss: float = 0.0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class LearnBody:
    """One iteration's learning; `points` is its loss by step.

    `through`: all planned searches are; `in_use`: what new runs start from; `training`: what the
    engine last said it was at, None when it was not learning.
    """

    iteration: int
    iterations: int
    counts: tuple[ExampleCount, ...]
    examples: tuple[tuple[int, Example], ...]
    points: tuple[MetricPoint, ...]
    checkpoints: tuple[Checkpoint, ...]
    preview: Preview | None
    learns: bool
    names: tuple[str, ...]
    settings: Settings
    through: bool
    in_use: str | None
    training: Training | None


@dataclass(frozen=True, slots=True)
class LearnQuestion:
    """An iteration (None: the one learned from now or last), and the row id of an example."""

    iteration: int | None
    example: int | None

    def answer(self, run: OpenRun) -> LearnBody | None:
        """Read it; None before the first iteration."""
        rows = run.iterations()
        if not rows:
            return None
        checkpoints = tuple(run.reader.checkpoints())
        learned = [made.iteration for made in checkpoints]
        training = training_of(run)
        chosen = self.iteration
        if chosen is None and training is not None:
            chosen = training.iteration
        if chosen is None:
            chosen = learned[-1] if learned else rows[-1].index
        chosen = min(chosen, rows[-1].index)
        version = (chosen, len(checkpoints))
        counts = run.keep("counts", version, lambda: tuple(run.reader.example_counts(chosen)))
        examples = run.keep(
            "examples", version, lambda: tuple(run.reader.examples(chosen, limit=_LISTED))
        )
        return LearnBody(
            iteration=chosen,
            iterations=len(rows),
            counts=counts,
            examples=examples,
            points=tuple(run.reader.metrics(f"loss/{chosen}")),
            checkpoints=checkpoints,
            preview=preview_of(run, dict(examples).get(self.example or 0)),
            learns=run.planned > 1,
            names=tuple(task.id for task in run.reader.tasks()),
            settings=run.settings,
            through=sum(row.ended is not None for row in rows) >= run.planned,
            in_use=checkpoint_in_use(),
            training=training,
        )


def training_of(run: OpenRun) -> Training | None:
    """Return the learning that the run's last engine was at, None when it was at something else."""
    values = {key: status.value for key, status in run.reader.statuses().items()}
    engine, trainer, gathered = values.get("engine"), values.get("training"), values.get("gathered")
    if not isinstance(engine, dict) or engine.get("step") != "learn":
        return None
    iteration = int(engine["iteration"])
    so_far = gathered if isinstance(gathered, int) else 0
    if not isinstance(trainer, dict) or trainer.get("iteration") != iteration:
        return Training(iteration, so_far)
    figures = {name: trainer[name] for name in ("step", "steps", "loss", "tokens", "seconds")}
    return Training(iteration, so_far, **figures)


def preview_of(run: OpenRun, example: Example | None) -> Preview | None:
    """Read an example whole; one of another run has no preview here."""
    if example is None:
        return None
    if example.run is not None:
        return Preview(example, None, ())
    detail = run.reader.candidate(example.candidate)
    _, index, _ = split_candidate_id(example.candidate)
    task = run.reader.tasks()[index]
    evaluation = detail.candidate.evaluation
    if evaluation is None:
        return Preview(example, detail, ())
    pairs = []
    for number, pair in enumerate(task.train):
        result = evaluation.results[number]
        title = f"demonstration {number + 1}"
        if example.label != "hindsight" or isinstance(result, Failure):
            shown = result if isinstance(result, Failure) else unpack(result)
            produced = (Produced("the answer gives", shown),)
            pairs.append(PairRow(title, pair.input, pair.output, produced))
        else:
            # Relabelled: what the program makes of the input is the output it is shown for it.
            pairs.append(PairRow(f"{title}, relabelled", pair.input, unpack(result)))
    return Preview(example, detail, tuple(pairs))


def training_line(training: Training, tasks: int) -> str:
    """Return how far the learning that is under way has come."""
    about = f"learning from iteration {training.iteration + 1}: "
    if not training.steps:
        gathered = of(training.gathered, tasks)
        return f"{about}gathered from {gathered} tasks"
    left = training.seconds / training.step * (training.steps - training.step)
    speed = f"{count(training.tokens / training.seconds)} tokens/s, " if training.tokens else ""
    return (
        f"{about}step {count(training.step)} of {count(training.steps)}, "
        f"loss {training.loss:.3f}, {speed}{duration(left)} left"
    )


def top_line(body: LearnBody) -> Text:
    """Return what was learned from and how many tasks it comes from."""
    text = Text(no_wrap=True, overflow="ellipsis")
    used = sum(entry.count for entry in body.counts if entry.rejected is None)
    left_out = sum(entry.count for entry in body.counts if entry.rejected is not None)
    text.append(f"iteration {body.iteration + 1} of {body.iterations}", style="bold")
    text.append(f"  {count(used)} examples used, {count(left_out)} left out")
    per_task = Counter(
        split_candidate_id(example.candidate)[1]
        for _, example in body.examples
        if example.rejected is None
    )
    if per_task and len(body.examples) < _LISTED:
        most = per_task.most_common(1)[0]
        text.append(f" · from {count(len(per_task))} tasks, at most {count(most[1])} of one")
    return text


class Learn(Place):
    """Make-up and checkpoints at the left, examples in the middle, the chosen one at the right."""

    place = "learn"
    every = 1.0
    BINDINGS: ClassVar[list[BindingType]] = bindings("learn")

    def __init__(self) -> None:
        super().__init__()
        self._body: LearnBody | None = None
        self._example: int | None = None
        self._previewed: int | None = None

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="top", markup=False)
            with Horizontal(id="both"):
                with Vertical(id="left"):
                    yield Rows(
                        (Column("trains"), Column("label", most=18), Column("examples", "right")),
                        id="make-up",
                        classes="pane",
                    )
                    yield CurveView(id="loss", classes="pane")
                    yield Rows(
                        (
                            Column("iteration", "right"),
                            Column("examples", "right"),
                            Column("took", "right", drop=1),
                            Column("made", "right", drop=2),
                        ),
                        id="checkpoints",
                        classes="pane",
                    )
                yield Rows(
                    (
                        Column("task", most=15),
                        Column("from", "right"),
                        Column("as", most=17),
                    ),
                    id="examples",
                    classes="pane",
                )
                with Vertical(id="one"):
                    yield PairView(id="pairs", classes="pane")
                    yield SourceView(id="answer", classes="pane")

    def question(self) -> LearnQuestion:
        return LearnQuestion(self.view.iteration, self._example)

    def forget_run(self) -> None:
        super().forget_run()
        self._example = None

    def show(self, body: object) -> None:
        if body is None:
            self.say("No iteration has begun yet.\n\nLearning comes after a search has voted.")
            return
        assert isinstance(body, LearnBody)
        self._body = body
        underway = self._underway(body)
        if not body.counts and not body.points and not body.checkpoints:
            self.say(
                f"{underway[0].upper()}{underway[1:]}."
                if underway
                else "Nothing has been learned yet.\n\n"
                + (
                    "An iteration learns once all its tasks are voted on, if another follows;\n"
                    "what it learned from appears here."
                    if body.learns and not body.through
                    else "T  learn now from what this run has found\n"
                    "r  go round once more, with what is learned before"
                )
            )
            return
        put(self.query_one("#top", Static), Text(underway) if underway else top_line(body))
        made = self.query_one("#make-up", Rows)
        entitle(made, "what it is made of")
        made.show(make_up(body.counts))
        loss = self.query_one("#loss", CurveView)
        entitle(loss, "loss by step")
        loss.show(
            [Series("loss", tuple((float(p.step), p.value) for p in body.points), "accent")], Axes()
        )
        self._show_checkpoints(body)
        listed = self.query_one("#examples", Rows)
        whole = len(body.examples) < _LISTED
        entitle(listed, "examples" if whole else f"the first {count(_LISTED)} examples")
        listed.show([_example_row(key, example, body.names) for key, example in body.examples])
        if self.focused is None:
            listed.focus()
        if self._example not in dict(body.examples) and body.examples:
            self._example = body.examples[0][0]
            self.soar.ask()
        self._show_preview(body.preview)

    def _underway(self, body: LearnBody) -> str:
        """Return how far the learning has come, "" while no engine is at it."""
        header = self.soar.header
        if body.training is None or header is None or header.state.state not in ALIVE:
            return ""
        return training_line(body.training, len(body.names))

    def _show_checkpoints(self, body: LearnBody) -> None:
        kept = self.query_one("#checkpoints", Rows)
        entitle(kept, "checkpoints")
        folder = self.soar.folder
        assert folder is not None
        kept.show(
            [
                _checkpoint_row(one, used=body.in_use == str((folder / one.path).resolve()))
                for one in body.checkpoints
            ]
        )

    def _show_preview(self, preview: Preview | None) -> None:
        if preview is None or self._previewed == self._example:
            return
        self._previewed = self._example
        pairs, answer = self.query_one("#pairs", PairView), self.query_one("#answer", SourceView)
        entitle(pairs, f"the task it is shown, as {one_line(preview.example.label)}")
        pairs.show(preview.pairs)
        if preview.detail is None:
            entitle(answer, f"from the run {one_line(preview.example.run or '')}")
            answer.show_text("Open that run to see this example.")
        else:
            number = split_candidate_id(preview.example.candidate)[2]
            entitle(answer, f"the program it is to write, #{number}")
            answer.show_source(preview.detail.candidate.source or "")

    @on(LineList.Moved, "#examples")
    def _move(self) -> None:
        row = self.query_one("#examples", Rows).selected
        if row is not None and isinstance(row.key, int) and row.key != self._example:
            self._example = row.key
            self.soar.ask()

    @on(LineList.Chosen, "#examples")
    def _open(self) -> None:
        body = self._body
        example = dict(body.examples).get(self._example or 0) if body is not None else None
        if example is not None and example.run is None:
            self.soar.look(candidate=example.candidate)
            self.soar.go("chain")

    def why_not(self, key: str) -> str | None:
        body = self._body
        if key == "train" and body is None:
            return "no iteration has begun yet"
        if key == "activate" and (body is None or not body.checkpoints):
            return "this run has no checkpoint yet: an iteration that has learned makes one"
        if key in ("next-iteration", "previous-iteration"):
            if body is None:
                return "no iteration has begun yet"
            if key == "next-iteration" and body.iteration + 1 >= body.iterations:
                return "this is the latest iteration"
            if key == "previous-iteration" and body.iteration == 0:
                return "this is the first iteration"
        return None

    def _no_training(self, body: LearnBody) -> str | None:
        """Return why learning cannot be started now; a dry run always can."""
        header = self.soar.header
        if header is None:
            return "the run's state is not known yet"
        if header.state.state in ALIVE:
            return f"the engine is {header.state.state}: it learns by itself between iterations"
        if not body.through:
            return "its search is not through: r goes on with it"
        if body.checkpoints and body.checkpoints[-1].iteration + 1 >= body.iterations:
            return "its last iteration has been learned from: r goes round once more with that"
        return None

    def do_train(self) -> None:
        """Choose what to learn from, see it in a dry run, and learn."""
        from soar_tui.screens.train import Train

        assert self._body is not None and self.soar.folder is not None
        header = self.soar.header
        row = header.row if header is not None else None
        off = self._no_training(self._body)
        self.soar.push_screen(Train(self.soar.folder, self._body.settings, row, off))

    def do_activate(self) -> None:
        """Let new runs start from the selected checkpoint."""
        assert self._body is not None and self.soar.folder is not None
        row = self.query_one("#checkpoints", Rows).selected
        made = {one.iteration: one for one in self._body.checkpoints}
        chosen = made[row.key] if row is not None and isinstance(row.key, int) else None
        assert chosen is not None
        steering.choose_checkpoint(self.soar, (self.soar.folder / chosen.path).resolve())

    def do_roll_back(self) -> None:
        """Let new runs start from what was in use before."""
        steering.choose_checkpoint(self.soar, None)

    def do_next_iteration(self) -> None:
        """Look at the iteration after."""
        self._step(1)

    def do_previous_iteration(self) -> None:
        """Look at the iteration before."""
        self._step(-1)

    def _step(self, step: int) -> None:
        assert self._body is not None
        self._example = None
        self.soar.look(iteration=self._body.iteration + step)

    def exported(self) -> dict[str, str] | None:
        body = self._body
        if body is None or not body.counts:
            return None
        lines = ["kind,label,rejected,count"]
        lines += [f"{c.kind},{c.label},{c.rejected or ''},{c.count}" for c in body.counts]
        files = {f"learning-iteration-{body.iteration + 1}.csv": "\n".join(lines) + "\n"}
        if body.points:
            points = "\n".join(f"{p.step},{p.value}" for p in body.points)
            files[f"loss-iteration-{body.iteration + 1}.csv"] = f"step,loss\n{points}\n"
        return files


def _checkpoint_row(made: Checkpoint, *, used: bool) -> Row:
    return Row(
        made.iteration,
        (
            (f"{'★ ' if used else ''}{made.iteration + 1}", "accent" if used else "text"),
            (count(made.examples), "text"),
            (duration(made.seconds), "muted"),
            (age(made.created), "muted"),
        ),
    )


def _example_row(key: int, example: Example, names: tuple[str, ...]) -> Row:
    _, task, number = split_candidate_id(example.candidate)
    place = "" if example.run is None else f"{example.run}/"
    name = names[task] if example.run is None and task < len(names) else str(task)
    label = example.label if example.rejected is None else example.rejected
    role = label_role(example.label) if example.rejected is None else "muted"
    return Row(
        key, ((one_line(place + name), "text"), (f"#{number}", "text"), (one_line(label), role))
    )


PLACE = Learn
