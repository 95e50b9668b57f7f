"""What the Beam graphs share: the step that runs a kernel, sums of vectors, progress."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import apache_beam as beam
import numpy as np

from pipelines.engine.codec import decode, decode_vector, encode
from pipelines.engine.permit import Permit
from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine, run
from pipelines.work.files import ArrayFile, Step
from weighting.arrays import Int64s


class OverUnits(beam.DoFn):
    """Run a kernel on every element: the number of a unit or range, or a packed unit.

    The kernel gets the element, then what `load` returns, made once a process, then what earlier
    steps found, unpacked (`kinds`; see `pipelines.engine.codec`). What it returns goes on; where it
    returns nothing, the element does, for the next step to wait for. Workers of a job service do
    that under a permit, which `pipelines.engine.runner` gives them.
    """

    permit: Permit | None = None

    def __init__(
        self,
        kernel: Callable[..., Any],
        *kinds: type,
        load: Callable[[], object] | None = None,
    ) -> None:
        self._kernel, self._kinds, self._load = kernel, kinds, load

    def setup(self) -> None:
        """Make what the kernel needs beside its element."""
        self._loaded = () if self._load is None else (self._load(),)

    def process(self, element: Any, *found: Any) -> Iterator[int | bytes]:  # noqa: ANN401
        """Run the kernel on one element. What was found beyond `kinds` is only waited for."""
        values = [decode(kind, one) for kind, one in zip(self._kinds, found, strict=False)]
        with self.permit.hold() if self.permit else nullcontext():
            result = self._kernel(element, *self._loaded, *values)
        yield encode(element if result is None else result)


class SumVectors(beam.CombineFn):
    """Sum int64 vectors, which travel as bytes. Exact, so any order gives the same."""

    def create_accumulator(self) -> bytes:
        """Return nothing summed yet."""
        return b""

    def add_input(self, accumulator: bytes, element: bytes) -> bytes:
        """Add one vector."""
        return self.merge_accumulators([accumulator, element])

    def merge_accumulators(self, accumulators: Iterable[bytes]) -> bytes:
        """Add up vectors of one length; empty ones count as zero."""
        vectors = [decode_vector(item) for item in accumulators if item]
        return np.sum(vectors, axis=0, dtype=np.int64).tobytes() if vectors else b""

    def extract_output(self, accumulator: bytes) -> bytes:
        """Return the sum."""
        return accumulator


def run_watched(
    engine: Engine,
    build: Callable[[beam.Pipeline, Sequence[int]], object],
    step: Step[Any],
    sizes: Mapping[int, int],
    progress: Progress | None,
) -> None:
    """Run a graph over units given with their bytes of text; show how far `step` is.

    `build` gets their numbers, the largest first: then none of them ends long after the others.
    """
    uids = sorted(sizes, key=lambda uid: -sizes[uid])

    def wire(pipeline: beam.Pipeline) -> None:
        build(pipeline, uids)

    if progress is None:
        run(engine, wire)
        return
    with progress.watch((step,), sizes, "tokens") as tick:
        run(engine, wire, tick)


def save_rows(rows: int, file: ArrayFile[Int64s]) -> Callable[[bytes], int]:
    """Return the function that writes a sum of vectors as int64 [rows, V], and returns `rows`.

    Not one function with three arguments: Beam checks annotations, and refuses generic ones.
    """

    def save(packed: bytes) -> int:
        file.save(decode_vector(packed).reshape(rows, -1))
        return rows

    return save
