"""Commands go from anyone to the engine and their answers back, each state once, across processes."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.archive import ArchiveError
from engine.archive.commands import accept, finish, poll, recent, reject, reply, send, unanswered


def test_a_command_is_queued_accepted_and_done(tmp_path):
    assert poll(tmp_path) == recent(tmp_path) == []
    first = send(tmp_path, "budget", {"samples": 100, "why": "\ud800\0"})
    second = send(tmp_path, "stop")
    assert [command.id for command in poll(tmp_path)] == [first, second]
    assert poll(tmp_path)[0].payload == {"samples": 100, "why": "\ud800\0"}
    accept(tmp_path, first)
    assert [command.id for command in poll(tmp_path)] == [second]
    assert [command.id for command in unanswered(tmp_path)] == [first, second]
    assert (reply(tmp_path, first).state, reply(tmp_path, first).answered) == ("accepted", None)
    finish(tmp_path, first, "from now on 100")
    reject(tmp_path, second, "nothing is running: \ud800")
    done, rejected = reply(tmp_path, first), reply(tmp_path, second)
    assert (done.state, done.reply) == ("done", "from now on 100")
    assert (rejected.state, rejected.reply) == ("rejected", "nothing is running: \\ud800")
    assert done.sent <= done.answered <= rejected.answered
    assert unanswered(tmp_path) == []
    assert recent(tmp_path) == [rejected, done]
    assert recent(tmp_path, limit=1) == [rejected]


def test_an_answer_is_given_once(tmp_path):
    identifier = send(tmp_path, "pause")
    finish(tmp_path, identifier)
    for again in (accept, finish):
        with pytest.raises(ArchiveError, match="command 1 is done, so it cannot become"):
            again(tmp_path, identifier)
    with pytest.raises(ArchiveError, match="command 1 is done"):
        reject(tmp_path, identifier, "late")
    with pytest.raises(ArchiveError, match="command 9 does not exist"):
        accept(tmp_path, 9)
    with pytest.raises(ArchiveError, match="no command 9"):
        reply(tmp_path, 9)
    assert reply(tmp_path, identifier).state == "done"


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match="no such folder"):
        send(tmp_path / "nowhere", "pause")


def test_processes_that_send_at_once_lose_nothing(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom engine.archive.commands import send\n"
        "for i in range(40): send(Path(sys.argv[1]), 'focus', [sys.argv[2], i])"
    )
    senders = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in ("a", "b")
    ]
    seen = []
    while len(seen) < 80:
        for command in poll(tmp_path):
            accept(tmp_path, command.id)
            finish(tmp_path, command.id)
            seen.append(command)
        if not seen and all(sender.poll() not in (None, 0) for sender in senders):
            break
    assert [sender.wait() for sender in senders] == [0, 0]
    for name in ("a", "b"):
        payloads = [command.payload for command in seen if command.payload[0] == name]
        assert payloads == [[name, i] for i in range(40)]


def test_files_made_by_several_at_once_are_made_once(tmp_path):
    for turn in range(15):
        folder = tmp_path / str(turn)
        folder.mkdir()
        together = threading.Barrier(6)

        def take_part(act, folder=folder, together=together):
            together.wait(timeout=30)
            for _ in range(3):
                act(folder)

        with ThreadPoolExecutor(6) as pool:
            acts = [lambda folder: send(folder, "pause")] * 4 + [poll] * 2
            for done in [pool.submit(take_part, act) for act in acts]:
                done.result(timeout=60)
        assert len(poll(folder)) == 12
