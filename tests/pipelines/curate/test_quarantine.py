import orjson
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.curate.quarantine import Entry, entry, read, write
from pipelines.readers.records import Reject, Slice
from weighting.errors import BrokenContract

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ENTRIES = st.lists(
    st.builds(Entry, TEXT, TEXT, TEXT, TEXT, TEXT, st.binary(max_size=50)), max_size=6
)
ONE = Entry("a/b.jsonl", "jsonl", "byte 9", "bad_json", "unexpected end", b'{"text": "\xff')


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quarantine")


@settings(deadline=None)
@given(ENTRIES)
def test_what_is_written_is_read(folder, entries):
    path = folder / "000001.jsonl.zst"
    assert write(path, iter(entries)) == len(entries)
    assert list(read(folder)) == entries
    first = path.read_bytes()
    write(path, entries)
    assert path.read_bytes() == first


def test_an_entry_names_the_file_and_not_where_it_lies():
    slice_ = Slice("/somewhere/a/b.jsonl", "a/b.jsonl", "jsonl", 0, -1, 100)
    assert entry(slice_, Reject(*ONE[2:])) == ONE


def test_files_are_read_by_name(tmp_path):
    for name in ("2", "1", "3"):
        write(tmp_path / f"{name}.jsonl.zst", [ONE._replace(locator=name)])
    assert [item.locator for item in read(tmp_path)] == ["1", "2", "3"]


def test_a_message_with_a_strange_file_name_can_be_written(tmp_path):
    write(tmp_path / "a.jsonl.zst", [ONE._replace(message="no file \udcff")])
    [item] = read(tmp_path)
    assert item == ONE._replace(message="no file ?")


def test_an_error_leaves_the_previous_file(tmp_path):
    path = tmp_path / "a.jsonl.zst"
    write(path, [ONE])

    def broken():
        yield ONE
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write(path, broken())
    assert list(read(tmp_path)) == [ONE]
    assert [item.name for item in tmp_path.iterdir()] == ["a.jsonl.zst"]


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "a.jsonl.zst"
    write(path, [ONE])
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(BrokenContract, match=r"a\.jsonl\.zst: compressed data is cut short"):
        list(read(tmp_path))


@pytest.mark.parametrize("version", [None, 2])
def test_entries_of_another_version_are_refused(tmp_path, version):
    path = tmp_path / "a.jsonl.zst"
    write(path, [ONE])
    fields = orjson.loads(zstandard.decompress(path.read_bytes(), max_output_size=1 << 20))
    assert fields.pop("version") == 1
    if version:
        fields["version"] = version
    path.write_bytes(zstandard.compress(orjson.dumps(fields) + b"\n"))
    with pytest.raises(BrokenContract, match=rf"a\.jsonl\.zst: quarantine of version {version}"):
        list(read(tmp_path))
