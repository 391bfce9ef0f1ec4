"""Write every sample task's file and the list of them; `python -m tests.sample_rules`."""

from pathlib import Path

from engine.arc import save_task
from tests.sample_rules.listing import listing
from tests.sample_rules.rule import RULES, draw_task

FOLDER = Path(__file__).parents[2] / "sample_tasks"


def main() -> None:
    for rule in RULES.values():
        save_task(draw_task(rule), FOLDER / f"{rule.name}.json")
    (FOLDER / "README.md").write_text(listing(), encoding="utf-8")


main()
