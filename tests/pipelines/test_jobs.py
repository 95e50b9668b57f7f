"""Whole runs: the count identity, the same bytes however the work is done, and what is kept."""

import json
import math
import random
import shutil
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.curate import quarantine
from pipelines.engine.runner import Engine
from pipelines.score.statistics import read_statistics
from pipelines.settings import Job
from pipelines.verify.ledger import check_clusters, count_funnel, read_ledger
from pipelines.verify.outputs import list_files
from pipelines.verify.weights import check_invariants, check_shards
from pipelines.work.folder import WorkFolder
from tests.conftest import write_text
from tests.pipelines.jobs import read_bytes, run_jobs
from weighting.contracts.counts import Funnel
from weighting.contracts.manifest import check_files
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import open_shard
from weighting.contracts.sidecar import read_sidecar
from weighting.errors import AssayError, BrokenContract, BrokenInvariant

PROSE = "The dog and the cat have to be with that other animal of the house. "


@pytest.fixture(scope="module")
def finished(small_corpus, tmp_path_factory):
    """A finished run of the corpus in one process, and its counts."""
    run = tmp_path_factory.mktemp("run") / "one"
    return run, run_jobs(small_corpus, run)


def test_every_record_is_accounted_for(finished):
    run, (documents, _) = finished
    records = documents.records
    assert records == Funnel(read=68, kept=60, dropped=3, duplicate=5, quarantined=0)
    assert count_funnel(read_ledger(run)) == documents.funnels
    for funnel in (documents.chars, documents.tokens):
        parts = funnel.kept, funnel.dropped, funnel.duplicate, funnel.quarantined
        assert funnel.read == sum(parts)


def test_tokens_in_shards_are_those_of_the_kept_documents_and_their_ends(finished):
    _, counts = finished
    in_shards = sum(split.tokens for split in counts.weights.splits.values())
    assert in_shards == counts.documents.tokens.kept + counts.documents.records.kept


def test_weights_of_each_split_average_one_and_are_live(finished):
    run, counts = finished
    for split in ("train", "validation"):
        shards = [open_shard(path) for path in (run / "shards").glob(f"{split}-*")]
        weights = np.concatenate([s.weights_N for shard in shards for s in shard.segments])
        assert weights.mean(dtype=np.float64) == pytest.approx(1, abs=1e-6)
        assert weights.std() > 0.05
        assert len(weights) == counts.weights.splits[split].tokens


def test_shards_hold_the_text_and_end_every_document(finished):
    from tokenizers import Tokenizer

    run, _ = finished
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    texts = {}
    for path in (run / "documents").glob("*"):
        table = pq.read_table(path)
        texts |= dict(zip(table["doc_id"].to_pylist(), table["text"].to_pylist(), strict=True))
    seen = set()
    for path in sorted((run / "shards").glob("*")):
        shard = open_shard(path)
        for segment in shard.segments:
            cuts = segment.offsets_D1
            for name, a, b in zip(segment.doc_ids.to_pylist(), cuts[:-1], cuts[1:], strict=True):
                assert tokenizer.decode(segment.ids_N[a : b - 1].tolist()) == texts[name]
                assert segment.ids_N[b - 1] == shard.info.eos_id
                assert segment.reasons_N[b - 1] == Reason.SPECIAL
                seen.add(name)
    assert seen == set(texts)


