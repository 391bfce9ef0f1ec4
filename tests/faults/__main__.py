"""`python -m tests.faults`: as many random moments as FAULTS says (200), and what they cost.

Ends by printing `faults: n, lost: 0, doubled: 0, untrue states: 0`; exits with 1 when one is not 0.
A seed may follow; without one every call draws other moments.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.ground import LEARNED, TINY, finish, new_run, recorded
from tests.faults.moments import LEARNING, SEARCHING, Tally, disturb

SEARCH_SHARE = 0.9
"""Share of the faults that hit a search; the rest hits learning, where an engine ends each time."""


def main() -> int:
    wanted = int(os.environ.get("FAULTS", "200"))
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 31)
    print(f"seed {seed}")
    dice, tally, started = random.Random(seed), Tally(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soar-faults-") as place:
        folder = Path(place)
        references = {}
        for name, settings in (("searching", TINY), ("learning", LEARNED)):
            finish(new_run(folder / f"undisturbed-{name}", settings))
            references[name] = recorded(folder / f"undisturbed-{name}")
        for number in range(wanted):
            if tally.faults >= wanted:
                break
            left = wanted - tally.faults
            learns = dice.random() > SEARCH_SHARE**4
            if learns:
                kinds, name, settings = dice.sample(LEARNING, min(3, left)), "learning", LEARNED
            else:
                kinds, name, settings = dice.choices(SEARCHING, k=min(16, left)), "searching", TINY
            run = new_run(folder / f"run-{number}", settings)
            found = disturb(run, kinds, references[name], dice)
            tally.add(found)
            print(f"{time.monotonic() - started:6.0f} s  {tally}", flush=True)
            if found.lost or found.doubled or found.untrue:
                print("\n".join(f"  {moment}" for moment in found.moments))
    print(tally)
    return 1 if tally.lost or tally.doubled or tally.untrue else 0


if __name__ == "__main__":
    sys.exit(main())
