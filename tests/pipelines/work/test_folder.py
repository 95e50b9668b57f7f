"""The work folder: one page names every file, and no two share a place."""

import pickle
import re

from pipelines.work import folder
from pipelines.work.files import (
    ArrayFile,
    ArrayFiles,
    Entry,
    Files,
    Grid,
    RecordFile,
    RecordFiles,
    Step,
)
from pipelines.work.folder import WorkFolder

ENTRIES = [name for name, value in vars(WorkFolder).items() if isinstance(value, Entry)]


def describe(item, name):
    """How the page writes an entry's path, the number of a file left open."""
    if isinstance(item, Grid):
        return describe(item[0], name).replace(f"{name}/", rf"{name}/(N|ROUND)/")
    forms = {
        Step: rf"{name}/UID\.done\.json",
        Files: rf"{name}/UID\.arrow",
        ArrayFiles: rf"{name}/(UID|RANGE)\.npy",
        RecordFiles: rf"{name}/(UID|RANGE)\.json",
        ArrayFile: rf"{name}\.npy",
        RecordFile: rf"{name}\.json",
    }
    return forms.get(type(item), f"{name}/")


def test_the_page_has_a_line_for_every_file_and_no_other(tmp_path):
    work = WorkFolder(tmp_path)
    lines = folder.__doc__.split("--------")[-1].partition("\n\n")[0]
    listed = re.findall(r"^ {4}(?:\w+ +| +)(\S+/\S*|\S+\.(?:npy|json))", lines, re.MULTILINE)
    assert len(listed) == len(set(listed)) == len(ENTRIES)
    for name in ENTRIES:
        pattern = re.compile(describe(getattr(work, name), name))
        assert [path for path in listed if pattern.fullmatch(path)], name


def test_a_file_is_named_after_its_entry(tmp_path):
    work = WorkFolder(tmp_path)
    assert work.items == tmp_path / "items"
    assert work.cleaned[3] == tmp_path / "cleaned" / "000003.arrow"
    assert work.links[0].path == tmp_path / "links" / "000000.npy"
    assert work.half_edges[2][1].path == tmp_path / "half_edges" / "002" / "000001.npy"
    assert work.type_counts.path == tmp_path / "type_counts.npy"
    assert work.weighing.path == tmp_path / "weighing.json"
    assert work.clean.name == "clean"


def test_asking_writes_nothing(tmp_path):
    work = WorkFolder(tmp_path / "units")
    for name in ENTRIES:
        getattr(work, name)
    assert not work.cleaned[0].exists()
    assert work.clean.list_done() == set()
    assert list(work.members) == []
    assert not work.path.exists()


def test_it_travels_to_workers(tmp_path):
    work = WorkFolder(tmp_path)
    assert pickle.loads(pickle.dumps(work)) == work


def test_only_what_is_spent_goes(tmp_path):
    work = WorkFolder(tmp_path)
    for name in ENTRIES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "000000.npy").touch()
    work.drop_spent("tokenizer")
    assert len(list(tmp_path.iterdir())) == len(ENTRIES)
    work.drop_spent("curate")
    work.drop_spent("curate")  # again, after a kill
    gone = {name for name in ENTRIES if not (tmp_path / name).exists()}
    assert gone == set(folder.SPENT["curate"])
    assert {"clean", "items", "find_passages", "write_documents"}.isdisjoint(gone)


def test_steps_are_found_by_stage(tmp_path):
    names = [step.name for step in WorkFolder(tmp_path).list_steps("curate")]
    assert names == ["clean", "find_passages", "write_documents"]
    assert WorkFolder(tmp_path).list_steps("tokenizer") == []
