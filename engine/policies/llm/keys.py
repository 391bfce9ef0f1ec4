"""API keys: read from the environment or a file, and never shown."""

from __future__ import annotations

import os
from pathlib import Path

from engine.config import EndpointConfig
from engine.policies.llm.errors import CredentialError


class Key:
    """An API key. Neither str() nor repr() shows it; `reveal` is for the request's header."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Key(…)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not written anywhere")

    def reveal(self) -> str:
        """Return the key itself."""
        return self._text

    def hide(self, text: str) -> str:
        """Return a text with the key in it replaced."""
        return text.replace(self._text, "…")


def read_key(endpoint: EndpointConfig) -> Key | None:
    """Return the key an endpoint names, or None where it names none.

    Raises CredentialError when the variable or the file is missing, empty or holds more than one
    line of printable ASCII.
    """
    if endpoint.key_env is not None and endpoint.key_file is not None:
        raise CredentialError(f"{endpoint.url}: give key_env or key_file, not both")
    if endpoint.key_env is not None:
        place = f"environment variable {endpoint.key_env}"
        text = os.environ.get(endpoint.key_env, "")
    elif endpoint.key_file is not None:
        path = Path(endpoint.key_file).expanduser()
        place = str(path)
        try:
            text = path.read_text(encoding="ascii")
        except OSError as error:
            raise CredentialError(f"{path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise CredentialError(f"{path}: an API key is plain ASCII") from error
    else:
        return None
    text = text.strip()
    if not text:
        raise CredentialError(f"{place}: holds no API key for {endpoint.url}")
    if not text.isascii() or not text.isprintable():
        raise CredentialError(f"{place}: an API key is one line of plain ASCII")
    return Key(text)
