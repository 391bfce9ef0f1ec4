"""Writes a tiny model with random weights, to try a machine with: `python tiny_model.py FOLDER`.

Run by its path with an interpreter that has transformers; it imports nothing of ours, and fetches
nothing. A Llama of two layers and 1.5 million parameters over single bytes, with a chat template:
what it writes is noise, but it is served, tuned and exported like any other.
"""

import os
import sys
from pathlib import Path

SPECIAL = ("<|pad|>", "<|im_start|>", "<|im_end|>")

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

WORDS = 320
"""Entries of the vocabulary: 256 bytes and the special tokens, up to a number that divides well."""


def main() -> None:
    """Write model and tokenizer into the folder named."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    folder = Path(sys.argv[1])

    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bytes_only = Tokenizer(models.BPE({word: at for at, word in enumerate(words)}, []))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytes_only,
        pad_token=SPECIAL[0],
        bos_token=SPECIAL[1],
        eos_token=SPECIAL[2],
        model_max_length=8192,
    )
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=WORDS,
            hidden_size=256,
            intermediate_size=512,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=64,
            max_position_embeddings=8192,
            tie_word_embeddings=False,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )
    )
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
