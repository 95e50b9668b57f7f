"""Arrays in files: any dtype and shape, mapped where that pays, whole or not there."""

import io
import resource

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from pipelines.work.arrays import HEADER_BYTES, load_array, save_array
from weighting.storage.failures import CannotWrite

DTYPES = (np.int64, np.uint64, np.uint32, np.float32, np.bool_, np.dtype([("a", np.uint8)]))
shapes = stn.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=50)


@given(st.data())
def test_what_was_saved_is_loaded(tmp_path_factory, data):
    dtype = data.draw(st.sampled_from(DTYPES))
    array = data.draw(stn.arrays(dtype, data.draw(shapes)))
    path = tmp_path_factory.mktemp("arrays") / "a.npy"
    save_array(path, array)
    loaded = load_array(path)
    assert loaded.dtype == array.dtype
    assert loaded.shape == array.shape
    assert loaded.tobytes() == array.tobytes()
    plain = io.BytesIO()
    np.save(plain, array)
    assert path.read_bytes() == plain.getvalue()


def test_only_what_has_elements_is_mapped(tmp_path):
    save_array(tmp_path / "many.npy", np.arange(1000))
    save_array(tmp_path / "none.npy", np.empty((0, 2), np.uint64))
    assert (tmp_path / "none.npy").stat().st_size <= HEADER_BYTES
    assert isinstance(load_array(tmp_path / "many.npy").base, np.memmap)
    assert not isinstance(load_array(tmp_path / "none.npy").base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        load_array(tmp_path / "many.npy")[0] = 1


def test_objects_are_refused_and_leave_what_was_there(tmp_path):
    path = tmp_path / "a.npy"
    save_array(path, np.arange(3))
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        save_array(path, np.array([{}, []], object))
    assert load_array(path).tolist() == [0, 1, 2]
    assert [item.name for item in tmp_path.iterdir()] == ["a.npy"]


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_of_an_array_is_kept(tmp_path, order):
    array = np.asarray(np.arange(6).reshape(2, 3), order=order)
    save_array(tmp_path / "a.npy", array)
    save_array(tmp_path / "b.npy", np.arange(12)[::2])  # contiguous in no order
    assert load_array(tmp_path / "a.npy").tolist() == array.tolist()
    assert load_array(tmp_path / "b.npy").tolist() == [0, 2, 4, 6, 8, 10]


def test_a_disk_that_takes_half_an_array_is_told(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(CannotWrite, match=r"a\.npy: cannot be written \(File too large\)"):
            save_array(tmp_path / "a.npy", np.zeros(10**5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
