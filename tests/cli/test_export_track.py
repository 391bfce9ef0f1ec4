"""`track` as a user sees it: TensorBoard itself reads what was written."""

from pathlib import Path

from tests.cli.program import Ask
from tests.exports.runs import record_run, task
from tests.exports.test_tracking import curves


def test_tensorboard_reads_every_point_and_tracking_again_adds_none(
    ask: Ask, tmp_path: Path
) -> None:
    record_run(tmp_path / "home" / "runs" / "two", [task("a"), task("b", known=False)])
    out = tmp_path / "tb"
    for _ in range(2):
        said = ask("track", "two", "--out", str(out), "--json").document
        found = curves(out / "two")
        assert said["points"] == sum(map(len, found.values()))
        # The second point of each loss is not a number.
        assert (found["loss/0"], found["loss/1"]) == ([(0, 2.0)], [(0, 1.0)])
        assert found["solved/1"] == [(1, 1.0)]
        assert found["iteration/candidates"] == [(1, 12.0), (2, 12.0)]
        assert found["iteration/solved"] == [(1, 1.0), (2, 1.0)]
