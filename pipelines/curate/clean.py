"""Kernel: read one unit, repair it, annotate it, hash it.

Writes the unit's cleaned documents (all of them: whether a rule drops one is a column, so that
nothing has to be read again), the fingerprints that deduplication compares, what evaluation items
were found, and the unit's quarantine.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import pyarrow as pa
import xxhash

from pipelines.contamination.hits import HITS
from pipelines.curate import quarantine
from pipelines.curate.decontaminate import find_items
from pipelines.curate.fingerprint import fingerprint, locate_fingerprints
from pipelines.curate.lost_bytes import LossTally, SliceTally
from pipelines.dedupe.fingerprints import Documents, write_fingerprints
from pipelines.edits.pii import scrub
from pipelines.edits.repair import repair
from pipelines.edits.spans import Edited, compose, to_arrow
from pipelines.edits.symbols import remove_symbol_lines
from pipelines.readers.records import Found, Reject, Skipped, Slice
from pipelines.readers.registry import READERS
from pipelines.rules.batch import Batch
from pipelines.rules.families.contamination import NAME as CONTAMINATION
from pipelines.rules.registry import RULES, annotate, find_failures
from pipelines.settings import CurateSettings, EditSettings, Job
from pipelines.work.summaries import CleanSummary, Rejected
from pipelines.work.units import Unit
from weighting.arrays import Int32s
from weighting.contracts.documents import CONTAMINATED, SPANS, write_table
from weighting.storage.files import replacing

BATCH_CHARS = 4_000_000  # of text held at once; the memory of a worker is some ten times this

CLEANED = pa.schema(
    [
        *(
            pa.field(name, pa.string())
            for name in ("doc_id", "source", "locator", "text", "metadata")
        ),
        pa.field("edits", SPANS),
        pa.field("contaminated", CONTAMINATED),
        pa.field("failed", pa.list_(pa.string())),
        pa.field("language", pa.string()),
        pa.field("judged_as", pa.string()),
        pa.field("chars_in", pa.int64()),
        pa.field("chars", pa.int64()),
        *(pa.field(rule, pa.float64()) for rule in RULES),
    ]
)


class QuarantinedRecord(NamedTuple):
    """A record that could not be read: its fields of the ledger, and its entry in quarantine."""

    row: Rejected
    entry: quarantine.Entry


@dataclass
class Findings:
    """What reading and cleaning a unit finds besides its documents.

    `rejects` are records that could not be read, `skipped` counts stored records that are no
    documents, by kind, `hits` are the evaluation items in its documents (HITS), `left_out` counts
    the fields of its documents that could not be kept, by reason, `losses` the bytes of text that
    could not be read.
    """

    rejects: list[QuarantinedRecord] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    hits: list[pa.Table] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    losses: LossTally = field(default_factory=LossTally)


def clean_unit(unit: Unit, settings: CurateSettings, job: Job) -> None:
    """Write the unit's cleaned documents, fingerprints and quarantine, then mark it done."""
    if job.work.clean.is_done(unit.uid):
        return
    findings = Findings()
    batches = (
        _clean_batch(batch, settings, job, findings)
        for batch in _read_batches(unit, settings, findings)
    )
    write_unit(unit.uid, batches, findings, settings, job)


def write_unit(
    uid: int,
    batches: Iterable[pa.RecordBatch],
    findings: Findings,
    settings: CurateSettings,
    job: Job,
) -> None:
    """Write what the clean step leaves of a unit, then mark it done.

    `batches` are its cleaned documents (CLEANED); drawing the last of them completes `findings`.
    """
    parts: list[Documents] = []
    rows = 0
    with ExitStack() as stack:
        path = stack.enter_context(replacing(job.work.cleaned[uid]))
        writer = stack.enter_context(pa.ipc.new_file(str(path), CLEANED))
        for batch in batches:
            writer.write_batch(batch)
            if settings.dedupe is not None:
                parts.append(fingerprint(batch, rows, settings.dedupe))
            rows += len(batch)
    if settings.dedupe is not None:
        write_fingerprints(locate_fingerprints(job, uid), parts, settings.dedupe.near)
    rejects = findings.rejects
    if any(map(len, findings.hits)):
        hits = pa.concat_tables(findings.hits)
        write_table(job.output("contamination", uid, ".parquet"), hits, HITS)
    if rejects:
        path = job.output("quarantine", uid, ".jsonl.zst")
        quarantine.write(path, [reject.entry for reject in rejects])
    job.work.rejected[uid].write([reject.row for reject in rejects])
    summary = CleanSummary(
        rows + len(rejects), findings.skipped, findings.left_out, findings.losses.summarize()
    )
    job.work.clean.finish(uid, summary)


