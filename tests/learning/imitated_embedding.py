"""An interpreter with a module that stands for sentence-transformers and fails as asked.

Its models are `by length` (programs of one length are alike), `all alike`, and faults by name.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

LIBRARY = """\
import os, sys, time
from pathlib import Path
import numpy as np

class SentenceTransformer:
    def __init__(self, name, trust_remote_code=False):
        print("a banner of some library")
        if name == "refuses":
            raise ValueError("no such model")
        if name == "needs code" and not trust_remote_code:
            raise ValueError("needs trust_remote_code")
        self.name = name

    def encode(self, sources, normalize_embeddings=False, show_progress_bar=True):
        assert normalize_embeddings
        if self.name == "dies":
            print("CUDA out of memory", file=sys.stderr, flush=True)
            os._exit(9)
        if Path(self.name).name == "hangs":
            Path(self.name).write_text(str(os.getpid()))
            time.sleep(3600)
        vectors = np.zeros((len(sources), 300))
        for row, source in enumerate(sources):
            vectors[row, 0 if self.name == "all alike" else len(source) % 300] = 1
        return vectors
"""


def interpreter(folder: Path) -> str:
    """Make an environment in a folder and return its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "sentence_transformers.py").write_text(LIBRARY)
    (packages / "numpy.pth").write_text(str(Path(np.__file__).parents[1]))
    return str(folder / "bin" / "python")
