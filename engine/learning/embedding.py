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
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Embed: TypeAlias = Callable[[Sequence[str]], NDArray[np.float32]]
"""Programs in, unit vectors out, of shape (programs, any width); zeros for what has no direction."""

DIMENSIONS = 256
NEAR = 0.9
"""Cosine above which two programs count as the same (SOAR §7)."""
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def embed(sources: Sequence[str]) -> NDArray[np.float32]:
    """Return unit vectors of shape (programs, DIMENSIONS), float32; zeros for what won't parse."""
    vectors = np.zeros((len(sources), DIMENSIONS), dtype=np.float32)
    for row, source in enumerate(sources):
        vectors[row] = _vector(source)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, norms, out=vectors, where=norms > 0)
    return vectors


def distinct_programs(sources: Sequence[str], embedding: Embed = embed) -> list[int]:
    """Return the indexes of the programs that stay when near-duplicates go, shortest first.

    A program goes when its cosine with a shorter one that stays is above NEAR.
    """
    vectors = embedding(sources)
    order = sorted(range(len(sources)), key=lambda index: (len(sources[index]), index))
    kept: list[int] = []
    for index in order:
        if not kept or float((vectors[kept] @ vectors[index]).max()) <= NEAR:
            kept.append(index)
    return kept


def diversity(sources: Sequence[str]) -> float | None:
    """Return the mean pairwise embedding distance 1 - cosine, or None of fewer than two programs."""
    count = len(sources)
    if count < 2:
        return None
    vectors = embed(sources).astype(np.float64)
    total = vectors.sum(axis=0)
    pairs = count * (count - 1)
    # Σ_{i≠j} v_i·v_j = |Σ v|² - Σ |v|², so no matrix of all pairs is needed.
    return 1.0 - float(total @ total - np.square(vectors).sum()) / pairs


def _vector(source: str) -> NDArray[np.float64]:
    """Return a program's damped counts by bucket, not yet normalised; zeros if it won't parse."""
    try:
        parts = [_counted(part) for part in _statements(source)]
    except _UNREADABLE:
        # A part may be none by itself (a string or a bracket that spans its end).
        try:
            parts = [_counted(source)]
        except _UNREADABLE:
            return np.zeros(DIMENSIONS)
    # The module itself is a piece, so that an empty program has a direction, too.
    pieces = np.concatenate([_MODULE, *(pieces for pieces, _ in parts)])
    counts = np.concatenate([[1], *(counts for _, counts in parts)])
    distinct, place = np.unique(pieces, return_inverse=True)
    damped = np.sqrt(np.bincount(place, counts, len(distinct)))
    signs = np.where(distinct >> np.uint64(63), 1.0, -1.0)
    buckets = (distinct % np.uint64(DIMENSIONS)).astype(np.intp)
    vector: NDArray[np.float64] = np.zeros(DIMENSIONS)
    np.add.at(vector, buckets, signs * damped)
    return vector


def _statements(source: str) -> list[str]:
    """Cut a program before its top-level functions, which many programs have in common."""
    return [part for part in re.split(r"^(?=def )", source, flags=re.MULTILINE) if part]


@lru_cache(maxsize=4096)
def _counted(source: str) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the distinct pieces of a text, as digests, and how often each is there."""
    counts = Counter(_pieces(source))
    pieces = np.array([_digest(piece) for piece in counts], dtype=np.uint64)
    return pieces, np.array(list(counts.values()), dtype=np.int64)


@lru_cache(maxsize=65536)
def _digest(piece: str) -> int:
    digest = hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _pieces(source: str) -> Iterator[str]:
    stack: list[tuple[ast.AST, str]] = [(child, "Module") for child in ast.parse(source).body]
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


_MODULE = np.array([_digest("Module")], dtype=np.uint64)
