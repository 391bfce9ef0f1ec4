"""Which servers are on this machine: no proxy can reach them, or may hear what they are told."""

from __future__ import annotations

from urllib.parse import urlsplit

_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


def on_loopback(url: str) -> bool:
    """Whether a server is asked over the loopback, where the environment's proxies do not count."""
    return urlsplit(url).hostname in _NAMES
