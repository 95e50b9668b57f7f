import json
import os
import random
import subprocess
import sys
from dataclasses import replace

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers.records import ReadOptions, Record, Reject, Slice
from pipelines.readers.registry import READERS, known_suffixes
from pipelines.work.units import SLICE_COST, Unit, bind, fingerprint, plan
from weighting.errors import AssayError

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
DEFAULT = ReadOptions()
COUNTS = st.integers(-1, 2**62)
SLICES = st.builds(Slice, NAMES, NAMES, NAMES, COUNTS, COUNTS, COUNTS, COUNTS, NAMES)


@pytest.fixture
def corpus(tmp_path):
    """A folder of every kind of file that a walk meets."""
    root = tmp_path / "corpus"
    for folder in (root, root / "web", root / ".git", root / "web" / "deep"):
        folder.mkdir(exist_ok=True, parents=True)
    for name in ("a.jsonl", "web/b.JSONL", "web/deep/c.txt", ".git/hidden.txt", "web/.d.txt"):
        (root / name).write_text(json.dumps({"text": name}) + "\n")
    (root / "web" / "image.png").write_bytes(b"\x89PNG")
    (root / "web" / "loop").symlink_to(root)
    (root / "broken.txt").symlink_to(root / "nowhere.txt")
    return root


def names(planned):
    return [part.name for unit in planned.units for part in unit.slices]


def texts(planned, options=DEFAULT):
    parts = [part for unit in planned.units for part in unit.slices]
    items = [item for part in parts for item in READERS[part.reader].read(part, options)]
    records = [item for item in items if isinstance(item, Record)]
    assert records == items
    return [record.text for record in records]


@settings(deadline=None)
@given(st.integers(0, 2**62), st.lists(SLICES, max_size=5))
def test_a_unit_survives_its_encoding(uid, slices):
    unit = Unit(uid, tuple(slices))
    assert Unit.decode(unit.encode()) == unit


