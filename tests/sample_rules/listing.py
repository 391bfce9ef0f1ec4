"""The list of the sample tasks, as their folder's README has it."""

from tests.sample_rules import hard, one_step, two_steps
from tests.sample_rules.rule import RULES

HEAD = """\
# Sample tasks
Tasks of our own in ARC's JSON form, from trivial to hard, for trying the program and for its
tests. They are no copies of tasks of ARC-AGI. To the extent possible, their authors have waived
all rights to them: [CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/).

Each file is drawn from its task's rule, a function in `tests/sample_rules/`, by
`python -m tests.sample_rules`; the tests check every file against its rule.
"""

LEVELS = {one_step: "one step", two_steps: "two steps", hard: "hard"}
TITLES = {"one step": "One step", "two steps": "Two steps", "hard": "Hard"}


def listing() -> str:
    """Return the README: every task by level, one line each."""
    parts = [HEAD]
    for level in LEVELS.values():
        tasks = [rule for rule in RULES.values() if rule.level == level]
        lines = [f"- `{rule.name}`: {rule.about}" for rule in tasks]
        parts.append(f"\n## {TITLES[level]} ({len(tasks)})\n" + "\n".join(lines) + "\n")
    return "".join(parts)
