"""From a batch to the losses of its tokens: the model, the objective, and what that reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import Tensor

from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.data.loader import IGNORED, Batch
from trainer.machine.process_group import Ranks
from trainer.machine.resources import autocast
from trainer.models.language_model import LanguageModel
from trainer.objectives.chunked import weighted_cross_entropy
from trainer.objectives.registry import load_objectives
from trainer.objectives.short_context import short_context_nll
from trainer.objectives.tokens import Tokens, token_entropy, token_nll
from trainer.objectives.type_statistics import TypeStatistics
from weighting.errors import AssayError

# (inputs_BxT, documents_BxT, targets_BxT) -> nll_BxT, and entropy_BxT where it is read
Measure = Callable[[Tensor, Tensor | None, Tensor], tuple[Tensor, Tensor | None]]
Encode = Callable[[Tensor, Tensor | None], Tensor]
Function = TypeVar("Function", bound=Callable[..., object])


@dataclass(frozen=True)
class Losses:
    """The losses of one batch. `terms_BxT` sum to the objective before it is normalised."""

    loss: Tensor  # terms over targets of the global batch: its gradients add up over processes
    nll_BxT: Tensor  # detached, plain
    terms_BxT: Tensor  # detached


@dataclass(frozen=True)
class LossFunction:
    """What a config computes of a batch; made once a run by `build_loss_function`."""

    config: ResolvedConfig
    objective: Callable[[Tokens], Tensor]  # -> terms_BxT
    model: LanguageModel
    measure: Measure
    encode: Encode
    reference: Measure | None
    ranks: Ranks

    def __call__(self, batch: Batch, count: int, types: TypeStatistics | None) -> Losses:
        """Return the losses of a batch on the device; `count` is the global batch's targets."""
        return (self._chunked if self.config.ce_chunk else self._whole)(batch, count, types)

    def _whole(self, batch: Batch, count: int, types: TypeStatistics | None) -> Losses:
        nll, entropy = self.measure(batch.inputs_BxT, batch.documents_BxT, batch.targets_BxT)
        terms = self._apply(batch, nll, entropy, count, types)
        return Losses(terms.sum() / count, nll.detach(), terms.detach())

    def _chunked(self, batch: Batch, count: int, types: TypeStatistics | None) -> Losses:
        live = (batch.targets_BxT != IGNORED).float()
        weights = self._apply(batch, live, None, count, types)
        with autocast(self.config):
            hidden = self.encode(batch.inputs_BxT, batch.documents_BxT)
            loss, nll_N = weighted_cross_entropy(
                hidden.flatten(0, 1),
                self.model.head.weight,
                batch.targets_BxT.flatten(),
                weights.flatten(),
                float(count),
                self.config.ce_chunk,
            )
        nll = nll_N.view_as(weights)
        return Losses(loss, nll, nll * weights)

    def _apply(
        self,
        batch: Batch,
        nll: Tensor,
        entropy: Tensor | None,
        count: int,
        types: TypeStatistics | None,
    ) -> Tensor:
        return self.objective(
            Tokens(
                nll_BxT=nll,
                targets_BxT=batch.targets_BxT,
                weights_BxT=batch.weights_BxT,
                count=count,
                settings=self.config.objectives,
                entropy_BxT=entropy,
                reference_BxT=self._measure_reference(batch),
                short_BxT=self._measure_short(batch),
                types=types,
                ranks=self.ranks,
            )
        )

    @torch.no_grad()
    def _measure_reference(self, batch: Batch) -> Tensor | None:
        if self.reference is None:
            return None
        return self.reference(batch.inputs_BxT, batch.documents_BxT, batch.targets_BxT)[0]

    def _measure_short(self, batch: Batch) -> Tensor | None:
        if "short" not in self.config.objectives.chosen.reads:
            return None
        with autocast(self.config):
            return short_context_nll(
                self.model,
                batch.inputs_BxT,
                batch.targets_BxT,
                self.config.objectives.longce_context,
                batch.documents_BxT,
            )


def build_loss_function(
    model: LanguageModel, reference: LanguageModel | None, config: ResolvedConfig, ranks: Ranks
) -> LossFunction:
    """Return the loss function of a config, compiled where it says so."""
    objective = config.objectives.chosen
    wants_entropy = "entropy" in objective.reads
    return LossFunction(
        config=config,
        objective=objective.load(),
        model=model,
        measure=_compile(_build_measure(model, config, wants_entropy=wants_entropy), config),
        encode=_compile(model.encode, config),
        reference=None
        if reference is None
        else _compile(_build_measure(reference, config, wants_entropy=False), config),
        ranks=ranks,
    )


def check_objective(config: TrainConfig) -> None:
    """Raise AssayError where an objective cannot be loaded, or not be computed in the way asked."""
    name, objective = config.objectives.objective, config.objectives.chosen
    objective.load()
    if config.ce_chunk and not objective.known_before:
        usable = [other for other, one in load_objectives().items() if one.known_before]
        raise AssayError(
            f"objective {name!r} weighs a token by this very forward pass, which ce_chunk cannot "
            f"wait for; leave ce_chunk at 0, or use one of {', '.join(sorted(usable))}"
        )
    short = config.objectives.longce_context
    if "short" in objective.reads and 2 * short >= config.model.context:
        raise AssayError(
            f"longce_context {short}: its windows of {2 * short} tokens are no shorter than "
            f"context {config.model.context}, so every weight would be 1; give less than half"
        )
    if config.micro and objective.whole_batch:
        raise AssayError(
            f"objective {name!r} looks at a batch as a whole; leave micro at 0, or start more "
            "processes"
        )


def _build_measure(model: LanguageModel, config: ResolvedConfig, *, wants_entropy: bool) -> Measure:
    def measure(
        inputs_BxT: Tensor, documents_BxT: Tensor | None, targets_BxT: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        with autocast(config):
            logits = model(inputs_BxT, documents_BxT)
        nll = token_nll(logits, targets_BxT)
        return nll, token_entropy(logits.detach()) if wants_entropy else None

    return measure


def _compile(function: Function, config: ResolvedConfig) -> Function:
    if config.compile == "off":
        return function
    return cast("Function", torch.compile(function, dynamic=False))
