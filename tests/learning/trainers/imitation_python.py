"""Stands in for a trainer's interpreter: takes the job, says what a job says, fails as asked.

The faults are named by the base model of the job.
"""

import json
import os
import sys
import time
from pathlib import Path


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def main():
    job = json.loads(Path(sys.argv[2]).read_text())
    if "to" in job:
        Path(job.get("out", job["weights"] + ".made")).write_text("converted")
        Path(job["weights"]).mkdir(exist_ok=True)
        say("done")
        return
    out = Path(job["out"])
    rows = [json.loads(line) for line in Path(job["rows"]).read_text().splitlines()]
    print("a banner of some library", file=sys.stderr, flush=True)
    say("rows", rows=len(rows), dropped=0)
    say("step", step=1, steps=2, loss=1.5, tokens=100, seconds=0.1)
    (out / "merged").mkdir()
    match Path(job["base"]).name:
        case "dies":
            print("torch.OutOfMemoryError: CUDA out of memory", file=sys.stderr, flush=True)
            sys.exit(1)
        case "refuses":
            say("failed", reason="nothing was learned: every update is zero")
            sys.exit(1)
        case "chatters":
            print("loss is 3", flush=True)
        case "hangs":
            told = Path(os.environ["SOAR_TEST_PID"])
            half = told.with_name("half told")  # whole or not at all: it is killed at any moment
            half.write_text(str(os.getpid()))
            half.replace(told)
            time.sleep(3600)
        case "stops early":
            return
    (out / "merged" / "weights").write_text("tuned")
    (out / "merged" / "config.json").write_text("{}")
    (out / "merged" / "model.safetensors").write_bytes(b"")
    done = {"rows": len(rows), "dropped": 0, "losses": [1.5, 0.5], "tokens": 200}
    say("done", **done, seconds=0.2, surviving=0.9)


if __name__ == "__main__":
    main()
