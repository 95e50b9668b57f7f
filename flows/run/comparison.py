"""The comparison that a run ends in: plain against weighted next-token training on its shards."""

from pathlib import Path

from rich.console import Console

from flows.run.session import telling_steps
from pipelines.engine.progress import Tell
from trainer.compare.ablate import ablate
from trainer.compare.planning import AblationConfig
from trainer.compare.results import AblationResults
from trainer.config.schema import ModelConfig, TrainConfig
from trainer.display.progress import counting_steps
from trainer.display.results_formats import write_table
from weighting.visible import show_line

EVAL_TOKENS = 32_768  # of the validation split, at each evaluation
BATCH = 4  # windows; at the few tokens of a demo, more and smaller updates learn more
# Up to two million tokens an LSTM learns more than a GPT of its size, in less time (lab notes).
MODEL = ModelConfig(architecture="lstm", layers=2, width=160)
OPTIMIZER, RATE = "adamw", 8e-3


def plan_comparison(folder: Path, steps: int, seeds: int, jobs: int) -> AblationConfig:
    """Return the comparison of plain with weighted training on a run's shards."""
    base = TrainConfig(
        shards=str(folder / "shards"),
        steps=steps,
        warmup=steps // 10,
        optimizer=OPTIMIZER,
        lr=RATE,
        batch=BATCH,
        eval_every=max(1, steps // 5),
        save_every=steps,
        eval_tokens=EVAL_TOKENS,
        model=MODEL,
    )
    out = folder / "ablations" / "objectives"
    return AblationConfig(out=out, base=base, seeds=tuple(range(seeds)), jobs=jobs)


def compare_objectives(
    config: AblationConfig, console: Console, tell: Tell | None = None
) -> AblationResults:
    """Train the arms, print the table, return the results; finished runs are not repeated.

    Runs without a result are named in the table: see `trainer.compare.ablate.check_complete`.
    `tell` takes lines of progress for another log.
    """

    def warn(line: str) -> None:
        console.print(f"warning: {show_line(line)}", markup=False, highlight=False)

    with counting_steps() as progress:
        results = ablate(config, telling_steps(progress, tell), warn)
    text = write_table(results, console.width if console.file.isatty() else None)
    console.print(text, markup=False, highlight=False, soft_wrap=True, end="")
    return results
