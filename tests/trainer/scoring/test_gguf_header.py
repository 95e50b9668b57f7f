"""Headers of GGUF files: what the library writes is read back without it."""

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFWriter

from trainer.scoring.gguf_header import DamagedFileError, read_header


@pytest.fixture
def path(tmp_path):
    """A file with settings of every kind, and a quantised tensor."""
    path = tmp_path / "a.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_custom_alignment(64)
    writer.add_uint8("small", 200)
    writer.add_int64("large", -(2**40))
    writer.add_float32("part", 0.5)
    writer.add_bool("yes", True)
    writer.add_string("text", "größer")
    writer.add_token_list(["a", "größer", ""])
    writer.add_array("numbers", [1, 2, 3, 4])
    writer.add_array("nested", [[1, 2], [3]])
    writer.add_tensor("plain", np.ones((3, 5), np.float32))
    blocks = np.zeros((2, 2 * 18), np.uint8)  # of 32 numbers each, in 18 bytes
    writer.add_tensor("packed", blocks, raw_dtype=GGMLQuantizationType.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_settings_are_read_and_arrays_passed_over(path):
    settings = read_header(path).settings
    assert settings["general.architecture"] == "llama"
    assert settings["small"] == 200
    assert settings["large"] == -(2**40)
    assert settings["part"] == 0.5
    assert settings["yes"] is True
    assert settings["text"] == "größer"
    assert settings["tokenizer.ggml.tokens"] == 3
    assert settings["numbers"] == 4
    assert settings["nested"] == 2


def test_parameters_are_counted_packed_ones_too(path):
    assert read_header(path).parameters == 3 * 5 + 2 * 64


def test_any_part_of_a_file_is_known_for_no_whole_one(path, tmp_path):
    content = path.read_bytes()
    part = tmp_path / "part.gguf"
    # The last tensor's data end before the file does: it is padded.
    for size in [*range(0, len(content) - 64, 7), len(content) - 64]:
        part.write_bytes(content[:size])
        with pytest.raises(DamagedFileError):
            read_header(part)


@pytest.mark.parametrize("at", [0, 4, 8, 16, 24])
def test_a_file_of_other_bytes_is_none(path, at):
    content = bytearray(path.read_bytes())
    content[at : at + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(bytes(content))
    with pytest.raises(DamagedFileError):
        read_header(path)
