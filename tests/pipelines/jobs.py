"""Running all jobs over a corpus, for the tests of whole runs."""

from pathlib import Path
from typing import NamedTuple

from pipelines.curate.job import curate
from pipelines.engine.runner import Engine
from pipelines.rules.own_rules import GOPHER_QUALITY as RULES
from pipelines.rules.rule import list_bounds
from pipelines.score.job import score
from pipelines.score.score_unit import locate_sidecars
from pipelines.score.statistics import write_signal_stats
from pipelines.settings import CurateSettings, Job, ScoreSettings, WeighSettings
from pipelines.tokenize.job import count
from pipelines.tokenize.tokenizer import train_tokenizer
from pipelines.verify.ledger import verify_records
from pipelines.verify.weights import verify_weights
from pipelines.weigh.job import weigh
from pipelines.work.folder import WorkFolder
from pipelines.work.units import plan
from weighting.contracts.counts import DocumentCounts, WeightCounts
from weighting.signals.model_settings import ModelSettings
from weighting.vocabulary import read_vocabulary


class RunCounts(NamedTuple):
    """What became of the records, and of the weight."""

    documents: DocumentCounts
    weights: WeightCounts


OUTPUTS = ("documents", "dropped", "ledger", "shards", "signals", "stats", "tokenizer.json")


def run_jobs(
    inputs,
    run: Path,
    engine: Engine | None = None,
    target_bytes: int = 4000,
    weights: WeighSettings | None = None,
    model: ModelSettings | None = None,
) -> RunCounts:
    """Curate and weigh `inputs` into `run`; return the counts."""
    engine, weights = engine or Engine(), weights or WeighSettings()
    planned = plan([str(path) for path in inputs], target_bytes)
    job = Job(run, WorkFolder(run / "units"))
    curate(planned.units, CurateSettings(bounds=list_bounds(RULES)), job, engine)
    train_tokenizer(sorted((run / "documents").glob("*")), run / "tokenizer.json", 300, 10**6)
    sizes = {unit.uid: sum(piece.size for piece in unit.slices) for unit in planned.units}
    signals = ScoreSettings(validation_share=0.2, order=3, model=model)
    count(sizes, signals, job, engine)
    score(sizes, signals, job, engine)
    write_signal_stats(job, read_vocabulary(run / "tokenizer.json"))
    documents = verify_records(job)
    return RunCounts(documents, weigh_job(sizes, weights, job, engine, documents))


def weigh_job(
    sizes, weights: WeighSettings, job: Job, engine: Engine, documents: DocumentCounts
) -> WeightCounts:
    """Weigh the sidecars of a run; return the counts."""
    weigh(sizes, weights, locate_sidecars(job, keep=True), job, engine)
    return verify_weights(job, weights, documents)


def read_bytes(run: Path) -> dict[str, bytes]:
    """Return the bytes of every output file by its path in the run."""
    files = (path for name in OUTPUTS for path in [run / name, *(run / name).glob("*")])
    return {str(path.relative_to(run)): path.read_bytes() for path in files if path.is_file()}
