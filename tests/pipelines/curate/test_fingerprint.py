"""What dedupe keeps of a batch: of documents that no rule drops, by their row in the unit."""

import unicodedata
from dataclasses import replace

import numpy as np
import xxhash

from pipelines.curate.fingerprint import fingerprint, locate_fingerprints
from pipelines.rules.bounds import Bounds
from pipelines.settings import CurateSettings, DedupeSettings, NearSettings, RuleSettings
from tests.pipelines.curate.units import clean_texts, open_job, read_cleaned

NEAR = NearSettings(words=2, bands=4, rows=2)
DEDUPE = DedupeSettings(near=NEAR, passages=None)
SETTINGS = CurateSettings(
    rules=RuleSettings(families=("length",)),
    bounds={"length_words": Bounds(low=2)},
    dedupe=DEDUPE,
)
TEXTS = ["the first text", "dropped", "the other text", "the first text"]


def make_batch(tmp_path, settings=SETTINGS, texts=TEXTS):
    job = open_job(tmp_path / "run")
    clean_texts(job, [texts], settings)
    return job, read_cleaned(job, 0).combine_chunks().to_batches()[0]


def test_rows_count_from_the_units_first_document(tmp_path):
    _, batch = make_batch(tmp_path)
    found = fingerprint(batch, 100, DEDUPE)
    assert found.rows_D.tolist() == [100, 102, 103]
    assert found.lengths_D.tolist() == [14, 14, 14]
    ids = [bytes.fromhex(batch.column("doc_id")[at].as_py()) for at in (0, 2, 3)]
    assert found.ids_Dx2.astype(">u8").tobytes() == b"".join(ids)


def test_contents_are_hashes_of_texts(tmp_path):
    _, batch = make_batch(tmp_path)
    found = fingerprint(batch, 0, DEDUPE)
    expected = [xxhash.xxh3_128_digest(TEXTS[at].encode()) for at in (0, 2, 3)]
    assert found.contents_Dx2.astype(">u8").tobytes() == b"".join(expected)


def test_shingles_and_bands_follow_from_the_text(tmp_path):
    _, batch = make_batch(tmp_path)
    found = fingerprint(batch, 0, DEDUPE)
    assert np.diff(found.offsets_D1).tolist() == [2, 2, 2]  # of two words each
    assert found.bands_DxB.shape == (3, 4)
    assert found.sets_D[0] == found.sets_D[2] != found.sets_D[1]
    assert (found.bands_DxB[0] == found.bands_DxB[2]).all()


def count_sets(tmp_path, texts, numbers="zero"):
    """The number of different sets of shingles of some texts."""
    _, batch = make_batch(tmp_path / numbers, replace(SETTINGS, bounds={}), texts)
    dedupe = replace(DEDUPE, near=replace(NEAR, numbers=numbers))
    return len({*fingerprint(batch, 0, dedupe).sets_D.tolist()})


def test_drills_and_tables_of_other_numbers_are_apart_where_numbers_are_kept(tmp_path):
    drills = [" . ".join(f"{a} + {b} = {a + b}" for b in range(a, a + 9)) for a in (12, 24, 36)]
    tables = [". ".join(f"Day {d}: {d * k % 97}.{k} mm" for d in range(1, 31)) for k in (3, 7)]
    assert count_sets(tmp_path, drills + tables) == 2  # a drill and a table
    assert count_sets(tmp_path, drills + tables, "keep") == 5


def test_one_text_in_several_shapes_is_one(tmp_path):
    guide = "これはデータベースのガイドです"
    thai = "ทุกคนมีสิทธิในการดำรงชีวิต"
    flower = "राम ने सीता को फूल दिया"
    texts = [guide, unicodedata.normalize("NFD", guide), "これはﾃﾞｰﾀﾍﾞｰｽのｶﾞｲﾄﾞです"]
    assert count_sets(tmp_path / "kana", texts) == 1
    broken = ["the patient farmer waits", "the pa\u00adtient far\u200bmer wa\u2060its\ufeff"]
    assert count_sets(tmp_path / "unseen", broken) == 1
    assert count_sets(tmp_path / "thai", [thai, thai.replace("ำ", "ํา"), "\u200b".join(thai)]) == 1
    assert count_sets(tmp_path / "fruit", [flower, flower.replace("फूल", "फल")]) == 2


def test_without_near_copies_there_are_no_shingles(tmp_path):
    dedupe = DedupeSettings(near=None, passages=None)
    _, batch = make_batch(tmp_path, replace(SETTINGS, dedupe=dedupe))
    found = fingerprint(batch, 0, dedupe)
    assert len(found.shingles_S) == 0
    assert found.bands_DxB.shape == (3, 0)
    assert not found.sets_D.any()


def test_cleaning_writes_the_same_where_it_is_found(tmp_path):
    job, batch = make_batch(tmp_path)
    kept = locate_fingerprints(job, 0).open_documents()
    found = fingerprint(batch, 0, DEDUPE)
    for name in ("ids_Dx2", "contents_Dx2", "rows_D", "bands_DxB", "sets_D", "shingles_S"):
        assert np.array_equal(getattr(kept, name), getattr(found, name))
    assert not locate_fingerprints(job, 0).published
