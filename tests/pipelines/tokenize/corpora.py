"""Units of documents with their tokenizer and ledger, as the curate stage leaves them."""

import pyarrow as pa

from pipelines.curate.write_documents import LEDGER
from pipelines.settings import Job
from pipelines.tokenize.tokenizer import train_tokenizer
from pipelines.work.folder import WorkFolder
from weighting.contracts.documents import DOCUMENTS, write_table

NOTHING = {"source": "s", "metadata": "{}", "edits": [], "passages": [], "contaminated": []}


def name(number):
    """A document's id, its first and its last eight digits spread over all there are."""
    digits = f"{(number + 1) * 0x9E3779B1 % 2**32:08x}"
    return f"{digits}{number:016x}{digits[::-1]}"


def write_unit(job: Job, uid: int, kept, dropped=(), **columns) -> None:
    """Write the documents, given as texts, and the ledger of a unit.

    `columns` give the kept documents other values than NOTHING.
    """
    numbers = iter(range(1000 * uid, 1000 * uid + 1000))
    ledger = []
    for folder, verdict, texts in (("documents", "kept", kept), ("dropped", "dropped", dropped)):
        rows = []
        for at, text in enumerate(texts):
            doc_id = name(next(numbers))
            own = {key: values[at] for key, values in columns.items()} if verdict == "kept" else {}
            place = {"doc_id": doc_id, "source": "s", "locator": f"a.jsonl: {doc_id}"}
            rows.append({**NOTHING, **place, "text": text, **own})
            ledger.append(place | {"verdict": verdict, "failed": [], "chars": len(text)})
            ledger[-1] |= {"chars_in": len(text), "rule": None}
        path = job.output(folder, uid, ".parquet")
        write_table(path, pa.Table.from_pylist(rows, schema=DOCUMENTS), DOCUMENTS)
    table = pa.Table.from_pylist(ledger, schema=LEDGER)
    write_table(job.output("ledger", uid, ".parquet"), table, LEDGER)


def make_job(folder, units) -> Job:
    """Return a run of units, given as texts, with a tokenizer of 270 types."""
    job = Job(folder, WorkFolder(folder / "units"))
    for uid, texts in enumerate(units):
        write_unit(job, uid, texts)
    documents = sorted((folder / "documents").iterdir())
    train_tokenizer(documents, folder / "tokenizer.json", 270, 10**6)
    return job
