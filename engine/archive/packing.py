"""Values to bytes and back: results, grids, text, and the compression of what is long.

A blob that begins with zstd's magic number is a zstd frame, any other is raw. Raw content cannot
begin so: the number's first two bytes, 28 B5, are not UTF-8, and a packed result begins with a
grid's row count (1..30) or a failure's mark (≥ 128).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final, get_args

import zstandard

from engine.arc import Grid, pack, unpack
from engine.arc.grid import MAX_SIDE
from engine.programs.candidate import Failure, FailureKind, Result

MAGIC: Final = zstandard.MAGIC_NUMBER.to_bytes(4, "little")
_COMPRESS_FROM: Final = 64
_FAST_LEVEL: Final = 3
_DENSE_LEVEL: Final = 9
_DICTIONARY_BYTES: Final = 112 << 10
_FAILURE_MARK: Final = 128
_PROGRAM: Final = b"\xff"
_KINDS: Final[tuple[FailureKind, ...]] = get_args(FailureKind)


class PackingError(ValueError):
    """A value that cannot be stored as it is, or bytes that are none of ours."""


def digest(data: bytes) -> bytes:
    """Return the 16 bytes (BLAKE2b) that stand for `data` where it is stored once."""
    return hashlib.blake2b(data, digest_size=16).digest()


def pack_text(text: str) -> bytes:
    """Return text as UTF-8; lone surrogates, which models do produce, are kept."""
    return text.encode("utf-8", "surrogatepass")


def unpack_text(data: bytes) -> str:
    """Return the text of pack_text's bytes. Raises PackingError when they are not."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise PackingError(f"not text: {error}") from error


def pack_reply(reply: str, source: str | None) -> bytes:
    """Return a reply as UTF-8, with one byte FF, which UTF-8 never has, where its program stands."""
    text = pack_text(reply)
    return text.replace(pack_text(source), _PROGRAM, 1) if source else text


def unpack_reply(data: bytes, source: str | None) -> str:
    """Return the reply of pack_reply's bytes. Raises PackingError when they are not."""
    return unpack_text(data.replace(_PROGRAM, pack_text(source or ""), 1))


def pack_results(results: Iterable[Result]) -> bytes:
    """Join results: a packed grid as it is; a failure as mark + kind, its length (2), its text.

    Raises PackingError for bytes that are no packed grid, or a failure's text beyond 65 535 bytes.
    """
    parts: list[bytes] = []
    for result in results:
        if isinstance(result, Failure):
            text = pack_text(result.text)
            if len(text) > 0xFFFF:
                raise PackingError(f"a failure's text of {len(text)} bytes: at most 65 535")
            mark = _FAILURE_MARK + _KINDS.index(result.kind)
            parts += (bytes((mark,)), len(text).to_bytes(2, "little"), text)
        else:
            if _grid_end(result, 0) != len(result):
                raise PackingError("a result that is no packed grid")
            parts.append(result)
    return b"".join(parts)


def unpack_results(data: bytes) -> tuple[Result, ...]:
    """Return the results of pack_results' bytes. Raises PackingError when they are not."""
    results: list[Result] = []
    at = 0
    while at < len(data):
        if data[at] < _FAILURE_MARK:
            end = _grid_end(data, at)
            results.append(data[at:end])
        else:
            start = at + 3
            end = start + int.from_bytes(data[at + 1 : start], "little")
            kind = data[at] - _FAILURE_MARK
            if kind >= len(_KINDS) or end > len(data):
                raise PackingError("not packed results")
            results.append(Failure(_KINDS[kind], unpack_text(data[start:end])))
        at = end
    return tuple(results)


def _grid_end(data: bytes, at: int) -> int:
    """Return where the packed grid that begins at `at` ends, by its rows and columns."""
    if at + 2 > len(data):
        raise PackingError("a result that is no packed grid")
    rows, columns = data[at], data[at + 1]
    end = at + 2 + rows * columns
    if not (1 <= rows <= MAX_SIDE and 1 <= columns <= MAX_SIDE and end <= len(data)):
        raise PackingError("a result that is no packed grid")
    return end


