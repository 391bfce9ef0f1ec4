"""A small built-in code embedding, and what it is for: near-duplicates and diversity (SOAR §7).

The paper embeds programs with CodeRankEmbed. Ours needs no model: a program's syntax tree is cut
into overlapping pieces (a node with its parent; a call with the name and the literals it is given),
each piece is hashed to one of DIMENSIONS signed buckets, counts are damped by a square root and the
vector is normalised. Renaming variables or reformatting moves it little, other calls or constants
move it a lot.
"""

from __future__ import annotations

import ast
import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 256
NEAR = 0.9
"""Cosine above which two programs count as the same (SOAR §7)."""


def embed(sources: Sequence[str]) -> NDArray[np.float32]:
    """Return unit vectors of shape (programs, DIMENSIONS), float32; zeros for what won't parse."""
    vectors = np.zeros((len(sources), DIMENSIONS), dtype=np.float32)
    for row, source in enumerate(sources):
        for piece, count in Counter(_pieces(source)).items():
            place, sign = _bucket(piece)
            vectors[row, place] += sign * math.sqrt(count)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, norms, out=vectors, where=norms > 0)
    return vectors


def distinct_programs(sources: Sequence[str], near: float = NEAR) -> list[int]:
    """Return the indexes of the programs that stay when near-duplicates go, shortest first.

    A program goes when its cosine with a shorter one that stays is above `near`.
    """
    vectors = embed(sources)
    order = sorted(range(len(sources)), key=lambda index: (len(sources[index]), index))
    kept: list[int] = []
    for index in order:
        if not kept or float((vectors[kept] @ vectors[index]).max()) <= near:
            kept.append(index)
    return kept


def diversity(sources: Sequence[str]) -> float | None:
    """Return the mean pairwise embedding distance 1 - cosine, or None of fewer than two programs."""
    count = len(sources)
    if count < 2:
        return None
    total = embed(sources).sum(axis=0, dtype=np.float64)
    pairs = count * (count - 1)
    # Σ_{i≠j} v_i·v_j = |Σ v|² - Σ |v|², so no matrix of all pairs is needed.
    unit = sum(1 for source in sources if _parses(source))
    return 1.0 - (float(total @ total) - unit) / pairs


@lru_cache(maxsize=65536)
def _bucket(piece: str) -> tuple[int, float]:
    digest = hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=4).digest()
    number = int.from_bytes(digest, "big")
    return number % DIMENSIONS, 1.0 if number >> 31 else -1.0


def _parses(source: str) -> bool:
    return any(True for _ in _pieces(source))


def _pieces(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    stack: list[tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        node, above = stack.pop()
        kind = type(node).__name__
        if isinstance(node, ast.Call):
            name = _name(node.func)
            kind = f"call {name}"
            for place, argument in enumerate(node.args):
                yield f"{kind} {place} {_literal(argument)}"
        elif isinstance(node, ast.Constant):
            kind = f"literal {node.value!r:.40}"
        elif isinstance(node, ast.FunctionDef):
            kind = f"function of {len(node.args.args)}"
        yield f"{above} > {kind}"
        stack.extend((child, kind) for child in ast.iter_child_nodes(node))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f".{node.attr}"
    return node.id if isinstance(node, ast.Name) else type(node).__name__


def _literal(node: ast.expr) -> str:
    return f"{node.value!r:.40}" if isinstance(node, ast.Constant) else type(node).__name__
