"""Scoring by models that have not seen what they score: half a by the one trained on half b.

The values of a document are those of one scorer alone, so a document's are the same whatever
stands beside it in its unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from pipelines.tokenize.tokens import Documents
from weighting.array_tools import to_offsets
from weighting.arrays import Bools, Float32s, Int64s, Uint32s
from weighting.contracts.halves import is_of_half
from weighting.contracts.splits import B
from weighting.signals.model_settings import ModelSettings


class Scorer(Protocol):
    """Gives tokens the signals of models; see `trainer.scoring.scorer`."""

    @property
    def tokenizers(self) -> Mapping[str, Any]:
        """The tokenizers of models of others, by SHA-256."""

    def score(
        self,
        ids_N: Uint32s,
        offsets_D1: Int64s,
        eos_id: int,
        carrier: Any = None,  # noqa: ANN401 - of `trainer.scoring.carrier`
    ) -> Mapping[str, Float32s]:
        """Return the signals of D documents of N tokens, float32 [N], by name."""


class Texts(Protocol):
    """The carrier of a unit's documents, for models that read by tokenizers of their own."""

    def choose(self, chosen_D: Bools) -> Any:  # noqa: ANN401 - a carrier
        """Return the carrier of some of the documents, in their order."""


def split_settings(settings: ModelSettings) -> tuple[ModelSettings, ...]:
    """Return the settings of each scorer: of one or, where there is another half's, of two."""
    if settings.other is None:
        return (settings,)
    of_a = replace(settings, other=None)
    return of_a, replace(of_a, reference=settings.other)


def score_documents(
    scorers: Sequence[Scorer], documents: Documents, eos_id: int, texts: Texts | None = None
) -> Mapping[str, Float32s]:
    """Return the signals of the N tokens of D documents, float32 [N], by name.

    One scorer scores all documents. Of two, the first was trained on half a and scores half b, and
    the reverse; documents of the validation split are of a half as all are. None give no signal.
    `texts` are needed by models of others.
    """
    if not scorers:
        return {}
    if len(scorers) == 1:
        return scorers[0].score(documents.ids_N, documents.offsets_D1, eos_id, texts)
    trained_on_a, trained_on_b = scorers
    in_b_D = is_of_half(documents.doc_ids.to_pylist(), B)
    values: dict[str, Float32s] = {}
    for scorer, chosen_D in ((trained_on_a, in_b_D), (trained_on_b, ~in_b_D)):
        chosen_N = documents.spread(chosen_D)
        offsets_C1 = to_offsets(np.diff(documents.offsets_D1)[chosen_D])
        carrier = texts and texts.choose(chosen_D)
        scored = scorer.score(documents.ids_N[chosen_N], offsets_C1, eos_id, carrier)
        for name, values_M in scored.items():
            values.setdefault(name, np.empty(len(chosen_N), np.float32))[chosen_N] = values_M
    return values