def name_document(name: str, locator: str) -> bytes:
    """Return the 16 bytes of a document's id: the hash of its file's name and its locator."""
    return xxhash.xxh3_128_digest(f"{name}\0{locator}".encode())


def _read_batches(
    unit: Unit, settings: CurateSettings, findings: Findings
) -> Iterator[list[Found]]:
    """Yield records in batches of about BATCH_CHARS; the rest goes to the findings."""
    batch: list[Found] = []
    chars = 0
    for piece in unit.slices:
        tally = SliceTally(piece)
        for item in READERS[piece.reader].read(piece, settings.read):
            tally.add(item)
            if isinstance(item, Reject):
                entry = quarantine.entry(piece, item)
                findings.rejects.append(QuarantinedRecord(_describe_reject(piece, item), entry))
                continue
            if isinstance(item, Skipped):
                findings.skipped[item.kind] += 1
                continue
            if item.left_out:
                findings.left_out.update(item.left_out)
            batch.append(Found(piece.name, item))
            chars += len(item.text)
            if chars >= BATCH_CHARS:
                yield batch
                batch, chars = [], 0
        findings.losses.add(tally)
    if batch:
        yield batch


def _clean_batch(
    batch: list[Found], settings: CurateSettings, job: Job, findings: Findings
) -> pa.RecordBatch:
    raw = [named.record.text for named in batch]
    early = [_edit_early(text, settings.edit) for text in raw]
    texts = pa.array([edited.text for edited in early], pa.string())
    metadata = pa.array([named.record.metadata for named in batch], pa.string())
    rules = Batch(texts, metadata, settings.rules, settings.edit.line_rules)
    values = dict(annotate(rules))
    texts, spans = _edit_late(rules, [edited.spans for edited in early], settings.edit)
    doc_ids = [name_document(name, record.locator).hex() for name, record in batch]
    items = find_items(doc_ids, texts, settings.contamination, job)
    values[CONTAMINATION] = items.scores_D
    if items.hits is not None:
        findings.hits.append(items.hits)
    columns = {
        "doc_id": doc_ids,
        "source": [record.source for _, record in batch],
        "locator": [f"{name}: {record.locator}" for name, record in batch],
        "text": texts,
        "metadata": metadata,
        "edits": to_arrow(spans),
        "contaminated": items.contaminated_D,
        "failed": find_failures(
            values, settings.bounds, settings.language_bounds, rules.judged_as_D
        ),
        "language": _list_languages(rules),
        "judged_as": rules.judged_as_D,
        "chars_in": [len(text) for text in raw],
        "chars": pa.compute.utf8_length(texts),
        **{rule: pa.array(column, from_pandas=True) for rule, column in values.items()},
    }
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[column.name], column.type) for column in CLEANED], schema=CLEANED
    )


def _edit_early(text: str, settings: EditSettings) -> Edited:
    """Make the edits that come before the rules."""
    edited = repair(text) if settings.repair else Edited(text)
    if not settings.symbol_lines:
        return edited
    shorter = remove_symbol_lines(edited.text)
    return Edited(shorter.text, compose(edited.spans, shorter.spans))


def _edit_late(
    rules: Batch, spans: list[Int32s], settings: EditSettings
) -> tuple[pa.StringArray, list[Int32s]]:
    """Make the edits that come after the rules; return the texts and where they come from."""
    texts = rules.texts_D
    if settings.line_rules:
        cut = rules.line_cut
        texts = cut.texts_D
        spans = [
            compose(before, cut.spans[start:end])
            for before, (start, end) in zip(spans, pairwise(cut.span_offsets), strict=True)
        ]
    if settings.pii:
        scrubbed = [
            scrub(text, settings.pii, rules.settings.compat)[0] for text in texts.to_pylist()
        ]
        texts = pa.array([edited.text for edited in scrubbed], pa.string())
        spans = [
            compose(before, edited.spans) for before, edited in zip(spans, scrubbed, strict=True)
        ]
    return texts, spans


def _list_languages(rules: Batch) -> pa.StringArray:
    if rules.settings.wants("language"):
        return pa.array(rules.languages.labels_D, pa.string())
    return pa.nulls(len(rules.texts_D), pa.string())


def _describe_reject(piece: Slice, reject: Reject) -> Rejected:
    return Rejected(
        doc_id=name_document(piece.name, reject.locator).hex(),
        source=piece.name,
        locator=f"{piece.name}: {reject.locator}",
        rule=reject.error,
    )
