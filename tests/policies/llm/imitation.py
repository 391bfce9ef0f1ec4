"""A real HTTP server with sglang's shapes and, on request, the faults a server really shows.

In a test it runs in a thread. As a program (`python imitation.py --model-path … --port …`) it
stands in for sglang's own, with its faults given by files in the model's folder.
"""

import argparse
import json
import os
import socket
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

PROGRAM = "It mirrors.\n\n```python\ndef transform(grid):\n    return grid[::-{step}]\n```\n"


class Imitation(ThreadingHTTPServer):
    """Serves until closed. `faults` are used up by chat requests, `count_faults` by counts of tokens."""

    daemon_threads = True

    def __init__(self, port=0, faults=(), *, ready=True, version="default", model="base"):
        super().__init__(("127.0.0.1", port), _Handler)
        self.faults = deque(faults)
        self.count_faults = deque()
        self.ready = ready
        self.version = version
        self.model = model
        self.most_at_once = self.at_once = self.texts = 0
        self.requests = []
        self.headers = []
        self.disconnected = threading.Event()
        self.closing = threading.Event()
        self.meeting = threading.Barrier(2)
        self.mute = False
        self.arrived = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.closing.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def asked(self, path):
        return [body for asked_path, body in self.requests if asked_path == path]

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Imitation

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urlsplit(self.path).path
        if path in {"/ready", "/health", "/health_generate"}:
            unwell = path != "/ready" and (Path(self.server.model) / "unwell").exists()
            self._send(200 if self.server.ready and not unwell else 503, b"")
        elif path == "/requests":  # not sglang's: what a test in another process wants to know
            self._json(200, self.server.asked("/v1/chat/completions"))
        elif path == "/v1/loads":
            self._json(200, {"loads": [{"num_running_reqs": self.server.at_once}]})
        elif path == "/model_info":
            info = {"model_path": self.server.model, "weight_version": self.server.version}
            if (Path(self.server.model) / "says-nothing").exists():
                self._send(200, b"<html>proxy</html>")
            else:
                self._json(200, info)
        else:
            self._json(404, {"detail": "Not Found"})

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length) or b"null")
        server = self.server
        path = urlsplit(self.path).path
        server.requests.append((path, body))
        server.headers.append({name.lower(): value for name, value in self.headers.items()})
        if path == "/v1/chat/completions":
            with server.lock:
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
                fault = server.faults.popleft() if server.faults else None
            server.arrived.set()
            while (Path(self.server.model) / "holds").exists() and not self.server.closing.wait(
                0.01
            ):
                pass
            if fault == "meet":
                server.meeting.wait(30)
            answer = self._completion(body, fault)
            with server.lock:  # before the answer, or the client's next request would overlap
                server.at_once -= 1
            if not self._misbehave(body, fault):
                self._json(200, answer)
        elif path == "/tokenize":
            text = body.get("content", "") or " ".join(m["content"] for m in body["messages"])
            fault = server.count_faults.popleft() if server.count_faults else None
            if not self._misbehave(body, fault):
                self._json(200, {"tokens": list(range(len(text.split()))), "max_model_len": 30000})
        elif path == "/apply-template":
            self._json(200, {"prompt": " ".join(m["content"] for m in body["messages"])})
        elif path == "/update_weights_from_disk":
            self._reload(body)
        elif path in {"/pause_generation", "/continue_generation"}:
            self._json(200, {"status": "ok"})
        else:
            self._json(404, {"detail": "Not Found"})

    def _reload(self, body):
        folder = Path(body["model_path"])
        if not folder.is_dir() or (folder / "bad").exists():
            message = f"Failed to load weights from {folder}"
            if (folder / "tells-key").exists():
                message = f"{'.' * 285} {self.headers['authorization']}"
            self._json(400, {"success": False, "message": message, "num_paused_requests": 0})
            return
        if not (folder / "keeps-version").exists():
            self.server.version = body["weight_version"]
        self.server.model = body["model_path"]
        self.server.mute = (folder / "mute").exists()
        self._json(200, {"success": True, "message": "Succeeded", "num_paused_requests": 0})

    def _completion(self, body, fault):
        n = body.get("n", 1)
        finishes = {
            "abort": ["abort"] * n,
            "error": ["error"] * n,
            "abort one": ["abort", *["stop"] * (n - 1)],
            "length": ["length"] * n,
            "one choice": ["stop"],
        }.get(fault, ["stop"] * n)
        choices = []
        for index, finish in enumerate(finishes):
            with self.server.lock:
                self.server.texts += 1
                text = "" if self.server.mute else PROGRAM.format(step=self.server.texts)
            message = {"role": "assistant", "content": text}
            choices.append({"index": index, "message": message, "finish_reason": finish})
        usage = {"prompt_tokens": 100, "completion_tokens": 10 * len(choices), "total_tokens": 0}
        usage["prompt_tokens_details"] = {"cached_tokens": 40}
        answer = {
            "id": "1",
            "object": "chat.completion",
            "model": body["model"],
            "choices": choices,
            "usage": usage,
            "metadata": {"weight_version": self.server.version},
        }
        if fault == "meta_info":
            answer["meta_info"] = answer.pop("metadata")
        if fault == "sparse":  # what the protocol allows to be missing, is
            choices[0]["message"] = {"role": "assistant", "content": None}
            answer |= {"usage": None, "metadata": None}
        return answer

    def _misbehave(self, body, fault):
        match fault:
            case "gone":
                self._wait_for_disconnect()
            case "garbage":
                self._send(200, b"<html>proxy</html>")
            case "error body":
                self._json(200, {"error": {"message": "upstream is down for maintenance"}})
            case "reset":
                self._hang_up()
            case "truncated":
                self._begin(b'{"choices": [')
                self._hang_up()
            case "drip":
                self._begin(b"")
                while not self.server.closing.wait(0.02):
                    self.wfile.write(b" ")
                    self.wfile.flush()
            case "busy":
                message = {"object": "error", "message": "queue is full"}
                self._json(429, message, {"retry-after": "0"})
            case "echo":
                said = f"bad input: {body['messages'][1]['content']}"
                self._json(400, {"error": {"message": said}})
            case "echo key":
                said = f"wrong key in {self.headers['authorization']}"
                self._json(401, {"error": {"message": said}})
            case "too long":
                said = "The input (31000 tokens) is longer than the model's context length"
                self._json(400, {"object": "error", "message": said, "code": 400})
            case int(status):
                self._json(status, {"object": "error", "message": "no"})
            case _:
                return False
        return True

    def _begin(self, start):
        self.send_response(200)
        self.send_header("content-length", "100000")
        self.end_headers()
        self.wfile.write(start)
        self.wfile.flush()

    def _hang_up(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _wait_for_disconnect(self):
        self.connection.settimeout(30)
        if not self.connection.recv(1):
            self.server.disconnected.set()

    def _json(self, status, document, headers=()):
        self._send(status, json.dumps(document).encode(), headers)

    def _send(self, status, content, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model-path", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--weight-version", default="default")
    known, rest = parser.parse_known_args()
    folder = known.model_path
    with (folder / "starts").open("a") as file:
        file.write(json.dumps(rest) + "\n")
    print("Loading weights", flush=True)
    starts = (folder / "starts").read_text().count("\n")
    if (folder / "fails").exists() and starts <= int((folder / "fails").read_text()):
        print("torch.OutOfMemoryError: CUDA out of memory", file=sys.stderr, flush=True)
        sys.exit(1)
    with Imitation(
        known.port,
        ready=not (folder / "never-ready").exists(),
        version=known.weight_version,
        model=str(folder),
    ):
        (folder / "pid").write_text(str(os.getpid()))
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
