"""One tuning of a language model, as a process of its own: `python lora_job.py JOB.json`.

Run by its path with an interpreter that has either unsloth or transformers, peft and trl; it
imports nothing of ours, and nothing of ours imports it. The job's rows are
`{"prompt": messages, "completion": messages}`. What it says is one JSON object per line on
standard output; whatever its libraries print goes to standard error.

Done by RS-LoRA (SOAR §8): the update of a weight is α/√r · B·A. The adapter is saved with
`use_rslora` off and α·√r in place of α, which is the same scale for every reader: servers that
ignore `use_rslora` would otherwise apply α/r, which at rank 256 is 16 times too little.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

FOUR_BIT_FROM = 15e9
"""Parameters above which unsloth loads a base in 4 bits unless the job says otherwise.

Those called 14 B have up to 14.8 billion.
"""


class JobError(Exception):
    """A job that cannot be done; the message is shown to the user."""


class _Opened(NamedTuple):
    model: Any
    tokenizer: Any
    lora: Any
    four_bit: bool


class _Speaker:
    """Writes lines to the original standard output, which libraries then no longer have."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def say(self, event: str, **fields: Any) -> None:
        self._out.write(json.dumps({"event": event, **fields}) + "\n")
        self._out.flush()


def main() -> int:
    """Do the job; return 0, or 1 after saying why it failed."""
    speaker = _Speaker()
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # Nothing is fetched behind the user's back; a hub name works if it is in the hub's cache.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if job["cpu"]:
        os.environ["OMP_NUM_THREADS"] = "1"
        os.environ["UNSLOTH_FORCE_CPU"] = "1"
    try:
        _tune(job, speaker)
    except JobError as error:
        speaker.say("failed", reason=str(error))
        return 1
    return 0


