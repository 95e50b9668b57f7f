"""Which trained models score the tokens: declared once, for recipes, jobs and the scorer."""

from dataclasses import dataclass

from weighting.knobs import check_knobs, knob


@dataclass(frozen=True)
class ModelSettings:
    """Folders are those of training runs of `trainer`."""

    reference: str  # whose newest checkpoint is the reference
    checkpoints: int = knob(
        1, "of its run, evenly spread over those kept, the newest included", least=1
    )
    short: int = knob(0, "least tokens of the short context; 0: no context gain", least=0)
    second: str | None = None  # a run of the same tokenizer, for disagreement

    def __post_init__(self) -> None:
        """Raise AssayError where a field is out of its range."""
        check_knobs(self)

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals that the models give, in the order in which they are stored."""
        return (
            *("nll", "entropy"),
            *(("excess", "change") if self.checkpoints > 1 else ()),
            *(("context_gain",) if self.short else ()),
            *(("disagreement",) if self.second is not None else ()),
        )
