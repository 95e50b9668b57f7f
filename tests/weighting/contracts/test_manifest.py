"""The manifest: read back as it was written, of one version, and at odds with what has changed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from weighting.contracts.counts import (
    Counts,
    DocumentCounts,
    Funnel,
    MassTable,
    Replay,
    RuleCost,
    SelectionCounts,
    SetCounts,
    SignalFacts,
    SplitCounts,
    SplitScale,
    WeighingFacts,
    WeightCounts,
)
from weighting.contracts.inputs import InputEntry
from weighting.contracts.manifest import (
    Manifest,
    TokenizerFacts,
    check_files,
    check_records,
    check_weight_mass,
    describe_file,
    digest_manifest,
    read_manifest,
    write_manifest,
)
from weighting.contracts.shards import ShardInfo, Tokens, open_shard, write_shard
from weighting.contracts.timings import StageTiming, Timings
from weighting.errors import AssayError, BrokenContract, BrokenInvariant
from weighting.extensions import Extension
from weighting.storage.files import read_json, write_json, write_text

FUNNEL = Funnel(read=10, kept=6, dropped=2, duplicate=1, quarantined=1)
COUNTS = Counts(
    documents=DocumentCounts(
        records=FUNNEL,
        chars=FUNNEL,
        tokens=FUNNEL,
        skipped={"request": 1},
        rules={"few_words": RuleCost("few_words", 2, 30, 9, 1, 4, 2, 9, 10)},
        sets={"riddles": SetCounts(items=3, hidden=1)},
        encoders=["gigatoken"],
        replays=[Replay(1, {"bad_json": (1, 0)}, {"text_field": "body"}, ["a.jsonl"])],
    ),
    signals=SignalFacts(["ngram_gain"], {"surprisal": 5.5}, None, {"run": "reference"}),
    weights=WeightCounts(
        splits={"train": SplitCounts(6, 20, 20.0, 25.5, 1, 3.0, [1, 19], [0.0, 1.0, 2.0])},
        mass=MassTable(0.8, 0.5, 0.4, 0.9, 0.8, 0.1, 0.2, 0.05, 3.0),
        weighing=WeighingFacts(
            "soft", {"mix": None}, {"train": SplitScale(1.5, 0.2, 1.0, 0.8)}, "excess", [3, 9]
        ),
        selection=SelectionCounts("golden", 20, 0, 6, 20, 1, 4),
    ),
)


def manifest(files=()):
    return Manifest(
        recipe={"name": "plain", "limits": {"max_quarantined": 0.1}},
        inputs=[InputEntry("a.jsonl", 12, "ab")],
        counts=COUNTS,
        files=list(files),
        versions={"assay": "0.2.0"},
        tokenizer=TokenizerFacts("cd", 300, 0),
        extensions=[Extension("policies", "mine", "my-package", "1.0")],
    )


def test_the_manifest_survives_a_round_trip_and_notices_changed_bytes(tmp_path):
    write_text(tmp_path / "shards" / "a.arrow", "bytes")
    entry = describe_file(tmp_path, tmp_path / "shards" / "a.arrow", rows=1, tokens=2, mass=2.0)
    write_manifest(tmp_path, manifest([entry]))
    read = read_manifest(tmp_path)
    assert read == manifest([entry])
    check_files(tmp_path, read.files)
    write_text(tmp_path / "shards" / "a.arrow", "other")
    with pytest.raises(BrokenContract, match="bytes differ"):
        check_files(tmp_path, read.files)
    (tmp_path / "shards" / "a.arrow").unlink()
    with pytest.raises(BrokenContract, match="missing on disk"):
        check_files(tmp_path, read.files)


def test_equal_runs_are_equal_whatever_they_took(tmp_path):
    timings = Timings("2026", "2027", "here", ["assay"], 9, {"curate": StageTiming([], 3)})
    digests = []
    for name, one in (("a", manifest()), ("b", replace(manifest(), timings=timings))):
        (tmp_path / name).mkdir()
        write_manifest(tmp_path / name, one)
        digests.append(digest_manifest(tmp_path / name))
        assert read_manifest(tmp_path / name) == manifest()
    assert read_manifest(tmp_path / "b").timings == timings
    assert digests[0] == digests[1]
    other = tmp_path / "other"
    other.mkdir()
    write_manifest(other, replace(manifest(), versions={"assay": "0.3.0"}))
    assert digest_manifest(other) != digests[0]


def test_a_manifest_of_another_version_is_refused(tmp_path):
    write_manifest(tmp_path, manifest())
    fields = json.loads((tmp_path / "manifest.json").read_text())
    write_json(tmp_path / "manifest.json", {**fields, "manifest_version": 9})
    with pytest.raises(BrokenContract, match="version 9"):
        read_manifest(tmp_path)


def test_records_must_add_up():
    check_records(FUNNEL, "records")
    with pytest.raises(BrokenInvariant, match=r"records: read 11, but 6 kept .* = 10"):
        check_records(replace(FUNNEL, read=11), "records")


def test_what_is_no_manifest_is_refused_with_its_place(tmp_path):
    write_manifest(tmp_path, manifest())
    fields = read_json(tmp_path / "manifest.json")
    del fields["counts"]["documents"]["records"]["kept"]
    write_json(tmp_path / "manifest.json", fields)
    with pytest.raises(BrokenContract, match=r"json\.counts\.documents\.records: field 'kept' is"):
        read_manifest(tmp_path)
    with pytest.raises(AssayError, match="no such file"):
        read_manifest(tmp_path / "elsewhere")


def test_a_split_whose_weights_do_not_sum_to_its_tokens_is_refused(tmp_path):
    info = ShardInfo("ab", 300, 0, "train", "soft")
    tokens = Tokens(
        doc_ids=["d"],
        sources=["s"],
        offsets_D1=np.array([0, 3]),
        ids_N=np.array([5, 6, 0], np.uint32),
        weights_N=np.array([0.5, 1.5, 1.0], np.float32),
        reasons_N=np.zeros(3, np.uint8),
    )
    write_shard(tmp_path / "right.arrow", info, [tokens])
    heavy = replace(tokens, weights_N=np.array([0.5, 1.5, 1.25], np.float32))
    write_shard(tmp_path / "heavy.arrow", info, [heavy])
    right, wrong = (open_shard(tmp_path / f"{name}.arrow") for name in ("right", "heavy"))
    check_weight_mass("train", [right, right])
    with pytest.raises(BrokenInvariant, match=r"split train: weight mass 6\.2 for 6 tokens"):
        check_weight_mass("train", [right, wrong])
