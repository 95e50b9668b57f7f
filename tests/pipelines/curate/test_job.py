"""The curate job's dedupe: the same whatever the cut, order and number of workers; incremental."""

import json
import random
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.curate.estimate import estimate
from pipelines.curate.job import curate
from pipelines.engine.runner import Engine
from pipelines.settings import (
    CurateSettings,
    DedupeSettings,
    Job,
    NearSettings,
    PassageSettings,
    RuleSettings,
)
from pipelines.verify.ledger import check_clusters, read_ledger
from pipelines.work.folder import WorkFolder
from pipelines.work.units import plan
from tests.conftest import WORDS
from weighting.contracts.documents import DOCUMENTS

FAMILIES = 12
MEMORY = 150_000
NEAR = NearSettings(bands=20, rows=3)  # misses one in a million of these copies
DEDUPE = DedupeSettings(near=NEAR, passages=None)
SETTINGS = CurateSettings(rules=RuleSettings(families=("length",)), dedupe=DEDUPE)


def make_texts(seed=3):
    """Families of near copies: the same words but for a few, and a longest one in each."""
    rng = random.Random(seed)
    families = []
    for _ in range(FAMILIES):
        words = [rng.choice(WORDS) + str(rng.randrange(50)) for _ in range(120)]
        family = [" ".join(words)]
        for _ in range(rng.randrange(9)):
            changed = list(words)
            changed[rng.randrange(120)] = rng.choice(WORDS)
            family.append(" ".join(changed[: rng.randint(110, 119)]))
        families.append(family + family[:1] * rng.randrange(3))
    return families


def write(folder, texts, files=3):
    """The texts dealt out to files."""
    folder.mkdir(parents=True)
    for number in range(files):
        rows = [json.dumps({"text": text}) for text in texts[number::files]]
        (folder / f"{number}.jsonl").write_text("".join(f"{row}\n" for row in rows))
    return folder


def run_curate(corpus, run, settings=SETTINGS, workers=1, target=3000):
    curate(
        plan([str(corpus)], target).units,
        settings,
        Job(run, WorkFolder(run / "units")),
        Engine(workers),
    )
    return run


def read_kept(run):
    paths = sorted((run / "documents").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(path, schema=DOCUMENTS) for path in paths])


def list_texts(run):
    return sorted(read_kept(run)["text"].to_pylist())


def read_bytes(run):
    folders = ("documents", "dropped", "ledger", "index")
    files = [path for folder in folders for path in sorted((run / folder).glob("*"))]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def texts():
    return [text for family in make_texts() for text in family]


@pytest.fixture(scope="module")
def calm(texts, tmp_path_factory):
    """A run in one process, and its corpus."""
    folder = tmp_path_factory.mktemp("dedupe")
    corpus = write(folder / "corpus", texts)
    return corpus, run_curate(corpus, folder / "run")


def test_of_every_family_the_longest_stays(calm):
    _, run = calm
    assert list_texts(run) == sorted(family[0] for family in make_texts())
    ledger = read_ledger(run)
    check_clusters(ledger)
    sizes = ledger.group_by("cluster").aggregate([("doc_id", "count")]).to_pylist()
    found = sorted(row["doc_id_count"] for row in sizes if row["cluster"])
    assert found == sorted(len(family) for family in make_texts() if len(family) > 1)


@pytest.mark.slow
def test_order_and_cut_of_the_inputs_change_no_survivor(calm, texts, tmp_path):
    shuffled = list(texts)
    random.Random(1).shuffle(shuffled)
    corpus = write(tmp_path / "corpus", shuffled, files=5)
    assert list_texts(run_curate(corpus, tmp_path / "run", target=900)) == list_texts(calm[1])


@pytest.mark.slow
@pytest.mark.workers
def test_two_workers_write_the_same_bytes(calm, tmp_path):
    corpus, run = calm
    assert read_bytes(run_curate(corpus, tmp_path / "run", workers=2)) == read_bytes(run)


@pytest.mark.slow
@pytest.mark.workers
def test_no_choice_depends_on_order_or_workers(texts, tmp_path):
    near = replace(NEAR, numbers="keep", drop="similar", jaccard=0.9)
    settings = replace(SETTINGS, dedupe=replace(DEDUPE, near=near))
    shuffled = random.Random(2).sample(texts, len(texts))
    one, other = (write(tmp_path / name, some) for name, some in (("a", texts), ("b", shuffled)))
    run = run_curate(one, tmp_path / "run", settings)
    assert FAMILIES < len(list_texts(run)) < len(texts)
    check_clusters(read_ledger(run))
    assert read_bytes(run_curate(one, tmp_path / "two", settings, workers=2)) == read_bytes(run)
    assert list_texts(run_curate(other, tmp_path / "three", settings, target=900)) == list_texts(
        run
    )
    # What was dropped is not there to be kept, and is dropped again all the same.
    again = replace(settings, against=(str(run),))
    assert list_texts(run_curate(one, tmp_path / "again", again)) == []


