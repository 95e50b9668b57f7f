"""Running both jobs over a corpus, for the tests of whole runs."""

from pathlib import Path

from pipelines.accounts import settle_accounts
from pipelines.curate import curate
from pipelines.encode import Encoder
from pipelines.engine import Engine
from pipelines.rules.gopher import RULES
from pipelines.settings import CurateSettings, Job, WeighSettings
from pipelines.units import plan
from pipelines.vocabulary import train_tokenizer
from pipelines.weigh import weigh
from pipelines.work import Work

OUTPUTS = ("documents", "dropped", "ledger", "shards", "signals", "stats", "tokenizer.json")


def run_jobs(inputs, run: Path, engine: Engine | None = None, target_bytes: int = 4000) -> dict:
    """Curate and weigh `inputs` into `run`; return the counts."""
    engine = engine or Engine()
    planned = plan([str(path) for path in inputs], target_bytes)
    job = Job(run, Work(run / "units"))
    curate(planned.units, CurateSettings(bounds=RULES), job, engine)
    train_tokenizer(sorted((run / "documents").glob("*")), run / "tokenizer.json", 300, 10**6)
    sizes = {unit.uid: sum(piece.size for piece in unit.slices) for unit in planned.units}
    weigh(sizes, WeighSettings(validation_share=0.2), job, engine)
    return settle_accounts(job, Encoder(run / "tokenizer.json"))


def read_bytes(run: Path) -> dict[str, bytes]:
    """Return the bytes of every output file by its path in the run."""
    files = (path for name in OUTPUTS for path in [run / name, *(run / name).glob("*")])
    return {str(path.relative_to(run)): path.read_bytes() for path in files if path.is_file()}
