"""What the app hears from its own threads."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message

from soar_tui.feed import Frame


class FrameArrived(Message):
    """The feed has something new."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame


class Fetched(Message):
    """Something a place asked for once has been read; `job` shows it."""

    def __init__(self, job: Callable[[], None]) -> None:
        super().__init__()
        self.job = job


class SaveFailed(Message):
    """What is looked at cannot be saved."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class FeedFailed(Message):
    """The feed has ended by a defect of ours."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
