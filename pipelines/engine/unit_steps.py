"""What the Beam graphs over tokens share: a step with an encoder, sums of vectors, progress."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np

from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine, run
from pipelines.settings import Job
from pipelines.tokenize.encoder import Encoder
from pipelines.work.files import ArrayFile, Step
from weighting.arrays import Int64s


class WithEncoder(beam.DoFn):
    """A step that needs the run's encoder, loaded once a process."""

    def __init__(self, settings: Any, job: Job) -> None:  # noqa: ANN401 - those of the step's job
        self.settings, self.job = settings, job

    def setup(self) -> None:
        """Load the encoder."""
        self.encoder = Encoder(self.job.run / "tokenizer.json")


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
        vectors = [np.frombuffer(item, np.int64) for item in accumulators if item]
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


def save_rows(rows: int, file: ArrayFile[Int64s]) -> Callable[[bytes], None]:
    """Return the function that writes a sum of vectors as int64 [rows, V]."""

    def save(packed: bytes) -> None:
        file.save(np.frombuffer(packed, np.int64).reshape(rows, -1))

    return save
