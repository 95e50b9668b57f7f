"""Tiny language models of others, with random weights, as folders that transformers loads.

write_model(folder, kind, …)   a model of a kind of MODELS with a tokenizer of its own
train_bpe(texts, vocab)        the tokenizer alone: byte-level BPE
"""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END = "<|endoftext|>"
SMALL: dict[str, Any] = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
CONTEXT = 24
TEXTS = (
    "I put my ice cream in the microwave and then it melted.",
    "The opposite of hot is cold, and the opposite of up is down.",
    "Das Eis schmolz in der Mikrowelle, und die Straße blieb leer.",
    "def melt(ice):\n    return [drop for drop in ice if drop]\n",
)


def train_bpe(texts: Sequence[str] = TEXTS, vocab: int = 300) -> Tokenizer:
    """Return a byte-level BPE trained on some texts, with an end of text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[END],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def build_model(kind: str, vocab: int, seed: int = 0) -> Any:
    """Return a model of a kind of MODELS, its matrices large enough to tell inputs apart."""
    import transformers

    torch.manual_seed(seed)
    config_class, model_class, fields = MODELS[kind]
    config = getattr(transformers, config_class)(vocab_size=vocab, **fields)
    model = getattr(transformers, model_class)(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 1.2 * parameter.shape[-1] ** -0.5)
            elif name == "lm_head.bias":
                parameter.normal_()
    return model.eval()


def write_model(
    folder: Path, kind: str = "llama", tokenizer: Tokenizer | None = None, seed: int = 0
) -> Path:
    """Write a model of a kind of MODELS, and its tokenizer, into a folder; return the folder."""
    from transformers import PreTrainedTokenizerFast

    own = tokenizer or train_bpe()
    with redirect_stderr(io.StringIO()):  # progress bars
        build_model(kind, own.get_vocab_size(), seed).save_pretrained(folder)
        fast = PreTrainedTokenizerFast(tokenizer_object=own, eos_token=END)
        fast.save_pretrained(folder)
    return folder


LLAMA = SMALL | {"intermediate_size": 32, "max_position_embeddings": CONTEXT}
# Its class of a config, its own class, and the config's fields.
MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", "LlamaForCausalLM", LLAMA),
    "tied": ("LlamaConfig", "LlamaForCausalLM", LLAMA | {"tie_word_embeddings": True}),
    "gpt2": (  # learnt positions
        "GPT2Config",
        "GPT2LMHeadModel",
        {"n_embd": 16, "n_head": 2, "n_layer": 2, "n_positions": CONTEXT},
    ),
    "bloom": ("BloomConfig", "BloomForCausalLM", {"hidden_size": 16, "n_head": 2, "n_layer": 2}),
    "gemma2": (  # its logits are capped, so no one product of hidden states
        "Gemma2Config",
        "Gemma2ForCausalLM",
        LLAMA | {"head_dim": 8, "num_key_value_heads": 1, "final_logit_softcapping": 3.0},
    ),
    "phi": (  # a bias in its head
        "PhiConfig",
        "PhiForCausalLM",
        LLAMA,
    ),
    "mamba": ("MambaConfig", "MambaForCausalLM", {"hidden_size": 16, "num_hidden_layers": 2}),
    "classifier": (
        "LlamaConfig",
        "LlamaForSequenceClassification",
        LLAMA | {"tie_word_embeddings": True, "pad_token_id": 0},
    ),
    "bert": (
        "BertConfig",
        "BertForMaskedLM",
        SMALL | {"intermediate_size": 32, "max_position_embeddings": CONTEXT},
    ),
    "t5": (
        "T5Config",
        "T5ForConditionalGeneration",
        {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2},
    ),
}
