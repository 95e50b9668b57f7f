"""Scoring: the signals that trained models give for the tokens of any documents.

    nll            loss of the reference, which is the newest checkpoint of a run
    entropy        of its prediction: its own doubt
    excess         loss of the oldest checkpoint that is used, less that of the newest
    change         rise of the line through all their losses (weighting.signals.trajectory)
    context_gain   loss with the nearest tokens only, less that with the whole window
    disagreement   of the reference and the newest checkpoint of a second run (BALD)

All in nats. Each document is scored by itself, its end-of-text token too; the input before its
first token is an end-of-text, as in training. What a target sees is said in
`trainer.data.document_windows`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trainer.data.document_windows import (
    Windows,
    batch_windows,
    cut_windows,
    gather,
    shift_right,
)
from trainer.run import checkpoint
from trainer.scoring.predictions import disagree, predict
from trainer.scoring.reference import ScoringModel, load_scoring_model
from weighting.arrays import AnyArray, Float32s, Int64s
from weighting.errors import AssayError
from weighting.knobs import check_knobs, knob
from weighting.signals.model_settings import ModelSettings
from weighting.signals.trajectory import fit_change
from weighting.storage.files import sha256

# Tokens that a model sees at once, padding included: few fit into a cache, many keep a GPU busy.
BATCH_TOKENS = {"cpu": 2048, "cuda": 65536}


@dataclass(frozen=True)
class ScorerSettings:
    """Which models score, and where."""

    models: ModelSettings
    device: str = knob("auto", "auto is cuda where there is one", choices=("auto", "cpu", "cuda"))
    threads: int = knob(1, "of the CPU", least=1)

    def __post_init__(self) -> None:
        """Raise AssayError where a field is out of its range."""
        check_knobs(self)


@dataclass(frozen=True)
class UsedCheckpoint:
    """A checkpoint that scores, and the checksum of its parameters."""

    step: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class UsedRun:
    """A training run whose checkpoints score: its model, oldest checkpoint first."""

    run: str
    half: str  # of the documents that it was trained on
    architecture: str
    context: int
    parameters: int
    precision: str
    checkpoints: tuple[UsedCheckpoint, ...]


@dataclass(frozen=True, kw_only=True)
class UsedModels(UsedRun):
    """All that the values of a scorer depend on; the fields of `UsedRun` are the reference's."""

    short: int
    second: UsedRun | None
    device: str


@dataclass(frozen=True, eq=False)
class Losses:
    """What one pass over all windows gives: of K checkpoints, oldest first, and the last of them.

    `disagreement_N` is None where there is no second model.
    """

    nll_KxN: Float32s
    entropy_N: Float32s
    disagreement_N: Float32s | None


