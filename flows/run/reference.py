"""The reference: the model whose losses score the tokens, trained by the run or named."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from flows.run.folder import Run
from flows.run.session import Session, telling_steps
from pipelines.score.reference_documents import locate_shards, write_cleanest
from weighting.contracts.splits import TRAIN, VALIDATION
from weighting.errors import AssayError
from weighting.storage.files import read_json, sha256, write_json
from weighting.storage.json_records import to_json
from weighting.vocabulary import read_vocabulary

STORY = "documents.json"  # in RUN/reference: what the model was trained on


def train_reference(run: Run, session: Session) -> None:
    """Train a model on the cleanest documents; killed, it goes on from its last checkpoint.

    Raises:
        AssayError: no document is clean enough, or the validation split is empty.
    """
    from trainer.display.progress import counting_steps  # with torch, for runs with models
    from trainer.run.train import train

    table, tokenizer = run.recipe.reference, (run.folder / "tokenizer.json").absolute()
    story = run.folder / "reference" / STORY
    if not story.exists():
        with session.console.status("choosing the cleanest documents"):
            uids = sorted(run.sizes())
            chosen = write_cleanest(
                uids, table.share, read_vocabulary(tokenizer), sha256(tokenizer), run.job
            )
            write_json(story, {"share": table.share, **chosen})
    # Absolute: training goes on only with the same paths, from whatever folder the command runs.
    shards = locate_shards(run.job).absolute()
    check_splits(shards)
    config = replace(table.config(), shards=str(shards), tokenizer=str(tokenizer))
    with counting_steps() as progress:
        both = telling_steps(progress, session.tell)
        train(config, run.trained, lambda row: both(row.step, config.steps))


def check_splits(shards: Path) -> None:
    """Raise AssayError where there is nothing to train on, or nothing to watch the training on."""
    for split, key in ((TRAIN, "reference.share"), (VALIDATION, "split.validation")):
        if not any(shards.glob(f"{split}-*")):
            raise AssayError(f"no {split} document to train the reference on; raise {key}")


def describe_reference(run: Run) -> dict[str, Any] | None:
    """Return the manifest's entry on the models that scored tokens; None where none did."""
    settings = run.score_settings().model
    if settings is None:
        return None
    from pipelines.score.model_scorer import describe_models  # with torch, for runs with models

    story = run.folder / "reference" / STORY
    trained_on = read_json(story) if story.exists() else None
    tokenizer = run.folder / "tokenizer.json"
    eos_id = read_vocabulary(tokenizer).eos_id
    models = to_json(describe_models(settings, sha256(tokenizer), eos_id))
    if trained_on is not None:
        models["run"] = run.trained.relative_to(run.folder).as_posix()
    return {**models, "trained_on": trained_on}
