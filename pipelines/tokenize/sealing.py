"""Special tokens that no text can spell, in the copy of a tokenizer that encodes.

Unigram and WordLevel models take a piece wherever its spelling stands in a text, also that of a
special token ("</s>"). There the piece gets another spelling, which no text has; its id stays. All
other pieces are found as before. A BPE reaches a piece by its merges alone: what can be reached
there is found out (`pipelines.tokenize.trial`).
"""

from weighting.vocabulary import BYTE, Part, find_unknown

LITERAL = ("Unigram", "WordLevel")
MARK = "\uffff\uffff"  # no characters, by the Unicode standard: not for texts


def seal(fields: Part) -> Part:
    """Return the fields of a tokenizer.json, the pieces of its special tokens respelled.

    Where the model is none of LITERAL, these are the fields that were given.
    """
    model, unknown = fields["model"], find_unknown(fields)
    if model.get("type") not in LITERAL:
        return fields
    special = {
        token["content"]: f"{MARK}{token['content']}{MARK}"
        for token in fields["added_tokens"]
        if token["special"] and token["id"] != unknown and not BYTE.fullmatch(token["content"])
    }
    if isinstance(vocab := model["vocab"], dict):
        vocab = {special.get(piece, piece): number for piece, number in vocab.items()}
    else:
        vocab = [[special.get(piece, piece), score] for piece, score in vocab]
    added = [
        token | {"content": special.get(token["content"], token["content"])}
        for token in fields["added_tokens"]
    ]
    return {**fields, "model": {**model, "vocab": vocab}, "added_tokens": added}
