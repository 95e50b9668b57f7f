"""Tokenizers of every make, generated: models, normalizers, pre-tokenizers, added tokens.

tokenizer_files()  a strategy of the fields of a tokenizer.json
texts()            a strategy of texts that are hard to place tokens in
"""

import string

from hypothesis import strategies as st

from weighting.bytelevel import BYTE_OF

END = "<|end|>"
LETTERS = sorted(BYTE_OF)
PIECES = [
    "the",
    " the",
    "in",
    "er",
    "12",
    "\u00e9",
    "e\u0301",
    "\ufb01",
    "\u65e5",
    "  ",
    "\n",
    "\r\n",
]
HARD = [
    *PIECES,
    *"aAbT1 \t\x00\x1b\u200b\u3000\u2581\u0301\u1161",
    "\u0344",
    "\ufdfa",
    "\uac01",
    "\u1100\u1161\u11a8",
    "e\u0323\u0301",
    "e\u0301\u0323",
    "\u01c5",
    "\u0130",
    "\u00df",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f366",
    "            ",
    "``",
    "xx",
    END,
    "<s>",
    "</s>",
    "<unk>",
    "<|mark|>",
    "[tool]",
    "ing",
    "THE",
    "don't",
    "\U00016d68",
]


def texts():
    """Texts of hard pieces, one after another."""
    return st.lists(st.sampled_from(HARD) | st.characters(codec="utf-8"), max_size=12).map("".join)


def add(number, content, **settings):
    """An added token, as the file has it."""
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": number, "content": content, **plain, **settings}


def byte_level(**settings):
    """The pre-tokenizer of GPT-2."""
    return {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    } | settings


def in_letters(text):
    """A text in the byte-level alphabet."""
    letter = {byte: character for character, byte in BYTE_OF.items()}
    return "".join(letter[byte] for byte in text.encode())


def merge(vocab, pieces):
    """Merges that make the pieces of their characters; what they make goes into the vocabulary."""
    merges = []
    for piece in pieces:
        made = piece[0]
        for character in piece[1:]:
            if [made, character] not in merges:
                merges.append([made, character])
            made += character
            vocab.setdefault(made, len(vocab))
    return merges


def bpe(characters, pieces, **settings):
    """A BPE of single characters and the pieces."""
    vocab = {character: number for number, character in enumerate(dict.fromkeys(characters))}
    merges = merge(vocab, pieces)
    plain: dict[str, object] = {"type": "BPE", "vocab": vocab, "merges": merges}
    plain |= dict.fromkeys(("fuse_unk", "byte_fallback", "ignore_merges"), False)
    return plain | settings


def tokenizer_json(model, *, normalizer=None, pre_tokenizer=None, added=(), **settings):
    """The fields of a tokenizer.json whose documents end with END."""
    ids = (
        model["vocab"].values() if isinstance(model["vocab"], dict) else range(len(model["vocab"]))
    )
    first = max(ids) + 1
    tokens = [add(first, END, special=True)]
    tokens += [one | {"id": first + 1 + at} for at, one in enumerate(added)]
    nothing: dict[str, object] = dict.fromkeys(
        ("truncation", "padding", "post_processor", "decoder")
    )
    parts = {"normalizer": normalizer, "pre_tokenizer": pre_tokenizer}
    return {"version": "1.0", **nothing, "added_tokens": tokens, **parts, "model": model} | settings


def sequence(kind, parts):
    """Parts as one: none, the one, or a sequence."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return {"type": "Sequence", kind: parts}


def split(pattern, behavior, invert=False):
    """A pre-tokenizer that splits at a pattern."""
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def metaspace(scheme, split):
    """SentencePiece's pre-tokenizer."""
    settings = {"replacement": "\u2581", "prepend_scheme": scheme, "split": split}
    return {"type": "Metaspace", **settings}


def punctuation(behavior):
    """A pre-tokenizer that splits at punctuation."""
    return {"type": "Punctuation", "behavior": behavior}


