"""A tiny run, built in code through the contracts of weighting/: two units, nine records."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import zstandard
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from pipelines.contamination.hits import HITS
from pipelines.curate.quarantine import QUARANTINE_VERSION
from tests.flows.stories import (
    EOS,
    RULES,
    SPLITS,
    VOCAB,
    Bad,
    Doc,
    Hit,
    Story,
    locate,
    name_doc,
)
from tests.flows.tallies import tally
from tests.flows.tokens import Census
from weighting.bytelevel import BYTE_OF
from weighting.contracts.documents import (
    CONTAMINATED,
    DOCUMENTS,
    PASSAGES,
    ledger_schema,
    write_table,
)
from weighting.contracts.inputs import InputEntry
from weighting.contracts.manifest import Manifest, TokenizerFacts, describe_file, write_manifest
from weighting.contracts.shards import ShardInfo, Tokens, write_shard
from weighting.contracts.sidecar import Sidecar, SidecarInfo, write_sidecar
from weighting.contracts.timings import Attempt, StageTiming, Timings
from weighting.storage.files import sha256

BEGAN = "2026-12-01T00:00:00.000Z"
TIMINGS = Timings(  # 6 MB of text, cleaned by a command that was killed, and by a second one
    began=BEGAN,
    ended="2026-12-01T00:00:09.000Z",
    host="here",
    command=["assay", "curate", "in.jsonl", "--out", "a run"],
    text=6_000_000,
    stages={
        "curate": StageTiming(
            [
                Attempt(BEGAN, 3.0, False, 300_000_000, 10, 20, {"clean": 1}),
                Attempt(BEGAN, 1.0, True, 200_000_000, 1, 2, {"clean": 1}),
            ],
            70_000_000,
        ),
        "tokenizer": StageTiming([Attempt(BEGAN, 0.5, True, 100_000_000)], 60_000_000),
        "score": StageTiming([Attempt(BEGAN, 0.5, True, 100_000_000)], 60_000_000),
    },
)


def build_run(run: Path, story: Story | None = None) -> Path:
    """Write a whole run and return its folder."""
    story = story or Story()
    tokenizer = write_tokenizer(run / "tokenizer.json")
    census = Census(story)
    for unit in range(2):
        _write_unit(run, unit, story)
        for split in SPLITS:
            _write_tokens(run, f"{split}-{unit:06d}", census, unit, split, tokenizer)
    counts = tally(run, story, census)
    paths = [path for folder in ("documents", "shards") for path in (run / folder).glob("*")]
    write_manifest(
        run,
        Manifest(
            recipe=story.recipe,
            inputs=[InputEntry("in.jsonl", 1234, "ab" * 16)],
            counts=counts,
            files=[describe_file(run, path, rows=1, tokens=2) for path in sorted(paths)],
            versions={"assay": "0.1.0", "numpy": np.__version__},
            tokenizer=TokenizerFacts(tokenizer, VOCAB, EOS),
            timings=TIMINGS,
        ),
    )
    return run


def write_tokenizer(path: Path) -> str:
    """Write a byte-level tokenizer without merges and return its hash."""
    tokenizer = Tokenizer(models.BPE(vocab=dict(BYTE_OF), merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return sha256(path)


def _write_unit(run: Path, unit: int, story: Story) -> None:
    numbered = [(i, doc) for i, doc in enumerate(story.docs) if doc.unit == unit]
    stem = f"{unit:06d}"
    for folder, verdicts in (("documents", {"kept"}), ("dropped", {"dropped", "duplicate"})):
        rows = [_document(i, doc) for i, doc in numbered if doc.verdict in verdicts]
        table = pa.Table.from_pylist(rows, schema=DOCUMENTS)
        write_table(run / folder / f"{stem}.parquet", table, DOCUMENTS)
    bad = [one for one in story.bad if one.unit == unit]
    schema = ledger_schema(RULES)
    rows = [_judge(i, doc, story) for i, doc in numbered]
    rows += [_reject(i, one) for i, one in enumerate(bad)]
    table = pa.Table.from_pylist(rows, schema=schema)
    write_table(run / "ledger" / f"{stem}.parquet", table, schema)
    _write_quarantine(run / "quarantine" / f"{stem}.jsonl.zst", bad)
    if hits := [hit for hit in story.hits if story.docs[hit.document].unit == unit]:
        table = pa.Table.from_pylist([_find(hit) for hit in hits], schema=HITS)
        write_table(run / "contamination" / f"{stem}.parquet", table, HITS)


def _document(number: int, doc: Doc) -> dict[str, Any]:
    return {
        "doc_id": name_doc(number),
        "source": doc.source,
        "locator": f"in.jsonl: line {number}",
        "text": doc.text,
        "metadata": "{}",
        "edits": [],
        "passages": [_name(PASSAGES, values) for values in doc.passages],
        "contaminated": [_name(CONTAMINATED, values) for values in doc.contaminated],
    }


def _name(spans: pa.DataType, values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip([field.name for field in spans.value_type], values, strict=True))


def _judge(number: int, doc: Doc, story: Story) -> dict[str, Any]:
    survivor = doc.copy_of
    if any(other.copy_of == number for other in story.docs):
        survivor = number
    return {
        **_document(number, doc),
        "survivor": None if survivor is None else name_doc(survivor),
        "cluster": None if survivor is None else f"content of {survivor}",
        "similarity": None if survivor is None else doc.similarity,
        "verdict": doc.verdict,
        "rule": doc.rule,
        "failed": doc.failed,
        "judged_as": doc.judged_as,
        "split": doc.split if doc.verdict == "kept" else None,
        "chars_in": len(doc.text),
        "chars": len(doc.text),
        "tokens": len(doc.text.encode()),
        **{rule: doc.value if rule in doc.failed else 7.0 for rule in RULES},
    }


def _find(hit: Hit) -> dict[str, Any]:
    return {
        "doc_id": name_doc(hit.document),
        "set": hit.set,
        "item": hit.item,
        "score": hit.score,
        "question_share": hit.score,
        "answer_share": None if hit.answer is None else hit.score,
        "start": 0,
        "end": len(hit.passage),
        "passage": hit.passage,
        "question": hit.question,
        "answer": hit.answer,
    }


def _reject(number: int, bad: Bad) -> dict[str, Any]:
    return {
        "doc_id": f"bad{bad.unit}{number:04}",
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
                "version": QUARANTINE_VERSION,
                "name": "in.jsonl",
                "reader": "jsonl",
                "locator": f"in.jsonl: byte {number}",
                "error": one.error,
                "message": one.message,
                "payload_base64": base64.b64encode(one.payload).decode(),
            }
            file.write(json.dumps(entry).encode() + b"\n")


def _write_tokens(
    run: Path, stem: str, census: Census, unit: int, split: str, tokenizer: str
) -> None:
    """Write the shard and the sidecar of a unit and split."""
    story = census.story
    docs = [n for n, doc in census.docs.items() if (doc.unit, doc.split) == (unit, split)]
    if chosen := [number for number in docs if number not in story.left]:
        params = census.params.to_dict()
        info = ShardInfo(tokenizer, VOCAB, EOS, split, census.policy, params)
        write_shard(run / "shards" / f"{stem}.arrow", info, [_weigh(census, chosen)])
    if docs and story.sidecar:
        signals = SidecarInfo(tokenizer, VOCAB, EOS, split, story.signals)
        sidecar = _measure(census, docs, signals)
        write_sidecar(run / "signals" / f"{stem}.parquet", sidecar)


def _weigh(census: Census, docs: Sequence[int]) -> Tokens:
    at = [census.find(number) for number in docs]
    return Tokens(
        doc_ids=[name_doc(number) for number in docs],
        sources=[census.docs[number].source for number in docs],
        offsets_D1=np.cumsum([0, *(one.stop - one.start for one in at)]),
        ids_N=np.concatenate([census.ids_N[one] for one in at]),
        weights_N=np.concatenate([census.weights_N[one] for one in at]),
        reasons_N=np.concatenate([census.reasons_N[one] for one in at]),
    )


def _measure(census: Census, docs: Sequence[int], info: SidecarInfo) -> Sidecar:
    at_N = np.concatenate([np.r_[census.find(number)] for number in docs])
    lengths = [census.find(number).stop - census.find(number).start for number in docs]
    starts = [locate(census.docs[number].text) for number in docs]
    return Sidecar(
        info,
        pa.array([name_doc(number) for number in docs]),
        pa.array([census.docs[number].source for number in docs]),
        offsets_D1=np.cumsum([0, *lengths]),
        ids_N=census.ids_N[at_N],
        starts_N=np.concatenate(starts).astype(np.int32),
        copies_N=census.copies_N[at_N],
        contaminated_N=census.contaminated_N[at_N],
        signals={name: census.stored[name][at_N] for name in info.signals},
    )
