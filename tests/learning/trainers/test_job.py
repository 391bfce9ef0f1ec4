"""A training job's silence is counted only while its engine runs."""

import os
import signal
import subprocess
import sys
import time

JOB = """
import os, signal, sys
os.kill(int(sys.argv[1]), signal.SIGSTOP)
print('{"event": "done"}', flush=True)
"""
ENGINE = """
import asyncio, os, sys
from pathlib import Path
from engine.learning.trainers.job import run_job

folder, job = sys.argv[1:]
print(asyncio.run(run_job(
    "job",
    [sys.executable, "-c", job, str(os.getpid())],
    Path(folder) / "job.log",
    print,
    environment=dict(os.environ),
    silence_seconds=2.0,
)))
"""


def test_a_stop_of_the_engine_is_no_silence_of_its_job(tmp_path):
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path), JOB], stdout=subprocess.PIPE, text=True
    )
    _, status = os.waitpid(engine.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    stopped = time.monotonic()
    while time.monotonic() < stopped + 2.5:
        time.sleep(0.1)
    engine.send_signal(signal.SIGCONT)
    out, _ = engine.communicate(timeout=60)
    assert out == "{'event': 'done'}\n" and engine.returncode == 0