def pack_grids(grids: Iterable[Grid]) -> bytes:
    """Join packed grids; each says its own size."""
    return b"".join(pack(grid) for grid in grids)


def packed_grids(data: bytes) -> tuple[bytes, ...]:
    """Return the grids of pack_grids' bytes, each still packed. Raises PackingError otherwise."""
    grids = []
    for result in unpack_results(data):
        if isinstance(result, Failure):
            raise PackingError("a failure where only grids can be")
        grids.append(result)
    return tuple(grids)


def unpack_grids(data: bytes) -> tuple[Grid, ...]:
    """Return the grids of pack_grids' bytes. Raises PackingError or GridError otherwise."""
    return tuple(unpack(grid) for grid in packed_grids(data))


def pack_bits(bits: Sequence[bool]) -> int:
    """Return bools as an int, the first one as bit 0."""
    return sum(1 << place for place, bit in enumerate(bits) if bit)


@lru_cache(maxsize=4096)  # tasks have few inputs, so there are few different ones
def unpack_bits(number: int, length: int) -> tuple[bool, ...]:
    """Return the first `length` bits of a number as bools, bit 0 first."""
    return tuple(bool(number >> place & 1) for place in range(length))


class Compressor:
    """Makes blobs small; source code with a dictionary once there is one. Not thread-safe.

    Source code is compressed densely (a sixth smaller, eight times slower) unless `hurried`.
    """

    def __init__(self) -> None:
        self.hurried = False
        self._plain = zstandard.ZstdCompressor(level=_FAST_LEVEL, write_checksum=False)
        self._fast = self._dense = self._plain

    def use_dictionary(self, data: bytes) -> None:
        """Compress source code with a trained dictionary from now on."""
        self._fast, self._dense = _with(data, _FAST_LEVEL), _with(data, _DENSE_LEVEL)

    def blob(self, data: bytes) -> bytes:
        """Return data compressed where that is shorter."""
        return _shorter(self._plain, data)

    def source(self, data: bytes) -> bytes:
        """Return source code compressed where that is shorter."""
        return _shorter(self._fast if self.hurried else self._dense, data)


def _with(data: bytes, level: int) -> zstandard.ZstdCompressor:
    dictionary = zstandard.ZstdCompressionDict(data)
    dictionary.precompute_compress(level=level)
    return zstandard.ZstdCompressor(level=level, dict_data=dictionary, write_checksum=False)


def _shorter(compressor: zstandard.ZstdCompressor, data: bytes) -> bytes:
    if len(data) < _COMPRESS_FROM:
        return data
    packed: bytes = compressor.compress(data)
    return packed if len(packed) < len(data) else data


def train_dictionary(samples: Sequence[bytes]) -> tuple[int, bytes] | None:
    """Return a dictionary's id and bytes learned from sources, or None when they are too few."""
    try:
        trained = zstandard.train_dictionary(_DICTIONARY_BYTES, list(samples))
    except zstandard.ZstdError:
        return None
    return trained.dict_id(), trained.as_bytes()


class Decompressor:
    """Reads blobs; fetches a dictionary by its id, once, when a frame names it.

    Not thread-safe. `fetch` returns a dictionary's bytes and may raise LookupError.
    """

    def __init__(self, fetch: Callable[[int], bytes]) -> None:
        self._fetch = fetch
        self._by_dictionary: dict[int, zstandard.ZstdDecompressor] = {
            0: zstandard.ZstdDecompressor()
        }

    def __call__(self, blob: bytes) -> bytes:
        """Return a blob's content. Raises PackingError for a damaged frame."""
        if not blob.startswith(MAGIC):
            return blob
        try:
            name = zstandard.get_frame_parameters(blob).dict_id
            if name not in self._by_dictionary:
                dictionary = zstandard.ZstdCompressionDict(self._fetch(name))
                self._by_dictionary[name] = zstandard.ZstdDecompressor(dict_data=dictionary)
            content: bytes = self._by_dictionary[name].decompress(blob)
        except (zstandard.ZstdError, LookupError) as error:
            raise PackingError(f"a damaged frame: {error}") from error
        return content
