"""What scoring by models costs, told before it begins: forward passes, and how long they take.

The first time nothing is known but the bytes of the inputs; the second time, when tokenizing is
done, every document's size. A model's speed is that of a probe on this machine.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from flows.report.figures import show_seconds
from flows.run.folder import Run
from flows.visible import shorten_path, show
from pipelines.score.model_scorer import load_scorers
from pipelines.tokenize.tokens import load_tokens
from trainer.scoring.cost import Passes, plan_passes
from weighting.signals.model_settings import ModelSettings
from weighting.storage.files import sha256

TOKEN_BYTES = 4  # of English prose, about
TYPICAL = 1000  # tokens of a document, as long as none is known


def estimate_passes(settings: ModelSettings, tokenizer_sha256: str) -> list[Passes]:
    """Return what models will read of documents of typical sizes.

    Raises:
        AssayError: as `load_scorers`.
    """
    models = load_scorers(settings, tokenizer_sha256)[0].models
    return plan_passes(models, np.array([TYPICAL]))


def describe_estimate(passes: Sequence[Passes], text_bytes: int) -> Iterator[str]:
    """Yield what scoring inputs of so many bytes will cost, a line each."""
    tokens = text_bytes // TOKEN_BYTES
    yield from _describe_passes(passes)
    if passes:
        yield (
            f"scoring about {tokens:,} tokens takes one process {_tell(passes, tokens, 1)}; "
            "estimated from the bytes of the inputs, before cleaning"
        )


def describe_cost(run: Run, settings: ModelSettings, workers: int) -> Iterator[str]:
    """Yield what scoring the tokens of a run costs, a line each; its documents are tokenized."""
    models = load_scorers(settings, sha256(run.folder / "tokenizer.json"))[0].models
    sizes = [np.diff(load_tokens(run.job, uid).offsets_D1) for uid in run.sizes()]
    sizes_D = np.concatenate([*sizes, np.zeros(0, np.int64)])
    passes, tokens = plan_passes(models, sizes_D), int(sizes_D.sum())
    yield from _describe_passes(passes)
    yield (
        f"scoring {tokens:,} tokens of {len(sizes_D):,} documents takes "
        f"{workers:,} process{'es' * (workers > 1)} {_tell(passes, tokens, workers)}"
    )


def _describe_passes(passes: Sequence[Passes]) -> Iterator[str]:
    for one in passes:
        yield (
            f"{show(shorten_path(one.model))}: {one.passes:.3g} forward passes a token for "
            f"{', '.join(one.signals)}; {one.speed:,.0f} a second here"
        )


def _tell(passes: Sequence[Passes], tokens: int, workers: int) -> str:
    seconds = sum(one.seconds(tokens, workers) for one in passes)
    return f"about {show_seconds(seconds)}"
