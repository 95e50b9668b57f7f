"""The weigh job: kept documents in; ledger tokens, signals, weighted token shards out.

    units ─► Tokenize ─┬─ counts ─► sum ──────────────┐ (one vector, as side input)
                       └─ (ids) ─► MergePairs (P) ────┤
    units ────────────────────────► Score ─► raw mass ┴─► Pack ─► shards; mass by type ─► sum

Each step is a barrier: what a token weighs depends on the whole corpus. Only unit numbers and
count vectors travel; tokens and raw weights stay in the units' files.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from apache_beam.pvalue import AsList, AsSingleton, TaggedOutput

from pipelines.arrays import load_array, save_array
from pipelines.encode import Encoder
from pipelines.engine import Engine, run
from pipelines.pack import STAGE as PACK
from pipelines.pack import pack_unit
from pipelines.pairs import merge_partition
from pipelines.progress import Progress
from pipelines.score import STAGE as SCORE
from pipelines.score import Corpus, score_unit
from pipelines.settings import Job, WeighSettings
from pipelines.tokenize import SPLITS, tokenize_unit
from pipelines.tokenize import STAGE as TOKENIZE
from weighting.files import sha256
from weighting.ngrams import estimate_discount
from weighting.policies import Mass

STAGES = (TOKENIZE, SCORE, PACK)
PARTITION_TEXT = 16 * 2**20  # bytes of text whose pairs one partition merges, a few times that
TYPE_COUNTS, TYPE_SUMS = "type_counts", "type_sums"
MASS = struct.Struct("<dddqdddq")  # Mass of train, then of validation


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


@dataclass(frozen=True)
class Shared:
    """What every step of the job needs."""

    settings: WeighSettings
    job: Job
    partitions: int


class WithEncoder(beam.DoFn):
    """A step that needs the run's encoder, loaded once a process."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared

    def setup(self) -> None:
        """Load the encoder."""
        self.encoder = Encoder(self.shared.job.run / "tokenizer.json")


class Tokenize(WithEncoder):
    """Encode a unit; pass its number on and its counts aside."""

    def process(self, uid: int) -> Iterator[Any]:
        """Run the kernel on one unit."""
        counts = tokenize_unit(uid, self.encoder, self.shared.settings, self.shared.job)
        yield TaggedOutput("counts", counts.tobytes())
        yield uid


class MergePairs(WithEncoder):
    """Merge one range of contexts over all units; yield how many pairs occur once and twice."""

    def process(self, partition: int, uids: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Run the kernel on one partition."""
        size, shared = self.encoder.vocab_size, self.shared
        yield merge_partition(partition, shared.partitions, uids, size, shared.job)


class Score(WithEncoder):
    """Score a unit."""

    def process(
        self, uid: int, counts: bytes, seldom: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, bytes]]:
        """Run the kernel on one unit; yield its raw mass by split."""
        shared = self.shared
        corpus = Corpus(
            unpack_rows(counts)[0],
            shared.partitions,
            estimate_discount(*(sum(column) for column in zip(*seldom, strict=True))),
        )
        score_unit(uid, corpus, self.encoder, shared.settings, shared.job)
        mass = shared.job.work.read(SCORE, uid)["mass"]
        yield uid, MASS.pack(*(number for split in SPLITS for number in mass[split]))


class Pack(WithEncoder):
    """Write a unit's shards; yield weight mass and gain by type, int64 [2, V] of 2^-20."""

    def process(self, uid: int, masses: Sequence[tuple[int, bytes]]) -> Iterator[bytes]:
        """Run the kernel on one unit, given the raw mass of all."""
        shared = self.shared
        tokenizer_hash = sha256(shared.job.run / "tokenizer.json")
        sums = add_masses(masses)
        mass_V = pack_unit(uid, sums, tokenizer_hash, self.encoder, shared.settings, shared.job)
        gain_V = load_array(shared.job.work.path("gain", uid, ".npy"))
        yield np.stack([mass_V, gain_V]).tobytes()


def weigh(
    sizes: Mapping[int, int],
    settings: WeighSettings,
    job: Job,
    engine: Engine,
    progress: Progress | None = None,
) -> None:
    """Run the weigh job over units given with the bytes of text of each.

    RUN/tokenizer.json must be there. Units finished by an earlier run are skipped.
    """
    partitions = max(1, sum(sizes.values()) // PARTITION_TEXT)
    shared = Shared(settings, job, partitions)

    def build(pipeline: beam.Pipeline) -> None:
        _build(pipeline, sorted(sizes, key=lambda uid: -sizes[uid]), shared)

    if progress is None:
        run(engine, build)
    else:
        with progress.watch(job.work, STAGES, sizes, "tokens") as tick:
            run(engine, build, tick)


def add_masses(masses: Sequence[tuple[int, bytes]]) -> dict[str, Mass]:
    """Return the mass of each split; summed exactly, so in any order the same."""
    columns = list(zip(*(MASS.unpack(packed) for _, packed in masses), strict=True))
    sums = {}
    for split, part in zip(SPLITS, (columns[:4], columns[4:]), strict=True):
        raw, factor, damped = map(math.fsum, part[:3])
        sums[split] = Mass(raw, factor, damped, sum(part[3]))
    return sums


def unpack_rows(packed: bytes) -> npt.NDArray[np.int64]:
    """Return two rows of V numbers (train and validation counts, or mass and gain)."""
    return np.frombuffer(packed, np.int64).reshape(2, -1)


def _build(pipeline: beam.Pipeline, uids: Sequence[int], shared: Shared) -> None:
    """Wire the graph."""
    tokenized = (
        pipeline
        | "Units" >> beam.Create(uids)
        | "Tokenize" >> beam.ParDo(Tokenize(shared)).with_outputs("counts", main="uids")
    )
    done = tokenized.uids
    counts = tokenized.counts | "SumCounts" >> beam.CombineGlobally(SumVectors())
    _ = counts | "SaveCounts" >> beam.Map(_save, shared.job, TYPE_COUNTS)
    seldom = (
        pipeline
        | "Partitions" >> beam.Create(range(shared.partitions))
        | "MergePairs" >> beam.ParDo(MergePairs(shared), AsList(done))
    )
    masses = done | "Score" >> beam.ParDo(Score(shared), AsSingleton(counts), AsList(seldom))
    packed = done | "Pack" >> beam.ParDo(Pack(shared), AsList(masses))
    sums = packed | "SumTypes" >> beam.CombineGlobally(SumVectors())
    _ = sums | "SaveSums" >> beam.Map(_save, shared.job, TYPE_SUMS)


def _save(packed: bytes, job: Job, name: str) -> None:
    save_array(job.work.path(name, 0, ".npy"), unpack_rows(packed))
