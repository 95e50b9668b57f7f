"""A tiny run, built in code through the contracts of weighting/: two units, nine records."""

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from weighting.bytelevel import BYTE_OF
from weighting.documents import DOCUMENTS, ledger_schema, write_table
from weighting.files import sha256
from weighting.manifest import Manifest, describe_file, write_manifest
from weighting.mass import tabulate_mass
from weighting.reasons import Reason
from weighting.shards import ShardInfo, Tokens, write_shard
from weighting.statistics import (
    REASON_STATS,
    RULE_OVERLAP,
    RULE_STATS,
    SKIPPED_STATS,
    SOURCE_STATS,
    TOKEN_STATS,
)

EOS = 256  # ids below are bytes: the tokenizer has no merges
VOCAB = 257
RULES = ("few_words", "odd_words")
EDGES = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0]
SPLITS = ("train", "validation")


@dataclass(frozen=True)
class Doc:
    """A record that could be read. `rule` names the rule that dropped it, `also` one more."""

    text: str
    source: str = "books"
    unit: int = 0
    split: str = "train"
    rule: str | None = None
    value: float = 0.25
    also: str | None = None

    @property
    def failed(self) -> list[str]:
        return [rule for rule in (self.rule, self.also) if rule]

    @property
    def verdict(self) -> str:
        return "dropped" if self.rule else "kept"


@dataclass(frozen=True)
class Bad:
    """A record that could not be read."""

    error: str = "bad_json"
    payload: bytes = b'{"text": \xff'
    message: str = "unexpected end of data"
    unit: int = 1


DOCS = (
    Doc("Rain in Paris."),
    Doc("Café au lait ☕ costs 3 €.", source="web"),
    Doc("I put my ice cream in the microwave and then it melted.", unit=1),
    Doc("A page of the web.", source="web", unit=1, split="validation"),
    Doc("buy buy buy", source="web", rule="few_words"),
    Doc("click here", source="web", unit=1, rule="few_words", value=2.0),
)


@dataclass(frozen=True)
class Story:
    """What the run is made of."""

    docs: Sequence[Doc] = DOCS
    bad: Sequence[Bad] = (Bad(), Bad("bad_utf8"))
    skipped: Mapping[str, int] = field(default_factory=dict)
    signals: bool = True
    recipe: Mapping[str, Any] = field(
        default_factory=lambda: {
            "name": "tiny",
            "rules": {"few_words": {"min": 3.0, "max": None}},
            "weights": {"policy": "soft", "cap": 8.0},
        }
    )


def build_run(run: Path, story: Story | None = None) -> Path:
    """Write a whole run and return its folder."""
    story = story or Story()
    tokenizer = write_tokenizer(run / "tokenizer.json")
    for unit in range(2):
        _write_unit(run, unit, story, tokenizer)
    counts = _count(run, story)
    paths = [path for folder in ("documents", "shards") for path in (run / folder).glob("*")]
    write_manifest(
        run,
        Manifest(
            recipe=story.recipe,
            inputs=[{"name": "in.jsonl", "size": 1234, "hash": "ab" * 16}],
            counts=counts,
            files=[describe_file(run, path, rows=1, tokens=2) for path in sorted(paths)],
            versions={"assay": "0.1.0", "numpy": np.__version__},
            tokenizer={"sha256": tokenizer, "vocab_size": VOCAB, "eos_id": EOS},
        ),
    )
    return run


def name_doc(number: int) -> str:
    """Return the doc_id of the document of this number."""
    return f"{number:032x}"


def encode(text: str) -> list[int]:
    """Return the ids of a text as the shards hold them, end of text included."""
    return [*text.encode(), EOS]


def weigh(ids: Sequence[int]) -> np.ndarray:
    """Return weights of mean 1 that differ from token to token."""
    raw = 1 + np.asarray(ids, np.float64) % 5
    return (raw / raw.mean()).astype(np.float32)