def _tune(job: dict[str, Any], speaker: _Speaker) -> None:
    started = time.monotonic()
    opened = (_open_unsloth if job["trainer"] == "unsloth" else _open_hf)(job)
    rows, dropped = _rows(job, opened.tokenizer)
    if not rows:
        raise JobError(f"all {dropped} rows are longer than {job['max_length']} tokens")
    trainer = _trainer(job, opened, rows, speaker, started)
    speaker.say("rows", rows=len(rows), dropped=dropped)
    supervised, seen = _prove_labels(trainer, opened.tokenizer, rows)
    speaker.say("labels", supervised=supervised, tokens=seen)
    trainer.train()
    out = Path(job["out"])
    _save_adapter(trainer.model, out / "adapter", job)
    surviving = _save_merged(trainer.model, opened, out / "merged", job)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    summary = {
        "trainer": job["trainer"],
        "base": job["base"],
        "rows": len(rows),
        "dropped": dropped,
        "losses": losses,
        "tokens": int(trainer.state.num_input_tokens_seen),
        "seconds": time.monotonic() - started,
        "rank": job["rank"],
        "scale": job["alpha"] / math.sqrt(job["rank"]),
        "surviving": surviving,
    }
    shutil.rmtree(out / "trainer", ignore_errors=True)
    (out / "checkpoint.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    speaker.say("done", **summary)


def _open_hf(job: dict[str, Any]) -> _Opened:
    import torch
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

    if job["cpu"]:
        torch.set_num_threads(1)
    # The adapters are drawn before the trainer sees its seed.
    set_seed(job["seed"])
    tokenizer = AutoTokenizer.from_pretrained(job["base"])
    if job["four_bit"]:
        # What peft merges into 4-bit weights is 4-bit weights, which is not what we serve.
        raise JobError("train.four_bit: the trainer 'hf' does not load in 4 bits; take 'unsloth'")
    model = AutoModelForCausalLM.from_pretrained(job["base"], dtype=torch.bfloat16)
    lora = LoraConfig(
        r=job["rank"],
        lora_alpha=job["alpha"],
        use_rslora=True,
        lora_dropout=0.0,
        bias="none",
        target_modules=TARGETS,
        task_type="CAUSAL_LM",
    )
    return _Opened(model, tokenizer, lora, four_bit=False)


def _open_unsloth(job: dict[str, Any]) -> _Opened:
    # Before transformers and trl, which it changes.
    from unsloth import FastLanguageModel  # isort: skip
    import torch
    from transformers import AutoConfig

    if job["cpu"]:
        torch.set_num_threads(1)
    four_bit = _four_bit(job, AutoConfig.from_pretrained(job["base"]).get_text_config())
    model, tokenizer = FastLanguageModel.from_pretrained(
        job["base"],
        max_seq_length=job["max_length"],
        dtype=torch.bfloat16,
        load_in_4bit=four_bit,
        load_in_16bit=not four_bit,
        full_finetuning=False,
    )
    model = FastLanguageModel.get_peft_model(
        model,
        r=job["rank"],
        lora_alpha=job["alpha"],
        use_rslora=True,
        lora_dropout=0,
        bias="none",
        target_modules=TARGETS,
        use_gradient_checkpointing="unsloth",
        random_state=job["seed"],
    )
    return _Opened(model, tokenizer, None, four_bit)


def _four_bit(job: dict[str, Any], config: Any) -> bool:
    if job["cpu"]:
        return False  # there are no 4-bit kernels for it
    if job["four_bit"] is None:
        return _parameters(config) > FOUR_BIT_FROM
    return bool(job["four_bit"])


def _parameters(config: Any) -> float:
    """Return about how many parameters a dense decoder of this configuration has."""
    width, layers = config.hidden_size, config.num_hidden_layers
    heads = config.num_attention_heads
    keys = width * getattr(config, "num_key_value_heads", heads) / heads
    layer = 2 * width * (width + keys) + 3 * width * config.intermediate_size
    return float(layers * layer + 2 * config.vocab_size * width)


def _rows(job: dict[str, Any], tokenizer: Any) -> tuple[list[dict[str, Any]], int]:
    """Return the rows that fit and how many do not; a cut answer would teach a broken program."""
    kept, dropped = [], 0
    for line in Path(job["rows"]).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False)
        if len(tokenizer(text, add_special_tokens=False)["input_ids"]) > job["max_length"]:
            dropped += 1
        else:
            kept.append(row)
    return kept, dropped


def _trainer(
    job: dict[str, Any],
    opened: _Opened,
    rows: list[dict[str, Any]],
    speaker: _Speaker,
    started: float,
) -> Any:
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    per_epoch = math.ceil(len(rows) / (job["batch"] * job["accumulation"]))
    steps = job["steps"] or per_epoch * job["epochs"]

    class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers is not there to type it
        """Says a line per step."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                speaker.say(
                    "step",
                    step=state.global_step,
                    steps=state.max_steps,
                    loss=logs["loss"],
                    tokens=int(state.num_input_tokens_seen),
                    seconds=time.monotonic() - started,
                )

    config = SFTConfig(
        output_dir=str(Path(job["out"]) / "trainer"),
        per_device_train_batch_size=job["batch"],
        gradient_accumulation_steps=job["accumulation"],
        max_steps=steps,
        learning_rate=job["learning_rate"],
        lr_scheduler_type="cosine",
        warmup_steps=round(job["warmup"] * steps),
        weight_decay=job["weight_decay"],
        optim="adamw_8bit" if job["trainer"] == "unsloth" and not job["cpu"] else "adamw_torch",
        bf16=True,
        use_cpu=job["cpu"],
        gradient_checkpointing=job["trainer"] == "hf",
        completion_only_loss=True,
        packing=False,
        max_length=None,  # rows that do not fit are left out, none is cut
        include_num_input_tokens_seen="all",
        dataloader_num_workers=0,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=job["seed"],
    )
    return SFTTrainer(
        model=opened.model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=opened.tokenizer,
        peft_config=opened.lora,
        callbacks=[Reporter()],
    )


def _prove_labels(trainer: Any, tokenizer: Any, rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Check on a batch that the loss is on answers alone, and on whole ones.

    Returns how many tokens of it are supervised, and how many there are. Raises JobError.
    """
    batch = next(iter(trainer.get_train_dataloader()))
    answers = {row["completion"][0]["content"].strip() for row in rows}
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        learned = tokenizer.decode(ids[labels != -100], skip_special_tokens=True).strip()
        if learned not in answers:
            raise JobError(f"the loss is not on an answer alone, but on {learned[:80]!r} …")
    return int((batch["labels"] != -100).sum()), int(batch["attention_mask"].sum())


