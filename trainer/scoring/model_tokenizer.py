"""The tokenizer that a model of others brings along: its tokenizer.json, its begin and its end.

What a document begins with is what the tokenizer puts before a text by itself (Llama's
begin-of-text), else the usual mark between documents (`<|endoftext|>`), which may differ from the
one that ends a turn of a chat: models that chat were first trained on documents.
"""

import json
from typing import Any

from trainer.scoring.carrier import ModelTokenizer
from trainer.scoring.hub import check_installed, locate
from trainer.scoring.pretrained import calling, choose_source, silence
from weighting.errors import AssayError
from weighting.signals.model_names import ModelName
from weighting.vocabulary import find_end


def read_tokenizer(name: ModelName) -> ModelTokenizer:
    """Return the tokenizer of a model.

    Raises:
        AssayError: the model has no tokenizer, transformers cannot load it, or it names no token
            that ends a document.
    """
    check_installed(name)
    with calling(f"{name}: a model without a tokenizer that transformers can load"):
        from transformers import AutoTokenizer

        silence()
        tokenizer = AutoTokenizer.from_pretrained(**choose_source(name))
        own = locate(name).folder / "tokenizer.json"
        text = own.read_text("utf-8") if own.is_file() else tokenizer.backend_tokenizer.to_str()
        before = tokenizer("")["input_ids"]
        size = max(tokenizer.get_vocab().values()) + 1
    begin_id, end_id = _find_marks(name, json.loads(text), tokenizer, before)
    return ModelTokenizer(text, begin_id, end_id, size)


def _find_marks(
    name: ModelName,
    fields: Any,  # noqa: ANN401 - JSON
    tokenizer: Any,  # noqa: ANN401 - transformers' own class
    before: list[int],
) -> tuple[int, int]:
    """Return the ids that stand before and after a document."""
    usual = find_end({"added_tokens": [], **fields}, None)
    end_id = tokenizer.eos_token_id if usual is None else tokenizer.convert_tokens_to_ids(usual)
    begin_id = before[0] if before else end_id
    if begin_id is None or end_id is None:
        raise AssayError(f"{name}: its tokenizer names no token that ends a text (eos_token)")
    return begin_id, end_id
