"""The checkpoint that comes with the program."""

from __future__ import annotations

from pathlib import Path

from engine.policies.open import SHIPPED


def shipped_checkpoint() -> Path | None:
    """Return the embedded policy's shipped checkpoint, or None where it was left out."""
    return SHIPPED if SHIPPED.is_file() else None
