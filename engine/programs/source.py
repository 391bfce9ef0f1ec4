"""Programs as text: taking them out of a reply, normalising them, hashing them.

A program is Python source that defines `transform(grid)` at module level. Replies are written
by language models: everything here takes any text and stays linear in its length.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
import warnings
from collections.abc import Iterator

ENTRY = "transform"
"""The function every program defines."""

LONGEST = 100_000
"""Characters above which a text is taken for no program."""

_FENCE = re.compile(r"[ \t]*+(`{3,}+|~{3,}+)([^`\n]*+)")
_NAMED = re.compile(rf"\b{ENTRY}\b")
_DEFINITION = re.compile(rf"[ \t]*+(?:def[ \t]++{ENTRY}\b|{ENTRY}[ \t]*+=(?!=))")


class SourceError(ValueError):
    """A text that is no Python program; the message says why."""


def extract(reply: str) -> str | None:
    """Return the program of a reply, or None when it holds none (SOAR §3).

    It is the last fenced block that defines `transform`, whole: imports, module constants,
    helper functions and classes stay. What would run `transform` at module level (a trial on an
    example) is left out. A fence left open by a reply cut short ends with the reply. A reply
    without such a block that is itself a program counts. When no block parses, the last one that
    looks like defining it is returned, for its failure to be seen. Lone surrogates, which
    no file can hold, become question marks.
    """
    text = reply.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    blocks = [_to_the_margin(block).strip("\n") + "\n" for block in _blocks(text)]
    candidates = [block for block in blocks if mentions_entry(block)]
    if len(candidates) == 1 and _names_entry_once(candidates[0]):
        # What follows would return it as it is, parsed or not, and parsing costs a millisecond.
        return candidates[0]
    for block in reversed(candidates):
        program = _program(block)
        if program is not None:
            return program
    if candidates:
        return candidates[-1]
    return _program(text) if mentions_entry(text) else None


def mentions_entry(text: str) -> bool:
    """Whether a text is short enough for a program and a line of it defines `transform`.

    It is not parsed, so it may still be no Python.
    """
    if len(text) > LONGEST:
        return False
    at = text.find(ENTRY)
    while at >= 0:
        if _DEFINITION.match(text, text.rfind("\n", 0, at) + 1):
            return True
        end = text.find("\n", at)  # what defines it names it before anything else of its line does
        at = text.find(ENTRY, end) if end >= 0 else -1
    return False


def normalise(source: str) -> str:
    """Return the program as `ast` writes it back: without comments, formatting or spare brackets.

    Raises SourceError when it does not parse.
    """
    tree = _parse(source)
    try:
        return ast.unparse(tree)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"cannot be written back: {error}") from error


def source_hash(source: str) -> bytes:
    """Return the 16-byte BLAKE2b hash of a program's text as it is."""
    return hashlib.blake2b(source.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def normal_hash(source: str) -> bytes:
    """Return the hash of the program's normal form. Raises SourceError when it has none."""
    return source_hash(normalise(source))


def _blocks(text: str) -> Iterator[str]:
    """Yield the text of every fenced block; a fence with a language also ends the block before."""
    fence, block = "", list[str]()
    for line in text.split("\n"):
        match = _FENCE.fullmatch(line) if "```" in line or "~~~" in line else None
        if match is None:
            block.append(line)
            continue
        mark, language = match[1], match[2].strip()
        if fence and (mark[0] != fence[0] or len(mark) < len(fence)):
            block.append(line)
            continue
        if fence:
            yield "\n".join(block)
        fence = "" if fence and not language else mark
        block = []
    if fence:
        yield "\n".join(block)


def _to_the_margin(block: str) -> str:
    """Return a block without the indentation that all its lines have; most have none."""
    indented = block.lstrip("\n")[:1] in (" ", "\t")
    return textwrap.dedent(block) if indented else block


def _names_entry_once(text: str) -> bool:
    """Whether only its definition can name `transform`, so that nothing in the text runs it.

    Beyond ASCII an identifier may be written in several ways.
    """
    if not text.isascii():
        return False
    return text.count(ENTRY) == 1 or len(_NAMED.findall(text)) == 1


def _program(text: str) -> str | None:
    """Return the text without its trials if it parses and defines `transform`, else None."""
    try:
        tree = _parse(text)
    except SourceError:
        return None
    if not any(_defines_entry(node) for node in tree.body):
        return None
    return _without_trials(text, tree)


def _without_trials(text: str, tree: ast.Module) -> str:
    """Leave out the module-level statements that would run `transform` or use what it gave."""
    running = {ENTRY}
    kept, trials = set[int](), set[int]()
    for node in tree.body:
        names = _names(node)
        runs = bool(names[ast.Load] & running)
        if runs and isinstance(node, ast.FunctionDef | ast.ClassDef):
            running.add(node.name)
        elif runs and not _defines_entry(node):
            running |= names[ast.Store]
            trials |= _lines(node)
            continue
        kept |= _lines(node)
    dropped = trials - kept
    lines = enumerate(text.split("\n"), 1)
    return "\n".join(line for number, line in lines if number not in dropped)


def _defines_entry(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name == ENTRY
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == ENTRY for target in node.targets
    )


def _names(node: ast.stmt) -> dict[type[ast.expr_context], set[str]]:
    names: dict[type[ast.expr_context], set[str]] = {ast.Load: set(), ast.Store: set()}
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            names.setdefault(type(part.ctx), set()).add(part.id)
    return names


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _parse(source: str) -> ast.Module:
    if len(source) > LONGEST:
        raise SourceError(f"longer than {LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a program's odd escapes are no concern of the log
            return ast.parse(source)
    except SyntaxError as error:
        place = "" if error.lineno is None else f"line {error.lineno}: "
        raise SourceError(place + error.msg) from error
    except ValueError as error:
        raise SourceError(f"not Python: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise SourceError("nested too deeply") from error
