"""GGUF to safetensors and back, as a process of its own: `python gguf_job.py JOB.json`.

Run by its path with the trainer's interpreter (torch, transformers, gguf); it imports nothing of
ours. `{"to": "safetensors", "gguf", "weights"}` writes the folder `weights` in bfloat16.
`{"to": "gguf", "gguf", "weights", "out"}` writes the file `out`: the given GGUF file with the
projections that LoRA tunes replaced by those of the folder, in 16-bit floats; its vocabulary, chat
template and everything else stay, byte for byte.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECTIONS = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""A projection's name in GGUF → in the models of transformers."""

INTERLEAVED = {"llama"}
"""Architectures whose queries and keys GGUF keeps in another order of rows."""

FARTHEST = 0.5
"""A projection may differ from the base's by this share of its norm; more is a wrong mapping."""


class JobError(Exception):
    """A job that cannot be done; the message is shown to the user."""


def main() -> int:
    """Do the job; return 0, or 1 after saying why it failed."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        try:
            if job["to"] == "safetensors":
                _to_safetensors(Path(job["gguf"]), Path(job["weights"]))
            else:
                _to_gguf(Path(job["gguf"]), Path(job["weights"]), Path(job["out"]))
        except JobError as error:
            out.write(json.dumps({"event": "failed", "reason": str(error)}) + "\n")
            return 1
        out.write(json.dumps({"event": "done"}) + "\n")
    return 0


def _to_safetensors(gguf_file: Path, folder: Path) -> None:
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import quantization_config

    where: dict[str, Any] = {
        "pretrained_model_name_or_path": str(gguf_file.parent),
        "gguf_file": gguf_file.name,
    }
    tokenizer = AutoTokenizer.from_pretrained(**where)
    reader = gguf.GGUFReader(str(gguf_file))
    words = _value(reader, "tokenizer.ggml.tokens")
    # Some releases take the wrong token for the end of a turn, and a model then never stops.
    for kind, field in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        name = f"tokenizer.ggml.{field}_token_id"
        if reader.get_field(name) is not None:
            setattr(tokenizer, f"{kind}_token", words[int(_value(reader, name))])
    # Newer releases keep GGUF weights packed unless told otherwise; older ones cannot be told.
    if hasattr(quantization_config, "GgufConfig"):
        where["quantization_config"] = quantization_config.GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _to_gguf(base: Path, folder: Path, out: Path) -> None:
    import gguf
    import numpy as np

    reader = gguf.GGUFReader(str(base))
    architecture = _value(reader, "general.architecture")
    read = _tensors(folder)
    writer = gguf.GGUFWriter(str(out), arch=architecture)
    _copy_fields(reader, writer)
    for tensor in reader.tensors:
        block, _, rest = tensor.name.removeprefix("blk.").partition(".")
        projection = PROJECTIONS.get(rest.removesuffix(".weight"))
        if projection is None or not rest.endswith(".weight"):
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        new = read(f"model.layers.{block}.{projection}.weight")
        if architecture in INTERLEAVED and rest in {"attn_q.weight", "attn_k.weight"}:
            heads = "head_count" if rest.startswith("attn_q") else "head_count_kv"
            new = _interleaved(new, int(_value(reader, f"{architecture}.attention.{heads}")))
        old = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        if new.shape != old.shape or np.linalg.norm(new - old) > FARTHEST * np.linalg.norm(old):
            raise JobError(f"{folder}: its {projection} is not a tuned {tensor.name} of {base}")
        writer.add_tensor(tensor.name, new.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _value(reader: Any, name: str) -> Any:
    field = reader.get_field(name)
    if field is None:
        raise JobError(f"the GGUF file holds no {name}")
    return field.contents()


def _copy_fields(reader: Any, writer: Any) -> None:
    import gguf

    for field in reader.fields.values():
        # The writer writes these itself.
        if field.name == gguf.Keys.General.ARCHITECTURE or field.name.startswith("GGUF."):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)


def _interleaved(weight: Any, heads: int) -> Any:
    """Return rows in the order of GGUF's llama: each head's two halves dealt out in turn."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def _tensors(folder: Path) -> Callable[[str], Any]:
    """Return a function that reads a tensor of a model's folder by name, in 32-bit floats."""
    from safetensors import safe_open

    files = [safe_open(str(path), framework="pt") for path in sorted(folder.glob("*.safetensors"))]
    where = {name: file for file in files for name in file.keys()}  # noqa: SIM118 - no mapping

    def read(name: str) -> Any:
        if name not in where:
            raise JobError(f"{folder}: holds no {name}")
        return where[name].get_tensor(name).float().numpy()

    return read


if __name__ == "__main__":
    sys.exit(main())