class Scorer:
    """The models of some settings, loaded; scores any number of batches of documents."""

    def __init__(self, settings: ScorerSettings, tokenizer_sha256: str) -> None:
        """Load the models.

        Raises:
            AssayError: no or too few checkpoints, a damaged one, another tokenizer, a short
                context that is not short, a second model that sees less, or no such device.
        """
        self._settings, wanted = settings, settings.models
        self._models = [
            self._load(path, tokenizer_sha256)
            for path in checkpoint.find_spread(Path(wanted.reference), wanted.checkpoints)
        ]
        self._newest = self._models[-1]
        self._context = self._newest.config.model.context
        self._second = None
        if wanted.second is not None:
            newest = checkpoint.find_newest(Path(wanted.second))
            self._second = self._load(newest, tokenizer_sha256)
        self._check_contexts()

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals that `score` returns, in their order."""
        return self._settings.models.signals

    def check_end(self, eos_id: int) -> None:
        """Check that a model was trained on documents that end as those to be scored do.

        Raises:
            AssayError: they ended with another token of the same tokenizer.
        """
        for one in (*self._models, *([self._second] if self._second else [])):
            if one.eos_id != eos_id:
                raise AssayError(
                    f"{one.path}: trained on documents that end with id {one.eos_id}, and the "
                    f"text's end with {eos_id}; set tokenizer.end_of_text to the former's token"
                )

    def score(self, ids_N: AnyArray, offsets_D1: Int64s, eos_id: int) -> dict[str, Float32s]:
        """Return each signal's values, float32 [N], of D documents that lie one behind the other.

        A document's last token is its end-of-text. Values depend on the given documents only; on
        which others are given with one only by rounding, since they share batches.

        Raises:
            AssayError: an id that a model has no type for.
        """
        self.check_end(eos_id)
        self._check_ids(ids_N, eos_id)
        offsets_D1 = offsets_D1.astype(np.int64)
        inputs_N, targets_N = shift_right(ids_N, offsets_D1, eos_id), ids_N.astype(np.int64)
        with using_threads(self._settings.threads), torch.inference_mode():
            windows = cut_windows(offsets_D1, self._context, max(1, self._context // 2))
            losses = self._measure(windows, inputs_N, targets_N)
            nll_N = losses.nll_KxN[-1]
            values = {"nll": nll_N, "entropy": losses.entropy_N}
            if len(self._models) > 1:
                values["excess"] = losses.nll_KxN[0] - nll_N
                values["change"] = fit_change(losses.nll_KxN, [one.step for one in self._models])
            if self._settings.models.short:
                short_N = self._measure_short(offsets_D1, inputs_N, targets_N, nll_N)
                values["context_gain"] = short_N - nll_N
            if losses.disagreement_N is not None:
                values["disagreement"] = losses.disagreement_N
        return values

    def describe(self) -> UsedModels:
        """Return what the values depend on, for a manifest."""
        wanted = self._settings.models
        return UsedModels(
            **vars(_describe(wanted.reference, self._models)),
            short=wanted.short,
            second=_describe(str(wanted.second), [self._second]) if self._second else None,
            device=self._newest.config.device,
        )

    def _load(self, path: Path, tokenizer_sha256: str) -> ScoringModel:
        device, threads = self._settings.device, self._settings.threads
        return load_scoring_model(path, tokenizer_sha256, device, threads)

    def _measure(self, windows: Windows, inputs_N: Int64s, targets_N: Int64s) -> Losses:
        size = len(targets_N)
        nll_KxN = np.empty((len(self._models), size), np.float32)
        entropy_N = np.empty(size, np.float32)
        disagreement_N = np.empty(size, np.float32) if self._second else None
        for inputs, cells, targets, places_M in self._feed(windows, inputs_N, targets_N):
            for number, model in enumerate(self._models):
                readout = model.read(inputs, cells)
                nll_M, entropy_M = predict(readout, targets)
                nll_KxN[number, places_M] = _fetch(nll_M)
            entropy_N[places_M] = _fetch(entropy_M)
            if self._second and disagreement_N is not None:
                other = self._second.read(inputs, cells)
                disagreement_N[places_M] = _fetch(disagree(readout, other))
        return Losses(nll_KxN, entropy_N, disagreement_N)

    def _measure_short(
        self, offsets_D1: Int64s, inputs_N: Int64s, targets_N: Int64s, nll_N: Float32s
    ) -> Float32s:
        """Return nll_N of targets that see `short` + 1 to 2 x `short` inputs.

        The scheme is that of `trainer.objectives.short_context`. The first 2 x `short` targets of a
        document see the same in either context: theirs is `nll_N` as it is.
        """
        short = self._settings.models.short
        windows = cut_windows(offsets_D1, 2 * short, short)
        later = windows.select(windows.skips_W > 0)
        short_N = nll_N.copy()
        for inputs, cells, targets, places_M in self._feed(later, inputs_N, targets_N):
            short_N[places_M] = _fetch(predict(self._newest.read(inputs, cells), targets)[0])
        return short_N

    def _feed(
        self, windows: Windows, inputs_N: Int64s, targets_N: Int64s
    ) -> Iterator[tuple[Tensor, Tensor, Tensor, Int64s]]:
        """Yield batches on the device: inputs_BxT, cells_M and targets_M, and their places_M."""
        device = self._newest.config.device
        for part in batch_windows(windows, BATCH_TOKENS[device]):
            inputs_BxT, cells_M, places_M = gather(part, inputs_N)
            arrays = (inputs_BxT, cells_M, targets_N[places_M])
            inputs, cells, targets = (torch.from_numpy(array).to(device) for array in arrays)
            yield inputs, cells, targets, places_M

    def _check_contexts(self) -> None:
        wanted, context = self._settings.models, self._context
        short = wanted.short
        if 4 * short > context:
            raise AssayError(
                f"short is {short}: {wanted.reference} sees {context} tokens, of which a "
                f"short context is at most a quarter; give at most {context // 4}"
            )
        if self._second and self._second.config.model.context < context:
            raise AssayError(
                f"{wanted.second}: the second model sees "
                f"{self._second.config.model.context} tokens, the reference {context}; give one "
                "that sees as many, or let them change places"
            )

    def _check_ids(self, ids_N: AnyArray, eos_id: int) -> None:
        largest = int(ids_N.max(initial=eos_id))
        for model in (*self._models, self._second):
            if model and largest >= len(model.head_VxC):
                raise AssayError(
                    f"{model.path}: the model has {len(model.head_VxC)} types, and the text "
                    f"holds id {largest}; give a model of the text's tokenizer"
                )


@contextmanager
def using_threads(threads: int) -> Iterator[None]:
    """Compute with so many CPU threads, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _describe(run: str, models: Sequence[ScoringModel]) -> UsedRun:
    newest = models[-1]
    return UsedRun(
        run=run,
        half=newest.config.half,
        architecture=newest.config.model.architecture,
        context=newest.config.model.context,
        parameters=sum(parameter.numel() for parameter in newest.model.parameters()),
        precision=newest.config.precision,
        checkpoints=tuple(
            UsedCheckpoint(one.step, sha256(one.path / "model.safetensors")) for one in models
        ),
    )


def _fetch(values_M: Tensor) -> Float32s:
    return np.asarray(values_M.cpu().numpy())
