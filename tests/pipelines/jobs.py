"""Running all jobs over a corpus, for the tests of whole runs."""

from pathlib import Path

from pipelines.accounts import settle_accounts
from pipelines.count import count
from pipelines.curate import curate
from pipelines.encode import Encoder
from pipelines.engine import Engine
from pipelines.rules.gopher import RULES
from pipelines.score import score
from pipelines.settings import CurateSettings, Job, ModelSettings, ScoreSettings, WeighSettings
from pipelines.signal_stats import write_signal_stats
from pipelines.signals import locate_sidecars
from pipelines.units import plan
from pipelines.vocabulary import train_tokenizer
from pipelines.weigh import weigh
from pipelines.weight_accounts import settle_weights
from pipelines.work import Work

OUTPUTS = ("documents", "dropped", "ledger", "shards", "signals", "stats", "tokenizer.json")


def run_jobs(
    inputs,
    run: Path,
    engine: Engine | None = None,
    target_bytes: int = 4000,
    weights: WeighSettings | None = None,
    model: ModelSettings | None = None,
) -> dict:
    """Curate and weigh `inputs` into `run`; return the counts."""
    engine, weights = engine or Engine(), weights or WeighSettings()
    planned = plan([str(path) for path in inputs], target_bytes)
    job = Job(run, Work(run / "units"))
    curate(planned.units, CurateSettings(bounds=RULES), job, engine)
    train_tokenizer(sorted((run / "documents").glob("*")), run / "tokenizer.json", 300, 10**6)
    sizes = {unit.uid: sum(piece.size for piece in unit.slices) for unit in planned.units}
    signals = ScoreSettings(validation_share=0.2, order=3, model=model)
    count(sizes, signals, job, engine)
    score(sizes, signals, job, engine)
    write_signal_stats(job, Encoder(run / "tokenizer.json"))
    counts = settle_accounts(job)
    return counts | weigh_job(sizes, weights, job, engine, counts["funnel"])


def weigh_job(sizes, weights: WeighSettings, job: Job, engine: Engine, funnel: dict) -> dict:
    """Weigh the sidecars of a run; return the counts."""
    weigh(sizes, weights, locate_sidecars(job, keep=True), job, engine)
    return settle_weights(job, weights, funnel)


def read_bytes(run: Path) -> dict[str, bytes]:
    """Return the bytes of every output file by its path in the run."""
    files = (path for name in OUTPUTS for path in [run / name, *(run / name).glob("*")])
    return {str(path.relative_to(run)): path.read_bytes() for path in files if path.is_file()}
