"""Learn (6): what an iteration learns from, example by example; its training, its checkpoints."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.archive.rows import Checkpoint, Example
from engine.config import ConfigError, load_settings
from engine.control import SETTINGS_NAME
from engine.figures.numbers import age, count, duration
from engine.programs.candidate import split_candidate_id
from soar_tui import steering
from soar_tui.actions import ALIVE, OF_CANDIDATE
from soar_tui.checkpoints import EMBEDDED
from soar_tui.keys import bindings
from soar_tui.sanitise import one_line
from soar_tui.screens.learning import LISTED, LearnBody, LearnQuestion, top_line
from soar_tui.screens.make_up import EXAMPLE_COLUMNS, example_row, make_up, task_name
from soar_tui.screens.place import Place
from soar_tui.screens.preview import Preview
from soar_tui.screens.put import entitle, put
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.screens.training import training_line
from soar_tui.widgets.curve import Axes, CurveView, Series
from soar_tui.widgets.grid_pair import PairView
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.source_view import SourceView


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
                yield Rows(EXAMPLE_COLUMNS, id="examples", classes="pane")
                with Vertical(id="one"):
                    yield PairView(id="pairs", classes="pane")
                    yield SourceView(id="answer", classes="pane")

    def question(self) -> LearnQuestion:
        return LearnQuestion(self.view.iteration, self._example)

    def forget_run(self) -> None:
        super().forget_run()
        self._example = None
        if self.is_mounted:
            self._clear_preview()

    def forget_answer(self) -> None:
        self._body = None

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
                    else "T  what it would learn from what it has found so far\n"
                    "r  goes on with its search, which comes first"
                    if not body.through
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
        whole = len(body.examples) < LISTED
        entitle(listed, "examples" if whole else f"the first {count(LISTED)} examples")
        listed.show(
            [
                example_row(
                    key,
                    task_name(example, body.names),
                    example.candidate,
                    example.label,
                    rejected=example.rejected,
                )
                for key, example in body.examples
            ]
        )
        self.focus_first(listed)
        if self._example not in dict(body.examples) and body.examples:
            self._example = body.examples[0][0]
            listed.select(self._example)
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
        if preview is None:
            if self._previewed is not None:
                self._clear_preview()
            return
        if self._previewed == self._example:
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

    def _clear_preview(self) -> None:
        self._previewed = None
        pairs, answer = self.query_one("#pairs", PairView), self.query_one("#answer", SourceView)
        entitle(pairs, "")
        pairs.show(())
        entitle(answer, "")
        answer.show_text("")

    @on(LineList.Moved, "#examples")
    def _move(self) -> None:
        row = self.query_one("#examples", Rows).selected
        if row is not None and isinstance(row.key, int) and row.key != self._example:
            self._example = row.key
            self.soar.ask()

    @on(LineList.Chosen, "#examples")
    def _open(self) -> None:
        if self._selected() is not None:
            self.soar.action_act("go-chain")

    def _selected(self) -> Example | None:
        """Return the selected example."""
        body = self._body
        return None if body is None else dict(body.examples).get(self._example or 0)

    @property
    def candidate(self) -> int | None:
        example = self._selected()
        return self.view.candidate if example is None else example.candidate

    def why_not(self, key: str) -> str | None:
        body = self._body
        example = self._selected()
        if example is not None and example.run is not None and key in OF_CANDIDATE:
            return f"the example is from the run {one_line(example.run)}: open that run to see it"
        if key == "train" and body is None:
            return "no iteration is shown yet"
        if key == "example" and not self._hides_one():
            return "the selected example is in view beside the list"
        if key == "activate":
            return self._no_activation()
        if key in ("next-iteration", "previous-iteration"):
            if body is None:
                return "no iteration is shown yet"
            if key == "next-iteration" and body.iteration + 1 >= body.iterations:
                return "this is the latest iteration"
            if key == "previous-iteration" and body.iteration == 0:
                return "this is the first iteration"
        return None

    def _no_activation(self) -> str | None:
        """Return why new runs cannot start from the selected checkpoint."""
        made = self._checkpoint()
        if made is None:
            return "this run has no checkpoint yet: an iteration that has learned makes one"
        if made.policy != EMBEDDED:
            return (
                f"it is of a language model ({one_line(made.policy)}), and only the embedded "
                "policy starts from a chosen one: name it with `soar-tui run --checkpoint`"
            )
        return None

    def _checkpoint(self) -> Checkpoint | None:
        """Return the selected checkpoint."""
        body = self._body
        row = self.query_one("#checkpoints", Rows).selected if self.is_mounted else None
        if body is None or row is None:
            return None
        return next((made for made in body.checkpoints if made.iteration == row.key), None)

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

    def _hides_one(self) -> bool:
        """Whether make-up and example have to take turns."""
        return self.has_class("-narrow") or self.has_class("-tiny")

    def do_example(self) -> None:
        """Show the selected example in place of the make-up, or the make-up again."""
        self.toggle_class("-example")

    def do_train(self) -> None:
        """Choose what to learn from, see it in a dry run, and learn."""
        from soar_tui.screens.train import Train

        assert self._body is not None and self.soar.folder is not None
        try:
            # What is saved from the menu must not undo what was changed since this was shown.
            settings = load_settings(self.soar.folder / SETTINGS_NAME)
        except ConfigError as error:
            self.soar.tell(str(error), severity="error")
            return
        header = self.soar.header
        row = header.row if header is not None else None
        off = self._no_training(self._body)
        self.soar.push_screen(Train(self.soar.folder, settings, row, off))

    def do_activate(self) -> None:
        """Let new runs of the embedded policy start from the selected checkpoint."""
        chosen = self._checkpoint()
        assert chosen is not None and self.soar.folder is not None
        steering.choose_checkpoint(self.soar, (self.soar.folder / chosen.path).resolve())

    def do_roll_back(self) -> None:
        """Let new runs of the embedded policy start from what was in use before."""
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


PLACE = Learn