def write_tokenizer(path: Path) -> str:
    """Write a byte-level tokenizer without merges and return its hash."""
    tokenizer = Tokenizer(models.BPE(vocab=dict(BYTE_OF), merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return sha256(path)


def _write_unit(run: Path, unit: int, story: Story, tokenizer: str) -> None:
    numbered = [(i, doc) for i, doc in enumerate(story.docs) if doc.unit == unit]
    stem = f"{unit:06d}"
    for folder, verdict in (("documents", "kept"), ("dropped", "dropped")):
        rows = [_document(i, doc) for i, doc in numbered if doc.verdict == verdict]
        table = pa.Table.from_pylist(rows, schema=DOCUMENTS)
        write_table(run / folder / f"{stem}.parquet", table, DOCUMENTS)
    bad = [one for one in story.bad if one.unit == unit]
    schema = ledger_schema(RULES)
    rows = [_judge(i, doc) for i, doc in numbered] + [_reject(i, b) for i, b in enumerate(bad)]
    table = pa.Table.from_pylist(rows, schema=schema)
    write_table(run / "ledger" / f"{stem}.parquet", table, schema)
    _write_quarantine(run / "quarantine" / f"{stem}.jsonl.zst", bad)
    kept = [(i, doc) for i, doc in numbered if doc.verdict == "kept"]
    for split in SPLITS:
        chosen = [(i, doc) for i, doc in kept if doc.split == split]
        if chosen:
            _write_shard(run / "shards" / f"{split}-{stem}.arrow", split, chosen, tokenizer)
    if story.signals:
        _write_signals(run / "signals" / f"{stem}.parquet", kept)


def _document(number: int, doc: Doc) -> dict[str, Any]:
    return {
        "doc_id": name_doc(number),
        "source": doc.source,
        "locator": f"in.jsonl: line {number}",
        "text": doc.text,
        "metadata": "{}",
        "edits": [],
        "passages": [],
        "contaminated": [],
    }


def _judge(number: int, doc: Doc) -> dict[str, Any]:
    return {
        **_document(number, doc),
        "verdict": doc.verdict,
        "rule": doc.rule,
        "failed": doc.failed,
        "split": None if doc.rule else doc.split,
        "chars_in": len(doc.text),
        "chars": len(doc.text),
        "tokens": len(doc.text.encode()),
        **{rule: doc.value if rule in doc.failed else 7.0 for rule in RULES},
    }


def _reject(number: int, bad: Bad) -> dict[str, Any]:
    return {
        "doc_id": f"bad{bad.unit}{number}",
        "source": "",
        "locator": f"in.jsonl: byte {number}",
        "verdict": "quarantined",
        "rule": bad.error,
        "failed": [],
        "chars_in": 0,
        "chars": 0,
        "tokens": 0,
    }


def _write_quarantine(path: Path, bad: Sequence[Bad]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zstandard.open(path, "wb") as file:
        for number, one in enumerate(bad):
            entry = {
                "name": "in.jsonl",
                "reader": "jsonl",
                "locator": f"in.jsonl: byte {number}",
                "error": one.error,
                "message": one.message,
                "payload_base64": base64.b64encode(one.payload).decode(),
            }
            file.write(json.dumps(entry).encode() + b"\n")


def _write_shard(path: Path, split: str, docs: Sequence[tuple[int, Doc]], tokenizer: str) -> None:
    ids = [encode(doc.text) for _, doc in docs]
    flags = [[*[int(Reason.GOLDEN)] * (len(one) - 1), int(Reason.SPECIAL)] for one in ids]
    tokens = Tokens(
        doc_ids=[name_doc(number) for number, _ in docs],
        sources=[doc.source for _, doc in docs],
        offsets_D1=np.cumsum([0, *map(len, ids)]),
        ids_N=np.concatenate(ids),
        weights_N=np.concatenate([weigh(one) for one in ids]),
        reasons_N=np.concatenate(flags).astype(np.uint8),
    )
    write_shard(path, ShardInfo(tokenizer, VOCAB, EOS, split, "soft"), [tokens])


def _write_signals(path: Path, docs: Sequence[tuple[int, Doc]]) -> None:
    rows = [
        {
            "doc_id": name_doc(number),
            "char_start": _start_characters(doc.text),
            "surprisal": [float(i % 7) for i in encode(doc.text)],
            "ngram_gain": [float(i % 3) - 1 for i in encode(doc.text)],
        }
        for number, doc in docs
    ]
    floats = pa.list_(pa.float32())
    schema = pa.schema(
        {
            "doc_id": pa.string(),
            "char_start": pa.list_(pa.int32()),
            "surprisal": floats,
            "ngram_gain": floats,
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def _start_characters(text: str) -> list[int]:
    starts = [at for at, character in enumerate(text) for _ in character.encode()]
    return [*starts, len(text)]


def _count(run: Path, story: Story) -> dict[str, Any]:
    """Write RUN/stats and return the manifest's counts."""
    kept = [doc for doc in story.docs if doc.verdict == "kept"]
    types, mass = np.zeros((2, VOCAB), np.int64), np.zeros(VOCAB)
    for doc in kept:
        ids = np.array(encode(doc.text))
        np.add.at(types[SPLITS.index(doc.split)], ids, 1)
        np.add.at(mass, ids, weigh(ids))
    splits = {split: _count_split([doc for doc in kept if doc.split == split]) for split in SPLITS}
    rules = [_count_rule(rule, story.docs) for rule in RULES]
    _write_stats(run, types, mass, rules, story)
    table = tabulate_mass(
        types.sum(axis=0), mass, sum(s["squares"] for s in splits.values()), 0, 3.0
    )
    return {
        "funnel": _count_funnel(story),
        "skipped": dict(story.skipped),
        "rules": {row["rule"]: row for row in rules},
        "splits": splits,
        "mass": asdict(table),
        "facts": {"entropy": 3.5, "rare_surprisal": None},
        "encoders": ["tokenizers"],
    }


def _count_split(docs: Sequence[Doc]) -> dict[str, Any]:
    weights = np.concatenate([weigh(encode(doc.text)) for doc in docs] or [np.empty(0)])
    bins, _ = np.histogram(weights, EDGES)
    return {
        "documents": len(docs),
        "tokens": len(weights),
        "mass": float(weights.sum()),
        "squares": float(weights @ weights),
        "zeros": 0,
        "max": float(weights.max(initial=0)),
        "histogram": bins.tolist() if docs else [0],
        "histogram_edges": EDGES,
    }


def _count_rule(rule: str, docs: Sequence[Doc]) -> dict[str, Any]:
    failing = [doc for doc in docs if rule in doc.failed]
    first = [doc for doc in failing if doc.rule == rule]
    alone = [doc for doc in failing if doc.failed == [rule]]
    chars = sum(len(doc.text) for doc in first)
    row = {"rule": rule, "documents": len(first), "chars": chars, "tokens": _tokens(first)}
    row |= {"alone_documents": len(alone), "alone_tokens": _tokens(alone)}
    return row | {"failing_documents": len(failing), "failing_tokens": _tokens(failing)}


def _tokens(docs: Sequence[Doc]) -> int:
    return sum(len(doc.text.encode()) for doc in docs)


def _count_pairs(docs: Sequence[Doc]) -> list[dict[str, Any]]:
    pairs = [(one, two, doc) for doc in docs for one in doc.failed for two in doc.failed]
    names = sorted({pair[:2] for pair in pairs})
    found = {name: [doc for *both, doc in pairs if tuple(both) == name] for name in names}
    return [
        {"rule": one, "other": two, "documents": len(docs), "tokens": _tokens(docs)}
        for (one, two), docs in found.items()
    ]


def _count_funnel(story: Story) -> dict[str, dict[str, int]]:
    units: dict[str, Counter[str]] = {unit: Counter() for unit in ("records", "chars", "tokens")}
    for doc in story.docs:
        units["records"][doc.verdict] += 1
        units["chars"][doc.verdict] += len(doc.text)
        units["tokens"][doc.verdict] += len(doc.text.encode())
    units["records"]["quarantined"] = len(story.bad)
    stages = ("kept", "dropped", "duplicate", "quarantined")
    return {
        unit: {"read": counts.total(), **{stage: counts[stage] for stage in stages}}
        for unit, counts in units.items()
    }


def _write_stats(
    run: Path,
    types: np.ndarray,
    mass: np.ndarray,
    rules: Sequence[Mapping[str, Any]],
    story: Story,
) -> None:
    total = types.sum(axis=0)
    tokens = [
        {
            "token_id": i,
            "token": bytes([i]).decode("utf-8", "replace") if i < EOS else "<|endoftext|>",
            "count_train": int(types[0, i]),
            "count_validation": int(types[1, i]),
            "surprisal": float(-np.log((types[0, i] + 1) / (types[0].sum() + VOCAB))),
            "mean_gain": 0.5 if total[i] else None,
            "weight_mass": float(mass[i]),
            "mean_weight": float(mass[i] / total[i]) if total[i] else None,
        }
        for i in range(VOCAB)
    ]
    groups: dict[tuple[str, str], list[int]] = {}
    for doc in story.docs:
        if doc.rule:
            continue
        groups.setdefault((doc.source, doc.split), []).append(len(encode(doc.text)))
    sources = [
        {
            "source": source,
            "split": split,
            "documents": len(lengths),
            "tokens": sum(lengths),
            "weight_mass": float(sum(lengths)),
        }
        for (source, split), lengths in sorted(groups.items())
    ]
    skipped = [{"unit": 0, "kind": kind, "records": n} for kind, n in story.skipped.items()]
    special = {"reason": "special", "split": "train", "tokens": 3, "weight_mass": 2.5}
    for name, schema, rows in (
        ("tokens", TOKEN_STATS, tokens),
        ("rules", RULE_STATS, [*rules]),
        ("rule_overlap", RULE_OVERLAP, _count_pairs(story.docs)),
        ("skipped", SKIPPED_STATS, skipped),
        ("sources", SOURCE_STATS, sources),
        ("reasons", REASON_STATS, [special]),
    ):
        table = pa.Table.from_pylist(rows, schema=schema)
        write_table(run / "stats" / f"{name}.parquet", table, schema)
