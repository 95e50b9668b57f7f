"""The tokenizer of a model: which token begins a document, and which ends it."""

import json

import pytest
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from tests.tiny_models import END, train_bpe, write_model
from trainer.scoring.model_tokenizer import read_tokenizer
from weighting.errors import AssayError
from weighting.signals.model_names import ModelKind, ModelName


def read(path):
    return read_tokenizer(ModelName(ModelKind.FOLDER, str(path)))


def test_a_document_lies_between_the_usual_marks(tmp_path):
    own = train_bpe()
    told = read(write_model(tmp_path, tokenizer=own))
    assert told.begin_id == told.end_id == own.token_to_id(END)
    assert told.size == own.get_vocab_size()
    text = "then it melted"
    assert Tokenizer.from_str(told.text).encode(text).ids == own.encode(text).ids


def test_what_the_tokenizer_puts_before_a_text_begins_it(tmp_path):
    own = train_bpe()
    own.add_special_tokens(["<begin>"])
    begin = own.token_to_id("<begin>")
    own.post_processor = TemplateProcessing("<begin> $A", special_tokens=[("<begin>", begin)])
    told = read(write_model(tmp_path, tokenizer=own))
    assert (told.begin_id, told.end_id) == (begin, own.token_to_id(END))


def test_the_mark_of_documents_goes_before_the_end_of_a_turn(tmp_path):
    own = train_bpe()
    own.add_special_tokens(["<|im_end|>"])
    folder = write_model(tmp_path, tokenizer=own)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    changed = settings | {"eos_token": "<|im_end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(changed))
    assert read(folder).end_id == own.token_to_id(END)


def test_a_model_without_a_tokenizer_is_told_so(tmp_path):
    folder = write_model(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(AssayError, match="without a tokenizer"):
        read(folder)
