"""The reference: the model whose losses score the tokens, trained by the run or named."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flows.run.folder import REFERENCE, Run
from flows.run.session import Session, telling_steps
from pipelines.score.reference_documents import count_halves, locate_shards, write_cleanest
from weighting.contracts.splits import TRAIN, VALIDATION, WHOLE
from weighting.errors import AssayError
from weighting.storage.files import read_json, sha256, write_json
from weighting.storage.json_records import to_json
from weighting.vocabulary import read_vocabulary

STORY = "documents.json"  # in RUN/reference: what the model was trained on


def train_reference(run: Run, session: Session) -> None:
    """Train a model on the cleanest documents, or one on each half of them.

    Killed, each goes on from its last checkpoint; one that is finished stays as it is.

    Raises:
        AssayError: no document is clean enough, or none of a half, or validation is empty.
    """
    choose_documents(run, session)
    check_splits(locate_shards(run.job))
    check_halves(read_json(run.folder / REFERENCE / STORY).get("halves", {}))
    for half in run.trained:
        train_on(half, run, session)


def choose_documents(run: Run, session: Session) -> None:
    """Choose what is trained on, and write its story, unless that is done."""
    table, tokenizer = run.recipe.reference, run.folder / "tokenizer.json"
    story = run.folder / REFERENCE / STORY
    if story.exists():
        return
    with session.console.status("choosing the cleanest documents"):
        uids = sorted(run.sizes())
        chosen = write_cleanest(
            uids, table.share, read_vocabulary(tokenizer), sha256(tokenizer), run.job
        )
        halves = count_halves(run.job) if table.halves else {}
        told = {"halves": halves} if halves else {}
        write_json(story, {"share": table.share, **chosen, **told})


def train_on(half: str, run: Run, session: Session) -> None:
    """Train the reference of a half, or of the whole."""
    from trainer.display.progress import counting_steps  # with torch, for runs with models
    from trainer.run.train import train

    # Absolute: training goes on only with the same paths, from whatever folder the command runs.
    shards = locate_shards(run.job).absolute()
    config = replace(
        run.recipe.reference.config(),
        shards=str(shards),
        tokenizer=str((run.folder / "tokenizer.json").absolute()),
        half=half,
    )
    label = "" if half == WHOLE else f"half {half}"
    with counting_steps(label) as progress:
        both = telling_steps(progress, session.tell, f"training {label}".strip())
        train(config, run.trained[half], lambda row: both(row.step, config.steps))


def check_splits(shards: Path) -> None:
    """Raise AssayError where there is nothing to train on, or nothing to watch the training on."""
    for split, key in ((TRAIN, "reference.share"), (VALIDATION, "split.validation")):
        if not any(shards.glob(f"{split}-*")):
            raise AssayError(f"no {split} document to train the reference on; raise {key}")


def check_halves(halves: Mapping[str, Mapping[str, int]]) -> None:
    """Raise AssayError where a half that a reference is to be trained on has no document."""
    for half, counts in halves.items():
        if not counts["documents"]:
            raise AssayError(
                f"no document of half {half} to train a reference on; raise reference.share"
            )


def describe_reference(run: Run) -> dict[str, Any] | None:
    """Return the manifest's entry on the models that scored tokens; None where none did."""
    settings = run.score_settings().model
    if settings is None:
        return None
    from pipelines.score.model_scorer import describe_models  # with torch, for runs with models

    story = run.folder / REFERENCE / STORY
    trained_on = read_json(story) if story.exists() else None
    tokenizer = run.folder / "tokenizer.json"
    eos_id = read_vocabulary(tokenizer).eos_id
    models = [to_json(one) for one in describe_models(settings, sha256(tokenizer), eos_id)]
    if trained_on is not None:
        for one, folder in zip(models, run.trained.values(), strict=True):
            one["model"] = folder.relative_to(run.folder).as_posix()
    first, *others = models
    return {**first, **({"other": others[0]} if others else {}), "trained_on": trained_on}
