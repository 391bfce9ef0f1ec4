"""The GPU path is tried part by part: what ran, what failed and what is not there told apart.

No GPU here: nvidia-smi, the interpreter with sglang and the one with the trainer are stand-ins,
everything between them is the real thing.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from engine.policies.llm import tiny_model
from tests.cli.program import Ask, Said
from tests.learning.trainers import imitation_python
from tests.policies.llm import imitation

SMI = "#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559, 81038, 570.86.15'\n"

PYTHON = """#!/bin/sh
case "$1" in
  -I) case "$3" in *find_spec*) ;; *) echo 3.12.0; echo torch 2.14.1 ;; esac ;;
  {tiny}) mkdir -p "$2" && echo {{}} > "$2/config.json" && touch "$2/model.safetensors" "$2/{fault}" ;;
  -m) shift 2; exec {python} {server} "$@" ;;
  *) exec {python} {trainer} "$@" ;;
esac
"""


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a GPU, and both environments set up."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    put(tmp_path / "bin" / "nvidia-smi", SMI)
    python = tmp_path / "bin" / "fake-python"
    write_python(python, "no-fault")
    config = tmp_path / "config" / "soar-tui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[environments]\nserve = "{python}"\ntrain = "{python}"\n')
    return tmp_path


def put(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def write_python(path: Path, fault: str, trainer: str | None = None) -> None:
    text = PYTHON.format(
        tiny=tiny_model.__file__,
        python=sys.executable,
        server=imitation.__file__,
        trainer=trainer or imitation_python.__file__,
        fault=fault,
    )
    put(path, text)


def parts(said: Said) -> dict[str, tuple[str, str]]:
    return {part["name"]: (part["state"], part["detail"]) for part in said.document["gpu"]}


def test_all_parts_run_where_everything_is_there(ask: Ask, box: Path) -> None:
    said = ask("doctor", "--gpu", "--json")
    assert said.code == 0, said.out
    found = parts(said)
    assert {state for state, _ in found.values()} == {"ok"}
    assert "H100" in found["query"][1] and "85 GB" in found["query"][1]
    assert "32 completions" in found["serve"][1] and "MiB taken" in found["serve"][1]
    assert "scale" in found["train"][1]
    assert "new weights after" in found["reload"][1]
    (start,) = (box / "home" / "gpu-check" / "tiny" / "starts").read_text().splitlines()
    assert "--mem-fraction-static" in json.loads(start)


def test_a_server_that_does_not_start_fails_and_says_why(ask: Ask, box: Path) -> None:
    python = box / "bin" / "fake-python"
    python.write_text(python.read_text().replace(imitation.__file__, "/no/server.py"))
    said = ask("doctor", "--gpu", "--json")
    assert said.code == 1
    found = parts(said)
    assert found["serve"][0] == "failed" and "/no/server.py" in found["serve"][1]
    assert found["train"][0] == "ok"
    assert found["reload"] == (
        "missing",
        "not available: needs the part 'serve', which did not run",
    )
    assert "failed" in ask("doctor", "--gpu").out


def test_a_server_that_keeps_its_old_weights_fails(ask: Ask, box: Path) -> None:
    keeps = box / "trainer.py"
    keeps.write_text(
        f"import json, runpy, sys\nfrom pathlib import Path\n"
        f"runpy.run_path({imitation_python.__file__!r}, run_name='__main__')\n"
        "out = Path(json.loads(Path(sys.argv[2]).read_text())['out'])\n"
        "(out / 'merged' / 'keeps-version').touch()\n"
    )
    write_python(box / "bin" / "fake-python", "no-fault", str(keeps))
    said = ask("doctor", "--gpu", "--json")
    found = parts(said)
    assert said.code == 1 and found["serve"][0] == found["train"][0] == "ok"
    assert found["reload"][0] == "failed" and "serves weights 'base'" in found["reload"][1]


def test_what_is_not_set_up_is_no_failure_and_says_what_helps(ask: Ask, box: Path) -> None:
    (box / "config" / "soar-tui" / "config.toml").unlink()
    said = ask("doctor", "--gpu", "--json")
    assert said.code == 0
    found = parts(said)
    assert found["query"][0] == "ok" and found["serve"][0] == found["train"][0] == "missing"
    hints = {part["name"]: part["hint"] for part in said.document["gpu"]}
    assert hints["serve"] == "soar-tui setup serve" and hints["train"] == "soar-tui setup train"


def test_without_a_gpu_no_part_is_available(ask: Ask, box: Path) -> None:
    put(box / "bin" / "nvidia-smi", "#!/bin/sh\necho 'No devices were found'\nexit 6\n")
    said = ask("doctor", "--gpu", "--json")
    assert said.code == 0
    for state, detail in parts(said).values():
        assert state == "missing" and "No devices were found" in detail


def test_doctor_tells_what_is_set_up_and_how_to_mend_it(ask: Ask, box: Path) -> None:
    config = box / "config" / "soar-tui" / "config.toml"
    config.write_text('[environments]\nserve = "/no/python"\n')
    checks = {check["name"]: check for check in ask("doctor", "--json").document["checks"]}
    assert checks["serve"]["state"] == "missing"
    assert "/no/python" in checks["serve"]["detail"] and "setup serve" in checks["serve"]["hint"]
    assert checks["train"]["state"] == "note" and checks["train"]["hint"] == "soar-tui setup train"
    assert "glibc" in checks["c library"]["detail"]
    config.write_text("environments = 3\n")
    checks = {check["name"]: check for check in ask("doctor", "--json").document["checks"]}
    assert str(config) in checks["environments"]["detail"]
