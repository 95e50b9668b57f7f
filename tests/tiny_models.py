"""Models of transformers, as small as they get, with a tokenizer; random parameters.

write_tokenizer(folder)          a byte-level tokenizer of 300 types, <|endoftext|> among them
write_model(folder, kind, …)     a model of a class of transformers, and its tokenizer
"""

from pathlib import Path
from typing import Any

TYPES = 300
SIZES = {
    "LlamaForCausalLM": {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
    },
    "BertForMaskedLM": {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
    },
    "T5ForConditionalGeneration": {
        "d_model": 16,
        "d_kv": 8,
        "d_ff": 32,
        "num_layers": 1,
        "num_heads": 2,
    },
}
SIZES["LlamaForSequenceClassification"] = SIZES["LlamaModel"] = SIZES["LlamaForCausalLM"]
SIZES["BertLMHeadModel"] = SIZES["BertForMaskedLM"]


def write_model(
    folder: Path,
    kind: str = "LlamaForCausalLM",
    tokenizer: bool = True,
    seed: int = 0,
    **config: Any,  # noqa: ANN401 - of transformers' configs
) -> Path:
    """Save a model of a class; `config` replaces what is usual."""
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    made = getattr(transformers, kind)
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        settings = {"vocab_size": TYPES, **ends, **SIZES[kind], **config}
        made(made.config_class(**settings)).save_pretrained(folder)
    if tokenizer:
        write_tokenizer(folder)
    return folder


def write_tokenizer(folder: Path) -> Path:
    """Save a tokenizer as transformers does; return its tokenizer.json."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TYPES,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(["the ice cream melted in the microwave and nobody sang"] * 4, trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|endoftext|>")  # noqa: S106
    wrapped.save_pretrained(folder)
    return folder / "tokenizer.json"