def test_a_weight_is_explained_by_the_sidecar(finished):
    """Recompute a unit's soft weights from its signals, the type counts and the manifest alone."""
    run, counts = finished
    path = min((run / "shards").glob("train-*"))
    shard = open_shard(path)
    sidecar = read_sidecar(run / "signals" / f"{path.stem}.parquet")
    types, facts, _ = read_statistics(run, shard.info.eos_id)
    rarity = types.surprisal_V[sidecar.ids_N] - facts.means["surprisal"]
    gain = sidecar.signals["ngram_gain"] - facts.means["ngram_gain"]
    params = shard.info.policy_params
    score = params["dials"]["surprisal"] * rarity + params["dials"]["ngram_gain"] * gain
    bound = math.log(params["cap"])
    scale = counts.weights.weighing.splits["train"]
    raw = np.exp(np.clip(score, -bound, bound)) / scale.mean
    weights = (scale.mix + (1 - scale.mix) * raw) / scale.divisor
    weights[sidecar.special_N] = 1 / scale.divisor
    assert sidecar.doc_ids.to_pylist() == shard.segments[0].doc_ids.to_pylist()
    assert np.allclose(shard.segments[0].weights_N, weights, rtol=1e-5)


def test_copies_leave_one_survivor_and_name_it(finished):
    run, _ = finished
    ledger = pa.concat_tables([pq.read_table(path) for path in (run / "ledger").glob("*")])
    rows = ledger.to_pylist()
    verdicts = {row["doc_id"]: row["verdict"] for row in rows}
    copies = [row for row in rows if row["verdict"] == "duplicate"]
    assert len(copies) == 5
    for row in copies:
        assert verdicts[row["survivor"]] == "kept"
        assert row["survivor"] < row["doc_id"]
        assert row["cluster"] is not None
    stubs = [row for row in rows if row["verdict"] == "dropped"]
    assert {row["rule"] for row in stubs} == {"gopher_words"}
    assert all(row["tokens"] > 0 for row in stubs)


def test_statistics_add_up_and_answer_in_sql(finished):
    run, counts = finished

    def ask(sql):
        with duckdb.connect() as connection:
            return connection.execute(sql.replace("STATS", str(run / "stats"))).fetchall()

    tokens = counts.weights.splits["train"].tokens + counts.weights.splits["validation"].tokens
    assert ask("select sum(count_train + count_validation) from 'STATS/types.parquet'") == [
        (tokens,)
    ]
    for name in ("type_weights", "sources", "deciles"):
        mass = ask(f"select sum(weight_mass) from 'STATS/{name}.parquet'")[0][0]
        assert mass == pytest.approx(tokens, rel=1e-6)
    assert ask("select sum(tokens) from 'STATS/deciles.parquet'") == [(tokens,)]
    sources = ask(
        "select sum(tokens), sum(weight_mass), count(distinct source) from 'STATS/sources.parquet'"
    )
    assert sources[0][0] == tokens
    assert sources[0][1] == pytest.approx(tokens, rel=1e-6)
    assert sources[0][2] == 3
    assert ask(
        "select documents, alone_documents from 'STATS/rules.parquet' where rule = 'gopher_words'"
    ) == [(3, 0)]
    specials = ask("select sum(tokens) from 'STATS/reasons.parquet' where reason = 'special'")
    assert specials == [(counts.documents.records.kept,)]


def test_the_checksums_of_all_outputs_are_kept(finished, tmp_path):
    run, counts = finished
    files = list_files(run)
    assert {entry.path.split("/")[0] for entry in files} >= {"documents", "shards", "ledger"}
    shards = [entry for entry in files if entry.path.startswith("shards/")]
    assert sum(entry.tokens for entry in shards) == sum(
        split.tokens for split in counts.weights.splits.values()
    )
    check_files(run, files)


@pytest.mark.slow
def test_shuffled_inputs_and_other_folders_give_the_same_bytes(small_corpus, finished, tmp_path):
    run, _ = finished
    moved = tmp_path / "moved"
    moved.mkdir()
    copies = [shutil.copy(path, moved / path.name) for path in reversed(small_corpus)]
    run_jobs(copies, tmp_path / "run")
    assert read_bytes(tmp_path / "run") == read_bytes(run)


@pytest.mark.slow
@pytest.mark.workers
def test_two_workers_give_the_same_bytes(small_corpus, finished, tmp_path):
    run, _ = finished
    run_jobs(small_corpus, tmp_path / "run", Engine(workers=2))
    assert read_bytes(tmp_path / "run") == read_bytes(run)


