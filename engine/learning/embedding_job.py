"""Embeds programs by a sentence-transformers model, as a process of its own.

`python embedding_job.py MODEL REMOTE_CODE` is run by its path with an interpreter that has
sentence-transformers; it imports nothing of ours, and nothing of ours imports it. Each line of
standard input is a JSON list of programs, each line of standard output `{"vectors": …, "width": …}`
with their unit vectors as float32 in base64, or `{"failed": reason}`. It ends with its input.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any, BinaryIO


def main() -> int:
    """Embed what comes until there is no more; return the exit code."""
    model, remote_code = sys.argv[1], sys.argv[2] == "1"
    # Libraries print where they like; the lines are ours alone.
    lines = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        from sentence_transformers import SentenceTransformer

        opened: Any = SentenceTransformer(model, trust_remote_code=remote_code)
    except Exception as error:  # whatever a library raises, the user is to read it
        _say(lines, {"failed": f"{type(error).__name__}: {error}"})
        return 1
    for line in sys.stdin.buffer:
        vectors = opened.encode(
            json.loads(line), normalize_embeddings=True, show_progress_bar=False
        ).astype("float32")
        text = base64.b64encode(vectors.tobytes()).decode("ascii")
        _say(lines, {"vectors": text, "width": vectors.shape[1]})
    return 0


def _say(lines: BinaryIO, said: dict[str, Any]) -> None:
    lines.write(json.dumps(said).encode() + b"\n")
    lines.flush()


if __name__ == "__main__":
    sys.exit(main())
