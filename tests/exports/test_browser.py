"""The report in a real browser, where there is one."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.archive.reader import RunReader
from engine.config import load_settings
from engine.exports.report.page import Reported, write_report
from tests.exports.runs import record_run, task

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_chromium_opens_the_report_without_a_complaint(tmp_path: Path) -> None:
    tasks = [task("a"), task("b", known=False)]
    home = [record_run(tmp_path / name, tasks) for name in ("one", "two")]
    file = io.BytesIO()
    with RunReader(home[0]) as one, RunReader(home[1]) as two:
        settings = load_settings(home[0] / "run.toml")
        told = [Reported("one", one, settings), Reported("two", two, settings)]
        write_report(told, file, lambda *_: None)
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