def test_a_run_goes_on_from_its_finished_units(small_corpus, finished, tmp_path):
    """Take away the second half of the work, at every step, and run again."""
    run, counts = finished
    again = tmp_path / "again"
    shutil.copytree(run, again)
    for summary in again.glob("units/*/*.done.json"):
        if int(summary.name[:6]) % 2:
            summary.unlink()
    (again / "shards" / "train-000001.arrow").unlink()
    kept = again / "documents" / "000000.parquet"
    before = kept.stat().st_mtime_ns
    assert run_jobs(small_corpus, again) == counts
    assert read_bytes(again) == read_bytes(run)
    assert kept.stat().st_mtime_ns == before


def test_bad_records_are_quarantined_and_good_ones_kept(tmp_path):
    rng = random.Random(8)
    good = [json.dumps({"text": write_text(rng, 6)}) for _ in range(20)]
    bad = [b'{"text": "broken', b'{"text": "\xff\xfe"}', b'{"other": 1}', b'{"text": 5}']
    lines = [line.encode() for line in good]
    for at, line in zip((3, 9, 15, 20), bad, strict=True):
        lines.insert(at, line)
    (tmp_path / "mixed.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    counts = run_jobs([tmp_path / "mixed.jsonl"], tmp_path / "run")
    records = counts.documents.records
    assert records == Funnel(read=24, kept=20, dropped=0, duplicate=0, quarantined=4)
    entries = list(quarantine.read(tmp_path / "run" / "quarantine"))
    assert [entry.error for entry in entries] == [
        "bad_json", "bad_utf8", "missing_field", "wrong_type",
    ]  # fmt: skip
    assert [entry.payload for entry in entries] == bad


def test_documents_that_spell_out_the_end_of_text_stay_whole(tmp_path):
    text = PROSE.replace("cat", "cat <|endoftext|>") * 5
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}) + "\n")
    run_jobs([tmp_path / "a.jsonl"], tmp_path / "run")
    shard = open_shard(next((tmp_path / "run" / "shards").glob("*")))
    assert (shard.segments[0].ids_N == shard.info.eos_id).sum() == 1


def test_a_corpus_of_which_nothing_is_left_says_so(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "stub"}\n')
    with pytest.raises(AssayError, match="every document was dropped"):
        run_jobs([tmp_path / "a.jsonl"], tmp_path / "run")


def test_lost_tokens_or_weight_fail_the_run(finished):
    run, (documents, weights) = finished
    job, splits = Job(run, WorkFolder(run / "units")), weights.splits
    check_invariants(job, documents, splits, 0)
    lost = replace(documents, tokens=replace(documents.tokens, kept=59))
    with pytest.raises(BrokenInvariant, match="tokens: read"):
        check_invariants(job, lost, splits, 0)
    short = {**splits, "train": replace(splits["train"], tokens=1)}
    with pytest.raises(BrokenInvariant, match="shards"):
        check_invariants(job, documents, short, 0)


@pytest.mark.parametrize("verdict", ["kept", "dropped"])
def test_a_cluster_with_two_survivors_or_none_fails_the_run(finished, verdict):
    ledger = read_ledger(finished[0])
    check_clusters(ledger)
    broken = [verdict if row["cluster"] else row["verdict"] for row in ledger.to_pylist()]
    at = ledger.schema.get_field_index("verdict")
    with pytest.raises(BrokenInvariant, match="5 duplicate clusters do not keep exactly one"):
        check_clusters(ledger.set_column(at, "verdict", pa.array(broken)))


def test_a_shard_that_changed_after_it_was_written_fails_the_run(finished, tmp_path):
    run, _ = finished
    units = [summary.shards for summary in WorkFolder(run / "units").weigh]
    check_shards(run, units)
    shutil.copytree(run / "shards", tmp_path / "shards")
    with next((tmp_path / "shards").glob("*")).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BrokenContract, match="bytes changed"):
        check_shards(tmp_path, units)
