"""A named tokenizer: a caller's settings go, what is not exact is refused, its end is found."""

import json
import re

import pytest
from tokenizers import Tokenizer

from pipelines.tokenize.tokenizer_file import KEY, settle, settle_model, write_config
from tests.pipelines.tokenize.families import (
    END,
    LETTERS,
    add,
    bpe,
    byte_level,
    in_letters,
    tokenizer_json,
)
from weighting.bytelevel import BYTE_OF
from weighting.errors import AssayError
from weighting.vocabulary import CONFIG

TRUNCATION = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
PADDING = {
    "strategy": "BatchLongest",
    "direction": "Right",
    "pad_to_multiple_of": None,
    "pad_id": 1,
    "pad_type_id": 0,
    "pad_token": "<pad>",
}


def make(**settings):
    """A byte-level BPE that ends texts with END."""
    model = bpe(LETTERS, [in_letters(" the"), in_letters("the")])
    return tokenizer_json(model, **{"pre_tokenizer": byte_level(), **settings})


@pytest.fixture
def save(tmp_path):
    """Write the fields of a tokenizer.json, and a configuration beside it; return its path."""

    def write(fields, config=None):
        path = tmp_path / "named.json"
        path.write_text(json.dumps(fields), encoding="utf-8")
        if config is not None:
            (tmp_path / CONFIG).write_text(json.dumps(config), encoding="utf-8")
        return path

    return write


def test_the_settings_of_a_caller_are_taken_out_and_that_is_said(save):
    fields = make(truncation=TRUNCATION, padding=PADDING, post_processor=byte_level())
    fields["model"]["dropout"] = 0.2
    settled = settle(save(fields), END)
    loaded = Tokenizer.from_str(settled.text)
    assert (loaded.truncation, loaded.padding, loaded.post_processor) == (None, None, None)
    assert loaded.model.dropout is None
    assert len({tuple(loaded.encode("the the the other").ids) for _ in range(20)}) == 1
    assert "truncation, padding, dropout left out" in settled.remarks[0]


def test_what_is_settled_stays_as_it_is(save):
    once = settle(save(make(truncation=TRUNCATION)), END)
    again = settle(save(json.loads(once.text)), END)
    assert (again.text, again.sha256) == (once.text, once.sha256)
    assert len(again.remarks) == 1


@pytest.mark.parametrize(
    ("recipe", "config", "found"),
    [
        ("<s>", {"eos_token": END}, "<s>"),
        (None, {"eos_token": END}, END),
        (None, {"eos_token": {"content": "<s>", "lstrip": False}}, "<s>"),
        (None, {"eos_token": None}, "</s>"),
        (None, None, "</s>"),
    ],
)
def test_the_recipe_names_the_end_of_text_else_the_configuration_else_its_usual_name(
    save, recipe, config, found
):
    fields = make(added=[add(0, "<s>", special=True), add(0, "</s>", special=True)])
    settled = settle(save(fields, config), recipe)
    assert settled.end_of_text == found
    assert json.loads(settled.config)["eos_token"] == found
    assert settled.remarks[-1].startswith(f"named.json: documents end with {found} (named by ")


def test_another_usual_end_of_text_is_mentioned(save):
    fields = make(added=[add(0, "</s>", special=True)])
    (remark,) = settle(save(fields, {"eos_token": END})).remarks
    assert remark.endswith(f"(named by {CONFIG}); </s> is there too: {KEY} chooses it")
    assert "there too" not in settle(save(fields), END).remarks[0]


def test_an_ordinary_piece_of_a_usual_name_ends_nothing(save):
    fields = make()
    fields["model"]["vocab"]["</s>"] = max(fields["model"]["vocab"].values()) + 2
    with pytest.raises(AssayError, match=rf"no end-of-text token; set {KEY}; .* '<\|end\|>'$"):
        settle(save(fields))


def test_a_named_token_that_was_not_added_is_refused(save):
    with pytest.raises(AssayError, match=f"'the', named by {KEY}, is not among its added tokens"):
        settle(save(make()), "the")
    with pytest.raises(AssayError, match=f"'<gone>', named by {CONFIG}, is not among"):
        settle(save(make(), {"eos_token": "<gone>"}))


def test_an_added_token_that_ends_texts_becomes_special(save):
    path = save(make(added=[add(0, "<turn>")]))
    settled = settle(path, "<turn>")
    added = json.loads(settled.text)["added_tokens"]
    assert [token["special"] for token in added if token["content"] == "<turn>"] == [True]
    assert "from now on a special token" in settled.remarks[-1]
    assert settled.sha256 != settle(path, END).sha256


