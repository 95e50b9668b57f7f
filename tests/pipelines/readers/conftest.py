"""Fixtures of the readers' tests.

- `scratch`: a folder shared by the tests of a module, for hypothesis, which allows no other.
- `read_all(path, target_bytes, options)`: cuts a file by its suffix and reads every slice.
"""

import pytest

from pipelines.readers.records import ReadOptions
from pipelines.readers.registry import READERS, find_by_suffix


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="session")
def read_all():
    def run(path, target_bytes=2**23, options=ReadOptions()):
        name = find_by_suffix(str(path))
        assert name is not None
        reader = READERS[name]
        slices = reader.cut(str(path), path.name, target_bytes)
        return [item for slice_ in slices for item in reader.read(slice_, options)]

    return run
