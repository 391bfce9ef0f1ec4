"""Tiny wheels that stand in for heavy packages, and a requirements file that installs them."""

from __future__ import annotations

import zipfile
from pathlib import Path


def wheel(folder: Path, name: str, version: str, module: str | None = None) -> None:
    """Write a wheel whose one module is empty."""
    folder.mkdir(exist_ok=True)
    told = f"{name}-{version}.dist-info"
    files = {
        f"{module or name}/__init__.py": "",
        f"{told}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{told}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{told}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{told}/RECORD": record}.items():
            archive.writestr(path, text)


def requirements(folder: Path, *wanted: str) -> Path:
    """Write a requirements file that is satisfied from a folder's wheels alone."""
    path = folder / "requirements.txt"
    lines = ["--no-index", f"--find-links {folder / 'wheels'}", *wanted]
    path.write_text("\n".join(lines) + "\n")
    return path