def curate_with_little(corpus, run, monkeypatch, edge_bytes):
    """A run with memory for some keys at a time and, at so many bytes each, for some links."""
    monkeypatch.setattr("pipelines.curate.estimate.BYTES_PER_EDGE", edge_bytes)
    monkeypatch.setattr("pipelines.curate.cluster_rounds.PEAK_BYTES", edge_bytes)
    settings = replace(SETTINGS, dedupe=replace(DEDUPE, memory=MEMORY))
    expected = estimate(plan([str(corpus)], 3000).units, settings)
    assert expected.clusters_later
    assert expected.ranges > 4
    return run_curate(corpus, run, settings)


def test_too_many_links_mean_star_contraction_and_the_same_bytes(calm, tmp_path, monkeypatch):
    corpus, run = calm
    starry = curate_with_little(corpus, tmp_path / "run", monkeypatch, MEMORY // 20)
    assert len(list(WorkFolder(starry / "units").half_edges[1])) > 4
    assert read_bytes(starry) == read_bytes(run)


def test_counting_the_links_first_gives_the_same_bytes(calm, tmp_path, monkeypatch):
    """Enough memory for the links that there are, too little for those that there might be."""
    corpus, run = calm
    counted = curate_with_little(corpus, tmp_path / "run", monkeypatch, MEMORY // 100)
    assert not (counted / "units" / "half_edges").exists()
    assert read_bytes(counted) == read_bytes(run)


def test_it_goes_on_from_ranges_and_units_that_are_done(calm, tmp_path):
    corpus, run = calm
    again = run_curate(corpus, tmp_path / "run")
    for lost in ("write_documents/000001.done.json", "members/000000.npy", "links/000000.npy"):
        (again / "units" / lost).unlink()
    kept = again / "documents" / "000000.parquet"
    before = kept.stat().st_mtime_ns
    assert read_bytes(run_curate(corpus, again)) == read_bytes(run)
    assert kept.stat().st_mtime_ns == before


def test_a_second_dump_against_the_first_keeps_what_both_together_would(calm, tmp_path):
    """The first dump has the longest of each family, so no survivor would have to be taken back."""
    firsts = [text for family in make_texts() for text in family[:2]]
    seconds = [text for family in make_texts() for text in family[2:]] + ["new words " * 9]
    first = run_curate(write(tmp_path / "a", firsts), tmp_path / "first")
    settings = replace(SETTINGS, against=(str(first),))
    second = run_curate(write(tmp_path / "b", seconds), tmp_path / "second", settings)
    assert sorted(list_texts(first) + list_texts(second)) == sorted(
        [*list_texts(calm[1]), "new words " * 8 + "new words "]
    )
    ledger = read_ledger(second)
    check_clusters(ledger, elsewhere=True)
    published = set(read_kept(first)["doc_id"].to_pylist())
    survivors = ledger.filter(pa.compute.equal(ledger["verdict"], "duplicate"))["survivor"]
    assert set(survivors.to_pylist()) <= published


def test_a_third_dump_needs_the_second_alone_where_survivors_lie_in_the_first(tmp_path):
    family = max(make_texts(), key=len)
    first = run_curate(write(tmp_path / "a", family[:1]), tmp_path / "first")
    middle = replace(SETTINGS, against=(str(first),))
    second = run_curate(write(tmp_path / "b", family[1:3]), tmp_path / "second", middle)
    last = replace(SETTINGS, against=(str(second),))
    third = run_curate(write(tmp_path / "c", family[3:]), tmp_path / "third", last)
    assert list_texts(second) == list_texts(third) == []
    survivors = set(read_ledger(third)["survivor"].to_pylist())
    assert survivors == set(read_kept(first)["doc_id"].to_pylist())


BOILERPLATE = "All rights reserved by the people of this page, whatever they may be called."


@pytest.mark.parametrize("delete", [False, True])
def test_a_line_of_several_pages_is_marked_or_stays_in_one(delete, tmp_path):
    rng = random.Random(5)
    pages = [" ".join(rng.choice(WORDS) + str(i) for i in range(60)) for _ in range(4)]
    texts = [f"{page}\n{BOILERPLATE}\n{page[::-1]}" for page in pages]
    passages = PassageSettings(delete=delete)
    settings = replace(SETTINGS, dedupe=replace(DEDUPE, passages=passages))
    run = run_curate(write(tmp_path / "corpus", texts), tmp_path / "run", settings, target=600)
    kept = read_kept(run).to_pylist()
    assert len(kept) == 4
    if delete:
        assert sum(BOILERPLATE in row["text"] for row in kept) == 1
        assert all(len(row["edits"]) == (BOILERPLATE not in row["text"]) for row in kept)
        chars = {row["doc_id"]: len(row["text"]) for row in kept}
        ledger = read_ledger(run)
        assert (
            dict(zip(*(ledger[name].to_pylist() for name in ("doc_id", "chars")), strict=True))
            == chars
        )
        return
    for row in kept:
        (passage,) = row["passages"]
        assert row["text"][passage["start"] : passage["end"]] == BOILERPLATE
        assert (passage["kind"], passage["documents"]) == ("line", 4)
