"""Serves a GGUF file on the loopback with xllamacpp, as OpenAI-compatible HTTP, until ended.

Run by its path with the interpreter that has xllamacpp: it imports nothing else of ours.
"""

import argparse
import os
import threading


def main() -> None:
    """Serve until the process is told to end."""
    parser = argparse.ArgumentParser(description="Serve a GGUF file on the loopback.")
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True, help="completions at once")
    parser.add_argument("--cells", type=int, required=True, help="tokens in all slots together")
    parser.add_argument("--threads", type=int, default=0, help="0: one per core")
    asked = parser.parse_args()

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = asked.model
    params.model_alias = {"default"}
    params.hostnames = ["127.0.0.1"]
    params.port = asked.port
    params.n_parallel = asked.slots
    # One pool of cells for all slots, and completions of one prompt share its cells.
    params.kv_unified = True
    params.n_ctx = asked.cells
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = asked.threads or _cores()
    server = xllamacpp.Server(params)
    print(f"listening on {server.listening_address}", flush=True)
    threading.Event().wait()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
