"""Which trained models score the tokens: declared once, for recipes, jobs and the scorer."""

from dataclasses import dataclass

from weighting.errors import AssayError
from weighting.knobs import check_knobs, knob


@dataclass(frozen=True)
class ModelSettings:
    """Models are named as `weighting.signals.model_names` says.

    They are training runs of `trainer`, or causal language models of Hugging Face's transformers.
    """

    reference: str  # of a training run, its newest checkpoint
    checkpoints: int = knob(
        1, "of its run, evenly spread over those kept, the newest included", least=1
    )
    earlier: tuple[str, ...] = ()  # in their place: weaker models, the weakest first
    short: int = knob(0, "least tokens of the short context; 0: no context gain", least=0)
    second: str | None = None  # a model of the same tokenizer, for disagreement
    context: int = knob(2048, "most tokens that a model sees; fewer where it sees fewer", least=2)
    other: str | None = None  # trained on the other half of the documents; see `halves`

    def __post_init__(self) -> None:
        """Raise AssayError where a field is out of its range, or two exclude each other."""
        check_knobs(self)
        if self.earlier and self.checkpoints > 1:
            raise AssayError("checkpoints are those of one run, or models: give one of the two")

    @property
    def compared(self) -> bool:
        """Whether losses of more than one model or checkpoint are compared."""
        return self.checkpoints > 1 or bool(self.earlier)

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals that the models give, in the order in which they are stored."""
        return (
            *("nll", "entropy"),
            *(("excess", "change") if self.compared else ()),
            *(("context_gain",) if self.short else ()),
            *(("disagreement",) if self.second is not None else ()),
        )