KEPT = st.sampled_from(
    [
        *({"type": kind} for kind in ("NFC", "NFC", "NFD", "NFKC", "NFKD", "Lowercase")),
        {"type": "Prepend", "prepend": "\u2581"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        {"type": "Replace", "pattern": {"String": "``"}, "content": '"'},
        {"type": "Replace", "pattern": {"String": "x"}, "content": "yz"},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    ]
)
CLEANING = dict.fromkeys(("clean_text", "handle_chinese_chars", "lowercase"), True)
DELETING = st.sampled_from(
    [
        *({"type": kind} for kind in ("StripAccents", "Nmt")),
        {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Replace", "pattern": {"String": "x"}, "content": ""},
        {"type": "BertNormalizer", "strip_accents": None, **CLEANING},
    ]
)
NORMALIZERS = st.integers(0, 19).flatmap(lambda number: KEPT if number else DELETING)
BEHAVIOURS = ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")
WORDS = {"Regex": r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+"}
PRE_TOKENIZERS = st.one_of(
    st.sampled_from(
        [
            {"type": "Digits", "individual_digits": True},
            *(
                {"type": kind}
                for kind in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts")
            ),
            {"type": "CharDelimiterSplit", "delimiter": "e"},
            split(WORDS, "Removed", invert=True),
            split({"Regex": r"\p{L}+|\s"}, "Removed", invert=True),
        ]
    ),
    st.builds(metaspace, st.sampled_from(["always", "never", "first"]), st.booleans()),
    st.builds(
        split,
        st.sampled_from([{"String": " "}, WORDS, {"Regex": r"\s"}]),
        st.sampled_from(BEHAVIOURS),
    ),
    st.builds(punctuation, st.sampled_from(BEHAVIOURS)),
)
flags = st.fixed_dictionaries(
    {name: st.booleans() for name in ("single_word", "lstrip", "rstrip", "normalized", "special")}
)
CONTENTS = (
    *("<s>", "<|mark|>", "[tool]", "ing", "the", " " * 12, "\n", "THE"),
    *("\u00e9", "e\u0301", "\ufb01"),
)
ADDED = st.lists(
    st.builds(lambda content, flags: add(0, content, **flags), st.sampled_from(CONTENTS), flags),
    max_size=3,
    unique_by=lambda token: token["content"],
)


@st.composite
def byte_level_files(draw):
    """Byte-level BPE, now and then without some bytes, as pre-tokenizer or as normalizer."""
    letters = LETTERS if draw(st.integers(0, 9)) else LETTERS[draw(st.integers(1, 40)) :]
    pieces = [in_letters(piece) for piece in draw(st.lists(st.sampled_from(PIECES), max_size=6))]
    pieces = [piece for piece in pieces if set(piece) <= set(letters)]
    model = bpe(letters, pieces, ignore_merges=draw(st.booleans()))
    normalizers = draw(st.lists(NORMALIZERS, max_size=2))
    before = draw(st.lists(PRE_TOKENIZERS, max_size=1))
    if draw(st.booleans()):
        settings = {"use_regex": draw(st.booleans()), "add_prefix_space": draw(st.booleans())}
        before.append(byte_level(**settings))
    else:
        normalizers.append({"type": "ByteLevel"})
    return tokenizer_json(
        model,
        normalizer=sequence("normalizers", normalizers),
        pre_tokenizer=sequence("pretokenizers", before),
        added=draw(ADDED),
    )


@st.composite
def models(draw):
    """Models that see characters: BPE with or without bytes, Unigram, WordLevel, WordPiece."""
    characters = [*string.ascii_letters, *" \u2581\u00e9\u65e5.,'\n", "<unk>"]
    unknown = draw(st.sampled_from(["<unk>", None]))
    kind = draw(st.sampled_from(["BPE", "BPE", "Unigram", "WordLevel", "WordPiece"]))
    pieces = ["\u2581the", "the", "in", "\u2581\u2581", "er"]
    if kind == "BPE":
        in_bytes = draw(st.booleans())
        characters += [f"<0x{byte:02X}>" for byte in range(256)] if in_bytes else []
        return bpe(
            characters,
            pieces,
            unk_token=unknown,
            byte_fallback=in_bytes,
            fuse_unk=draw(st.booleans()),
        )
    if kind == "Unigram":
        scores = [
            [piece, -float(len(characters) - at)] for at, piece in enumerate([*characters, *pieces])
        ]
        number = characters.index("<unk>") if unknown else None
        return {"type": kind, "unk_id": number, "vocab": scores, "byte_fallback": False}
    vocab = {piece: number for number, piece in enumerate([*characters, *pieces])}
    model = {"type": kind, "vocab": vocab, "unk_token": unknown or "<none>"}
    more = {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
    return model | (more if kind == "WordPiece" else {})


@st.composite
def character_files(draw):
    """Tokenizers whose models see characters."""
    return tokenizer_json(
        draw(models()),
        normalizer=sequence("normalizers", draw(st.lists(NORMALIZERS, max_size=2))),
        pre_tokenizer=sequence("pretokenizers", draw(st.lists(PRE_TOKENIZERS, max_size=2))),
        added=draw(ADDED),
    )


def tokenizer_files():
    """See the module docstring."""
    return byte_level_files() | character_files()
