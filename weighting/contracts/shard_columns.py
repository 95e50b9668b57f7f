"""The columns of a token shard, of every Arrow type that says the same, as arrays.

Lists may be of any kind, ids of any width, weights any real numbers. What already has the type that
training takes is a view of the file; the rest is converted. Nothing may be null where a token or a
document would be missing, and errors name the document.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from weighting.array_tools import expand_ranges, to_offsets
from weighting.arrays import AnyArray, Float32s, Uint8s
from weighting.errors import BrokenContract

LISTS = ("input_ids", "weights", "reasons")
COLUMNS = ("doc_id", "source", *LISTS)
NEEDED = ("input_ids", "weights")
NOT_FINITE = np.uint32(0x7F800000)  # float32 bit patterns from here on are inf, NaN or negative
MINUS_ZERO = np.uint32(0x80000000)

Kinds = tuple[Callable[[pa.DataType], bool], ...]  # tests of a type, of which one is to hold
LIST_KINDS: Kinds = (
    *(types.is_list, types.is_large_list, types.is_fixed_size_list),
    *(types.is_list_view, types.is_large_list_view),
)
NUMBER_KINDS: Kinds = (*(types.is_floating, types.is_integer, types.is_boolean, types.is_decimal),)
TEXT_KINDS: Kinds = (  # ids of documents may be numbers
    *(types.is_string, types.is_large_string, types.is_string_view),
    *(types.is_integer, types.is_null),
)


class Lists(NamedTuple):
    """The lists of D rows: row d has the values from offsets_D1[d] to offsets_D1[d + 1]."""

    offsets_D1: npt.NDArray[np.signedinteger[Any]]
    values: pa.Array


@dataclass(frozen=True)
class Rows:
    """D documents of a file, the first of them its row `first`.

    Raises:
        BrokenContract: by every column: what it holds is not what it must be.
    """

    path: Path
    first: int
    batch: pa.RecordBatch

    @cached_property
    def doc_ids(self) -> pa.Array:
        """The documents' ids; their place in the file where there is no such column."""
        column = self._find("doc_id")
        if column is None:
            name = "/".join(self.path.parts[-2:])  # files of both splits may have one name
            rows = range(self.first, self.first + len(self.batch))
            return pa.array([f"{name}:{row}" for row in rows], pa.string())
        texts = _to_texts(column)
        if texts.null_count:
            row = texts.is_null().index(True).as_py()
            raise BrokenContract(f"{self.path}: doc_id of row {self.first + row} is null")
        return texts

    @cached_property
    def sources(self) -> pa.Array:
        """The documents' sources, empty where none is said."""
        column = self._find("source")
        if column is None:
            return pa.array([""] * len(self.batch), pa.string())
        texts = _to_texts(column)
        return texts.fill_null("") if texts.null_count else texts

    @cached_property
    def ids(self) -> Lists:
        """The documents' tokens, whole numbers of any width."""
        return self._read_lists("input_ids")

    def read_ids(self, vocab_size: int, dtype: Any) -> AnyArray:  # noqa: ANN401 - NumPy's own
        """Return the N ids in one dtype, each inside the vocabulary."""
        ids_N: AnyArray = self.ids.values.to_numpy()
        if (at := find_bad_id(ids_N, vocab_size)) is not None:
            raise self._fail(at, f"has id {ids_N[at]}, the vocabulary ends at {vocab_size - 1}")
        return ids_N.astype(dtype, copy=False)

    def read_weights(self) -> Float32s:
        """Return the N weights, float32 [N]."""
        values = self._read_aligned("weights")
        if types.is_decimal(values.type):
            values = values.cast(pa.float64())
        told_N: AnyArray = values.to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            weights_N = told_N.astype(np.float32, copy=False)
        if (at := find_bad_weight(weights_N)) is not None:
            raise self._fail(at, f"has weight {told_N[at]}, weights are finite and ≥ 0")
        return weights_N

    def read_reasons(self) -> Uint8s:
        """Return the N reasons, uint8 [N]; none is set where there is no such column."""
        if self._find("reasons") is None:
            return np.zeros(len(self.ids.values), np.uint8)
        reasons_N: AnyArray = self._read_aligned("reasons").to_numpy()
        if len(reasons_N) and not (reasons_N.min() >= 0 and reasons_N.max() <= 255):
            at = int(np.argmax((reasons_N < 0) | (reasons_N > 255)))
            raise self._fail(at, f"has reasons {reasons_N[at]}, from 0 to 255 are valid")
        return reasons_N.astype(np.uint8, copy=False)

    def _read_aligned(self, name: str) -> pa.Array:
        """Return the values of a column that has one for each id."""
        lists, offsets_D1 = self._read_lists(name), self.ids.offsets_D1
        if not np.array_equal(lists.offsets_D1, offsets_D1):
            sizes_D, wanted_D = np.diff(lists.offsets_D1), np.diff(offsets_D1)
            row = int(np.argmax(sizes_D != wanted_D))
            raise BrokenContract(
                f"{self._name(row)}: {name} and input_ids differ in length, "
                f"{sizes_D[row]} and {wanted_D[row]}"
            )
        return lists.values

    def _read_lists(self, name: str) -> Lists:
        column = self._find(name)
        if column.null_count:
            row = column.is_null().index(True).as_py()
            raise BrokenContract(f"{self._name(row)}: {name} is null")
        lists = _cut_lists(column)
        if types.is_null(lists.values.type):
            lists = lists._replace(values=lists.values.cast(pa.int8()))
        if lists.values.null_count:
            at = lists.values.is_null().index(True).as_py()
            row = int(np.searchsorted(lists.offsets_D1, at, side="right")) - 1
            place = at - int(lists.offsets_D1[row])
            raise BrokenContract(f"{self._name(row)}: token {place} has null in {name}")
        return lists

    def _find(self, name: str) -> pa.Array:
        at = self.batch.schema.get_field_index(name)
        column = None if at < 0 else self.batch.column(at)
        return column.storage if isinstance(column, pa.ExtensionArray) else column

    def _fail(self, at: int, what: str) -> BrokenContract:
        row = int(np.searchsorted(self.ids.offsets_D1, at, side="right")) - 1
        return BrokenContract(f"{self._name(row)}: token {at - self.ids.offsets_D1[row]} {what}")

    def _name(self, row: int) -> str:
        return f"{self.path}: document {self.doc_ids[row]} (row {self.first + row})"


