"""Scoring: the signals that trained models give for the tokens of any documents.

    nll            loss of the reference; of a training run, of its newest checkpoint
    entropy        of its prediction: its own doubt
    excess         loss of the oldest checkpoint or weakest model, less that of the reference
    change         rise of the line through all their losses (weighting.signals.trajectory)
    context_gain   loss with the nearest tokens only, less that with the whole window
    disagreement   of the reference and a second model of its tokenizer (BALD)

All in nats. Each document is scored by itself, its end-of-text token too; the input before its
first token is an end-of-text, as in training. What a target sees is said in
`trainer.data.document_windows`. What a model of others makes of its own tokens is carried to the
run's before signals are formed (`trainer.scoring.carrier`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from trainer.scoring.carrier import Carrier, ModelTokenizer, Stream
from trainer.scoring.measuring import Measured, measure
from trainer.scoring.models import AnyModel, load_models
from trainer.scoring.used import UsedModels
from weighting.arrays import AnyArray, Float32s, Int64s
from weighting.knobs import check_knobs, knob
from weighting.signals.model_settings import ModelSettings
from weighting.signals.trajectory import fit_change


@dataclass(frozen=True)
class ScorerSettings:
    """Which models score, and where."""

    models: ModelSettings
    device: str = knob("auto", "auto is cuda where there is one", choices=("auto", "cpu", "cuda"))
    threads: int = knob(1, "of the CPU", least=1)

    def __post_init__(self) -> None:
        """Raise AssayError where a field is out of its range."""
        check_knobs(self)


class Scorer:
    """The models of some settings, loaded; scores any number of batches of documents."""

    def __init__(self, settings: ScorerSettings, tokenizer_sha256: str) -> None:
        """Load the models for the ids of a run's tokenizer.

        Raises:
            AssayError: as `load_models`.
        """
        self._settings = settings
        with using_threads(settings.threads):
            self.models = load_models(
                settings.models, tokenizer_sha256, settings.device, settings.threads
            )

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals that `score` returns, in their order."""
        return self._settings.models.signals

    @property
    def tokenizers(self) -> Mapping[str, ModelTokenizer]:
        """The tokenizers of models of others, by SHA-256: those that a carrier must know."""
        return self.models.tokenizers

    def check_end(self, eos_id: int) -> None:
        """Raise AssayError where a training run's documents ended with another token."""
        self.models.check_end(eos_id)

    def describe(self) -> UsedModels:
        """Return what the values depend on, for a manifest."""
        return self.models.describe()

    def score(
        self, ids_N: AnyArray, offsets_D1: Int64s, eos_id: int, carrier: Carrier | None = None
    ) -> dict[str, Float32s]:
        """Return each signal's values, float32 [N], of D documents that lie one behind the other.

        A document's last token is its end-of-text. Values depend on the given documents only; on
        which others are given with one only by rounding, since they share batches. Models of
        others need a carrier of the same documents.

        Raises:
            AssayError: an id that an own model has no type for.
        """
        models, short = self.models, self._settings.models.short
        models.check_end(eos_id)
        models.check_ids(ids_N, eos_id)
        own = Stream(ids_N, offsets_D1.astype(np.int64), eos_id)
        with using_threads(self._settings.threads), torch.inference_mode():
            earlier = [_measure(one, own, carrier).nll_N for one in models.earlier]
            read = _measure(models.reference, own, carrier, short, models.second)
        values = {"nll": read.nll_N, "entropy": read.entropy_N}
        if earlier:
            values["excess"] = earlier[0] - read.nll_N
            values["change"] = fit_change(np.stack([*earlier, read.nll_N]), models.steps)
        if read.short_N is not None:
            values["context_gain"] = read.short_N - read.nll_N
        if read.disagreement_N is not None:
            values["disagreement"] = read.disagreement_N
        return {name: np.asarray(signal_N, np.float32) for name, signal_N in values.items()}


@contextmanager
def using_threads(threads: int) -> Iterator[None]:
    """Compute with so many CPU threads, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _measure(
    model: AnyModel,
    own: Stream,
    carrier: Carrier | None,
    short: int = 0,
    second: AnyModel | None = None,
) -> Measured:
    """Return what a model makes of the run's tokens; of its own tokens' values, what is carried."""
    if model.tokenizer is None:
        return measure(model, own, short, second)
    assert carrier is not None, "models of others need the texts"
    carry = partial(carrier.carry, model.tokenizer)
    measured = measure(model, carrier.stream(model.tokenizer), short, second)
    return Measured(
        carry(measured.nll_N),
        carry(measured.entropy_N),
        None if measured.short_N is None else carry(measured.short_N),
        None if measured.disagreement_N is None else carry(measured.disagreement_N),
    )
