"""Writing a run's manifest, and looking whether what it names is there."""

import math
from collections.abc import Mapping
from pathlib import Path

from flows.run.folder import Run
from flows.run.reference import describe_reference
from pipelines.score.statistics import read_statistics
from pipelines.verify.outputs import list_files
from weighting.contracts.counts import Counts, Replay, SignalFacts
from weighting.contracts.manifest import (
    MANIFEST_NAME,
    FileEntry,
    Manifest,
    TokenizerFacts,
    read_manifest,
    write_manifest,
)
from weighting.contracts.timings import Timings
from weighting.errors import AssayError
from weighting.extensions import list_extensions
from weighting.storage.files import sha256
from weighting.storage.json_records import read_record
from weighting.vocabulary import read_vocabulary

REPLAYS = "replays.json"  # in a run's folder: the outcome of every replay, oldest first


def publish_manifest(
    run: Run,
    counts: Counts,
    versions: Mapping[str, str],
    timings: Timings,
    known: Mapping[str, FileEntry] | None = None,
) -> None:
    """Write the manifest; see `list_files` for `known`."""
    tokenizer = run.folder / "tokenizer.json"
    vocabulary = read_vocabulary(tokenizer)
    write_manifest(
        run.folder,
        Manifest(
            recipe=run.recipe.model_dump(mode="json"),
            inputs=run.claim.inputs,
            counts=counts,
            files=list_files(run.folder, known),
            versions=versions,
            tokenizer=TokenizerFacts(sha256(tokenizer), vocabulary.vocab_size, vocabulary.eos_id),
            extensions=[*list_extensions()],
            timings=timings,
        ),
    )


def describe_signals(run: Run) -> SignalFacts:
    """Return what the manifest says of signals, and of the models that some of them come from."""
    vocabulary = read_vocabulary(run.folder / "tokenizer.json")
    statistics = read_statistics(run.folder, vocabulary.eos_id)
    rare = statistics.facts.rare_surprisal
    return SignalFacts(
        stored=statistics.stored,
        means=dict(statistics.facts.means),
        rare_surprisal=rare if math.isfinite(rare) else None,
        reference=describe_reference(run),
    )


def read_replays(folder: Path) -> list[Replay]:
    """Return the outcomes of a run's replays, oldest first."""
    path = folder / REPLAYS
    return read_record(list[Replay], path) if path.exists() else []


def check_presence(folder: Path) -> None:
    """Raise AssayError where an output of a finished run is gone."""
    for entry in read_manifest(folder).files:
        if not (folder / entry.path).exists():
            raise AssayError(
                f"{folder / entry.path} is named in {MANIFEST_NAME} and missing; "
                "restore it, or run again with --overwrite"
            )