def check_columns(path: Path, schema: pa.Schema) -> None:
    """Raise BrokenContract where a column is missing, there twice, or of a type of another kind."""
    for name in COLUMNS:
        places = schema.get_all_field_indices(name)
        if not places and name in NEEDED:
            raise BrokenContract(f"{path}: no column {name}; it has {', '.join(schema.names)}")
        if len(places) > 1:
            raise BrokenContract(f"{path}: {len(places)} columns are named {name}")
        if places and (wanted := _find_fault(name, schema.field(places[0]).type)):
            found = schema.field(places[0]).type
            raise BrokenContract(f"{path}: column {name} is {found}, must be {wanted}")


def find_bad_id(ids_N: AnyArray, vocab_size: int) -> int | None:
    """Return the place of the first id outside the vocabulary, if there is one."""
    if not len(ids_N):
        return None
    signed = ids_N.dtype.kind == "i" and int(ids_N.min()) < 0
    if not signed and int(ids_N.max()) < vocab_size:
        return None
    return int(np.argmax((ids_N < 0) | (ids_N >= vocab_size)))


def find_bad_weight(weights_N: Float32s) -> int | None:
    """Return the place of the first weight that is not finite and ≥ 0, if there is one."""
    bits_N = weights_N.view(np.uint32)
    if not len(bits_N) or bits_N.max() < NOT_FINITE:
        return None
    bad_N = (bits_N >= NOT_FINITE) & (bits_N != MINUS_ZERO)
    return int(np.argmax(bad_N)) if bad_N.any() else None


def _find_fault(name: str, found: pa.DataType) -> str:
    """Return what the type of a column must be, empty where it is that."""
    plain = found.storage_type if isinstance(found, pa.BaseExtensionType) else found
    if name not in LISTS:
        text = plain.value_type if types.is_dictionary(plain) else plain
        fits = _is_one_of(text, TEXT_KINDS)
        return "" if fits else "texts"
    item = plain.value_type if _is_one_of(plain, LIST_KINDS) else None
    if item is not None and types.is_null(item):  # all lists are empty, or hold nulls
        return ""
    if name == "weights":
        fits = item is not None and _is_one_of(item, NUMBER_KINDS)
        return "" if fits else "lists of numbers, one for each token"
    fits = item is not None and types.is_integer(item)
    return "" if fits else "lists of whole numbers, one for each token"


def _is_one_of(kind: pa.DataType, kinds: Kinds) -> bool:
    return any(is_kind(kind) for is_kind in kinds)


def _to_texts(column: pa.Array) -> pa.Array:
    """Return strings: views, dictionaries and whole numbers become them, others stay."""
    if types.is_string(column.type) or types.is_large_string(column.type):
        return column
    if types.is_dictionary(column.type):
        return column.dictionary.cast(pa.large_string()).take(column.indices)
    return column.cast(pa.large_string())


def _cut_lists(column: pa.Array) -> Lists:
    """Return lists without nulls of any kind as offsets from 0, and the values between them."""
    kind = column.type
    if types.is_fixed_size_list(kind):
        return Lists(np.arange(len(column) + 1) * kind.list_size, column.flatten())
    if types.is_list_view(kind) or types.is_large_list_view(kind):
        starts_D, sizes_D = (array.to_numpy() for array in (column.offsets, column.sizes))
        return Lists(to_offsets(sizes_D), column.values.take(expand_ranges(starts_D, sizes_D)))
    offsets_D1 = column.offsets.to_numpy()
    start, stop = (int(offsets_D1[0]), int(offsets_D1[-1])) if len(column) else (0, 0)
    return Lists(offsets_D1 - start, column.values[start:stop])
