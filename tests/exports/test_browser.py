"""The report in a real browser, where there is one."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.archive.reader import RunReader
from engine.config import load_settings
from engine.exports.report.page import write_report
from tests.exports.runs import record_run, task

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_chromium_opens_the_report_without_a_complaint(tmp_path: Path) -> None:
    run = record_run(tmp_path / "two", [task("a"), task("b", known=False)])
    file = io.BytesIO()
    with RunReader(run) as reader:
        write_report("two", reader, load_settings(run / "run.toml"), file, lambda *_: None)
    page = tmp_path / "report.html"
    page.write_bytes(file.getvalue())
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr")
    said = subprocess.run(
        [str(BROWSER), *options, f"--user-data-dir={tmp_path}/b", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    # Refused scripts, styles and loads, and what cannot be parsed, all come as console messages.
    assert "CONSOLE" not in said.stderr
    assert said.stdout.count('<details class="task">') == 2
    assert "<script" not in said.stdout
    assert said.stdout.count("<svg") == page.read_text(encoding="utf-8").count("<svg")