def test_planning_imports_no_engine_and_no_heavy_library():
    code = (
        "import sys, pipelines.work.units, pipelines.curate.quarantine\n"
        "print({'apache_beam', 'datasets', 'torch', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "set()"


def test_a_folder_is_searched_without_hidden_files_and_loops(corpus):
    planned = plan([str(corpus)])
    assert names(planned) == ["a.jsonl", "broken.txt", "web/b.JSONL", "web/deep/c.txt"]
    assert planned.ignored == [str(corpus / "web" / "image.png")]
    assert [unit.uid for unit in planned.units] == [0]


def test_names_do_not_depend_on_how_or_where_files_are_named(corpus, tmp_path, monkeypatch):
    whole = plan([str(corpus)])
    inputs = [str(corpus / "web"), f"{corpus}/*.jsonl", str(corpus / "a.jsonl"), str(corpus)]
    for seed in range(4):
        random.Random(seed).shuffle(inputs)
        assert plan(inputs) == whole
    monkeypatch.chdir(corpus)
    assert plan([".", "./web/../a.jsonl", "web/**/*.txt"]) == whole
    moved = corpus.rename(tmp_path / "elsewhere")
    assert names(plan([str(moved)])) == names(whole)
    assert names(plan([str(moved / "web" / "deep" / "c.txt")])) == ["c.txt"]


def test_a_file_with_two_paths_is_read_once(tmp_path):
    (tmp_path / "b.txt").write_text("text")
    (tmp_path / "a.txt").symlink_to(tmp_path / "b.txt")
    assert names(plan([str(tmp_path)])) == ["a.txt"]
    assert names(plan([str(tmp_path / "b.txt"), str(tmp_path / "a.txt")])) == ["a.txt"]


def test_every_suffix_finds_its_reader_with_and_without_compression(tmp_path):
    for name, reader in {
        "a.jsonl": "jsonl",
        "b.ndjson.bz2": "jsonl",
        "c.MD.XZ": "text",
        "d.csv": "csv",
        "e.tsv.zst": "csv",
        "f.feather": "arrow",
        "g.arrows": "arrow",
        "h.parquet": "parquet",
        "i.html": "html",
        "j.warc.gz": "warc",
    }.items():
        (tmp_path / name).write_bytes(b"")
        assert [part.reader for part in plan([str(tmp_path / name)]).units[0].slices] == [reader]
    assert "each also with .gz, .zst, .bz2, .xz; " in known_suffixes()
    assert known_suffixes().count(".jsonl") == known_suffixes().count(".parquet") == 1


def test_links_that_lead_nowhere_or_in_circles_are_unreadable_files(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.txt").symlink_to(tmp_path / "nowhere.txt")
    (tmp_path / "c.txt").symlink_to(tmp_path / "d.txt")
    (tmp_path / "d.txt").symlink_to(tmp_path / "c.txt")
    for spec in (tmp_path, tmp_path / "*.txt"):
        planned = plan([str(spec)])
        assert names(planned)[:2] == ["a.txt", "b.txt"]
        items = [x for p in planned.units[0].slices for x in READERS[p.reader].read(p, DEFAULT)]
        refused = [item.error for item in items[1:] if isinstance(item, Reject)]
        assert refused == ["unreadable"] * (len(names(planned)) - 1)
        assert len(refused) == len(items) - 1
    assert [entry.hash for entry in fingerprint(planned.units)][1:3] == ["unreadable"] * 2


def test_a_pipe_is_no_file(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    os.mkfifo(tmp_path / "b.txt")
    planned = plan([str(tmp_path)])
    assert names(planned) == ["a.txt"]
    assert planned.ignored == [str(tmp_path / "b.txt")]


def test_linked_folders_are_searched(tmp_path):
    for name in ("corpus", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text("text")
    (tmp_path / "corpus" / "link").symlink_to(tmp_path / "outside")
    assert names(plan([str(tmp_path / "corpus")])) == ["corpus.txt", "link/outside.txt"]


def test_slices_are_packed_in_order_up_to_the_target(tmp_path):
    for index in range(10):
        (tmp_path / f"{index}.txt").write_text("x" * 100)
    planned = plan([str(tmp_path)], target_bytes=3 * (100 + SLICE_COST))
    assert [len(unit.slices) for unit in planned.units] == [3, 3, 3, 1]
    assert [unit.uid for unit in planned.units] == [0, 1, 2, 3]
    assert names(planned) == [f"{index}.txt" for index in range(10)]


def test_a_large_file_is_cut_and_read_in_order(tmp_path):
    lines = (json.dumps({"text": f"{number}"}) + "\n" for number in range(100))
    (tmp_path / "big.jsonl").write_text("".join(lines))
    planned = plan([str(tmp_path)], target_bytes=350)
    assert len(planned.units) > 3
    assert all(unit.slices[0].size <= 2 * 350 for unit in planned.units)
    assert texts(planned) == [f"{number}" for number in range(100)]


def test_an_empty_file_is_planned_so_that_the_manifest_names_it(tmp_path):
    (tmp_path / "none.jsonl").write_bytes(b"")
    planned = plan([str(tmp_path)])
    assert names(planned) == ["none.jsonl"]
    assert texts(planned) == []


def test_a_reader_can_be_forced(tmp_path):
    (tmp_path / "a.log").write_text('{"text": "a"}')
    assert texts(plan([str(tmp_path)], reader="jsonl")) == ["a"]
    assert texts(plan([str(tmp_path / "a.log")], reader="text")) == ['{"text": "a"}']


def test_urls_are_planned_like_folders():
    memory = fsspec.filesystem("memory")
    for name in ("x/a.jsonl", "x/y/b.jsonl", "x/.z/c.jsonl", "x/d.bin"):
        memory.pipe(f"/units/{name}", json.dumps({"text": name}).encode())
    planned = plan(["memory://units"])
    assert names(planned) == ["a.jsonl", "y/b.jsonl"]
    assert texts(planned) == ["x/a.jsonl", "x/y/b.jsonl"]
    assert planned.ignored == ["memory:///units/x/d.bin"]
    assert plan(["memory://units/x/*/*.jsonl", "memory://units/x/a.jsonl"]).units == planned.units


def test_file_urls_are_paths(corpus):
    assert plan([corpus.as_uri()]) == plan([str(corpus)])
    assert plan([f"{corpus.as_uri()}/web/*/*.txt"]) == plan([f"{corpus}/web/*/*.txt"])
    assert texts(plan([f"{corpus.as_uri()}/a.jsonl"])) == ["a.jsonl"]


def test_a_saved_dataset_in_a_folder_is_one_input(tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"text": ["from a dataset"]})
    datasets.DatasetDict({"train": rows}).save_to_disk(tmp_path / "both")
    (tmp_path / "a.txt").write_text("from a file")
    planned = plan([str(tmp_path)])
    assert names(planned) == ["a.txt", "both/train"]
    assert texts(planned) == ["from a file", "from a dataset"]
    assert texts(plan([f"hf:{tmp_path}/both@train"])) == ["from a dataset"]


def test_the_embedded_corpus_is_an_input(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    planned = plan([str(tmp_path), "python-docs:0.05", "python-docs:0.05"])
    assert names(planned)[0] == "a.txt"
    assert len(set(names(planned))) == len(names(planned)) > 1


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("no/such", "no/such: no such file or folder"),
        ("no*such", "no*such: no such file or folder"),
        ("empty", "empty: nothing is in it"),
        ("a.png", "a.png: its suffix is not known; valid: .jsonl, .ndjson, .json, .txt"),
        ("png", "png: the suffixes of its 2 files are not known; valid: .jsonl"),
        ("nofs://a/b", "nofs://a/b: cannot be opened"),
        ("memory://no/such", "memory://no/such: no such file or folder"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, monkeypatch, spec, message):
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "png"):
        (tmp_path / folder).mkdir()
    for name in ("a.png", "png/a.png", "png/b.png", "good.txt"):
        (tmp_path / name).write_text("text")
    with pytest.raises(AssayError) as caught:
        plan(["good.txt", spec])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_no_inputs_and_unknown_readers_are_refused(tmp_path):
    with pytest.raises(AssayError, match="no inputs"):
        plan([])
    for reader in ("png", "huggingface"):
        with pytest.raises(
            AssayError, match=f"{reader}: no reader .* valid: jsonl, text, html, warc, "
        ):
            plan([str(tmp_path)], reader=reader)


def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("text")
    with pytest.raises(AssayError, match="not UTF-8; rename it"):
        plan([str(tmp_path)])


def test_two_inputs_may_not_share_a_name(tmp_path):
    datasets = pytest.importorskip("datasets")
    for folder in ("x", "y"):
        datasets.Dataset.from_dict({"text": [folder]}).save_to_disk(tmp_path / folder / "data")
    with pytest.raises(AssayError, match="two inputs share the name data"):
        plan([f"hf:{tmp_path}/x/data", f"hf:{tmp_path}/y/data"])


def test_fingerprints_follow_the_content_and_not_the_cut(corpus):
    planned = plan([str(corpus)])
    entries = fingerprint(planned.units)
    assert [entry.name for entry in entries] == names(planned)
    assert entries[0].size == (corpus / "a.jsonl").stat().st_size
    assert fingerprint(plan([str(corpus)], target_bytes=5).units) == entries
    (corpus / "a.jsonl").write_text(json.dumps({"text": "b.jsonl"}) + "\n")
    changed = fingerprint(planned.units)
    assert changed[0].hash != entries[0].hash
    assert changed[1:] == entries[1:]


def test_bound_slices_know_their_inputs(corpus):
    planned = plan([str(corpus)])
    entries = fingerprint(planned.units)
    later = replace(entries[0], hash="of a list with the same name")
    bound = bind(planned.units, [*entries, later])
    parts = [part for unit in bound for part in unit.slices]
    assert [(part.name, part.stored, part.hash) for part in parts] == [
        (entry.name, entry.size, entry.hash) for entry in entries
    ]
    assert [unit.uid for unit in bound] == [unit.uid for unit in planned.units]
    assert [part._replace(stored=0, hash="") for part in parts] == [
        part for unit in planned.units for part in unit.slices
    ]