def test_a_token_that_stands_for_the_unknown_ends_nothing(save):
    fields = tokenizer_json(bpe(["a", "<unk>"], [], unk_token="<unk>"))
    fields["added_tokens"].append(add(1, "<unk>", special=True))
    with pytest.raises(AssayError, match=r"'<unk>', named by .*, also stands for unknown"):
        settle(save(fields), "<unk>")


def test_ids_that_the_library_changes_are_told(save):
    fields = make(added=[add(0, "<gap>")])
    fields["added_tokens"][-1]["id"] += 400
    first = settle(save(fields), END).remarks
    number = fields["added_tokens"][-1]["id"]
    assert any(f"<gap> {number - 400}, not {number}" in remark for remark in first)


def test_an_added_token_with_the_id_of_another_is_refused(save):
    fields = make()
    numbers = fields["model"]["vocab"]
    numbers["the"] += 1  # a gap: the library counts on from the number of tokens
    with pytest.raises(AssayError, match=r"gets the id \d+, that of 'the'"):
        settle(save(fields), END)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\x1f\x8b\x08",
        b"[" * 100_000,
        b'{"model": {"vocab": {}}, "added_tokens": [7]}',
        b'{"model": {"vocab": {}, "type": "None"}, "added_tokens": null}',
        b'{"model": {"vocab": {"a": 0}}, "normalizer": {"type": "Sequence"}}',
    ],
)
def test_what_is_no_tokenizer_is_refused_in_one_line(tmp_path, content, capfd):
    path = tmp_path / "named.json"
    path.write_bytes(content)
    with pytest.raises(AssayError, match=re.escape(str(path))) as refused:
        settle(path)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


def test_parts_that_the_library_does_not_know_are_named(save):
    with pytest.raises(AssayError, match="does not know its shape, speed"):
        settle(save(make() | {"speed": 1, "shape": {}}))


def test_a_missing_file_and_a_bad_configuration_are_named(save, tmp_path):
    with pytest.raises(AssayError, match="no such tokenizer file"):
        settle(tmp_path / "none.json")
    path = save(make())
    (tmp_path / CONFIG).write_text("{")
    with pytest.raises(AssayError, match=f"{CONFIG}: not JSON"):
        settle(path)
    assert settle(path, END).end_of_text == END


def test_the_configuration_is_what_transformers_reads():
    assert json.loads(write_config("</s>"))["tokenizer_class"] == "PreTrainedTokenizerFast"


def lacking(*lost):
    """A byte-level BPE without the letters of some bytes."""
    letters = [letter for letter in LETTERS if BYTE_OF[letter] not in lost]
    return tokenizer_json(bpe(letters, [in_letters(" a")]), pre_tokenizer=byte_level())


def test_bytes_that_hardly_any_text_has_may_be_missing_and_that_is_said(save):
    remarks = settle(save(lacking(4, 6, 0xF1, 0xF2)), END).remarks
    assert "lacks 4 of the bytes of UTF-8 (04, 06, F1 to F2)" in " ".join(remarks)
    with pytest.raises(AssayError, match=r"lacks 1 of the bytes of UTF-8 \(0A\)"):
        settle(save(lacking(4, 0x0A)), END)


def test_a_model_may_lack_any_byte():
    assert settle_model("its name", json.dumps(lacking(4, 0x0A, 0xE2)))["model"]["vocab"]


def test_of_a_models_tokenizer_the_settings_of_a_caller_are_taken_out():
    fields = make(truncation=TRUNCATION, padding=PADDING, post_processor=byte_level())
    settled = settle_model("its name", json.dumps(fields))
    assert [settled[name] for name in ("truncation", "padding", "post_processor")] == [None] * 3


@pytest.mark.parametrize("kind", ["Lowercase", "NFKC", "NFKD", "StripAccents"])
def test_a_model_that_reads_another_text_is_refused_by_its_name(kind):
    fields = make(normalizer={"type": kind})
    with pytest.raises(AssayError, match=rf"^its name: its losses cannot be .* {kind} "):
        settle_model("its name", json.dumps(fields))


@pytest.mark.parametrize("kind", ["NFC", "NFD"])
def test_a_model_may_read_a_text_in_another_form_of_the_same_characters(kind):
    settle_model("its name", json.dumps(make(normalizer={"type": kind})))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "its name: not a tokenizer.json"),
        ('{"model": {"vocab": {}}, "speed": 1}', "its speed"),
    ],
)
def test_what_is_no_tokenizer_of_a_model_is_refused_by_its_name(text, message):
    with pytest.raises(AssayError, match=message):
        settle_model("its name", text)