def _save_adapter(model: Any, folder: Path, job: dict[str, Any]) -> None:
    """Save the adapter so that every reader applies the scale it was trained with."""
    model.save_pretrained(str(folder))
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["lora_alpha"] = job["alpha"] * math.sqrt(job["rank"])
    config["use_rslora"] = False
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
    written = config["lora_alpha"] / config["r"]
    for name, layer in _layers(model):
        trained = layer.scaling["default"]
        if not math.isclose(written, trained, rel_tol=1e-6):
            raise JobError(f"{name} was trained at scale {trained}, saved at {written}")


def _save_merged(model: Any, opened: _Opened, folder: Path, job: dict[str, Any]) -> float | None:
    """Save the merged 16-bit weights, and check the scale of the update in what was saved.

    Returns the share of the update that survives the rounding to 16 bits; None in 4 bits, where
    the weights merged into are not those trained on. Raises JobError.
    """
    from transformers import AutoTokenizer

    name, update, base = _largest_update(model)
    if opened.lora is None:
        model.save_pretrained_merged(str(folder), opened.tokenizer, save_method="merged_16bit")
    elif job["half"]:
        # bfloat16 has 8 bits: the small updates of a short training would be rounded away.
        model.float().merge_and_unload().half().save_pretrained(str(folder))
    else:
        model.merge_and_unload().save_pretrained(str(folder))
    # As the base has it: training changes limits and padding that serving has no use for.
    AutoTokenizer.from_pretrained(job["base"]).save_pretrained(str(folder))
    if opened.four_bit:
        return None
    saved = _saved_tensor(folder, name).float()
    expected = (base + update).to(_saved_tensor(folder, name).dtype).float()
    # One unit in the last of bfloat16's 8 bits, for a merge may round once more than we do.
    if not bool(((saved - expected).abs() <= expected.abs() / 128 + 1e-6).all()):
        raise JobError(f"{name}: the merged weights are not base + α/√r · B·A")
    return float(((saved - base) * update).sum() / (update * update).sum())


def _layers(model: Any) -> list[tuple[str, Any]]:
    return [
        (name, layer)
        for name, layer in model.named_modules()
        if hasattr(layer, "lora_A") and "default" in layer.lora_A
    ]


def _largest_update(model: Any) -> tuple[str, Any, Any]:
    """Return the weight with the largest update: its name when saved, the update, the base."""
    best: tuple[float, str, Any, Any] | None = None
    for name, layer in _layers(model):
        a = layer.lora_A["default"].weight.detach().float().cpu()
        b = layer.lora_B["default"].weight.detach().float().cpu()
        update = layer.scaling["default"] * (b @ a)
        size = float(update.norm())
        if best is None or size > best[0]:
            base = layer.base_layer.weight.detach().cpu().clone().float()
            best = (size, name.removeprefix("base_model.model.") + ".weight", update, base)
    if best is None or best[0] == 0:
        raise JobError("nothing was learned: every update is zero")
    return best[1:]


def _saved_tensor(folder: Path, name: str) -> Any:
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(str(path), framework="pt") as file:
            if name in file.keys():  # noqa: SIM118 - a safetensors file is no mapping
                return file.get_tensor(name)
    raise JobError(f"{folder}: holds no {name}")


if __name__ == "__main__":
    sys.exit(main())
