"""What can go wrong between us and a language model.

    PolicyError                    the policy cannot go on
    └─ ModelError                  a language model, its server or its files
       ├─ CredentialError          an API key that is not where it should be
       ├─ ContextError             a prompt that does not fit the model's context; names the task
       ├─ EndpointError            one request to one server; names its URL
       │  ├─ UnreachableError      no connection, or no answer in time     (tried again)
       │  ├─ BusyError             HTTP 429 or 5xx                         (tried again)
       │  ├─ RefusedError          any other HTTP error
       │  └─ ReplyError            HTTP 200 whose body is not what was asked for
       └─ ServerError              a server we started
          ├─ StartError            it ended or did not become ready in time; ends with its log
          └─ ReloadError           it kept its old weights

No message holds an API key or any text of a prompt.
"""

from __future__ import annotations

from engine.policies.protocol import PolicyError


class ModelError(PolicyError):
    """A language model cannot be used."""


class CredentialError(ModelError):
    """An API key that cannot be read; the message names the variable or the file."""


class ContextError(ModelError):
    """A prompt that does not fit the model's context; the message names the task."""


class EndpointError(ModelError):
    """A request that failed; the message names the server's URL."""


class UnreachableError(EndpointError):
    """No connection, a broken one, or no answer in time."""


class BusyError(EndpointError):
    """The server has no room or failed: HTTP 429 or 5xx.

    `after` is how many seconds it asked us to wait, or None.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class RefusedError(EndpointError):
    """The server will not answer this request: any other HTTP error; `status` is its code."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ReplyError(EndpointError):
    """An answer that is no chat completion, or no count of tokens."""


class ServerError(ModelError):
    """A server that we started."""


class StartError(ServerError):
    """It ended or was not ready in time; the message ends with the tail of its log."""


class ReloadError(ServerError):
    """It did not take the new weights."""
