"""What a manifest says of the models that scored tokens: all that their values depend on."""

from dataclasses import dataclass, field

from trainer.scoring.pretrained import PretrainedModel
from trainer.scoring.reference import OwnModel
from weighting.signals.model_names import ModelKind
from weighting.storage.files import sha256


@dataclass(frozen=True)
class UsedCheckpoint:
    """A checkpoint of a training run that scores, and the checksum of its parameters."""

    step: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class UsedModel:
    """A model that scores; of a training run, its checkpoints, the oldest first.

    `half` is the half of its documents that a training run saw; of other models nobody knows.
    Of a model of others: the checksums of its files by name, the commit where it came from the hub,
    and the checksum of its tokenizer (`trainer.scoring.carrier.ModelTokenizer.sha256`).
    """

    model: str
    kind: ModelKind
    architecture: str
    context: int
    parameters: int
    precision: str
    half: str | None = None
    checkpoints: tuple[UsedCheckpoint, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    tokenizer: str | None = None


@dataclass(frozen=True, kw_only=True)
class UsedModels(UsedModel):
    """All models of a scorer; the fields of `UsedModel` are the reference's."""

    short: int
    earlier: tuple[UsedModel, ...]  # the weakest first; own checkpoints are in `checkpoints`
    second: UsedModel | None
    device: str


def describe_own(name: str, models: list[OwnModel]) -> UsedModel:
    """Return what there is to say of a training run, of whose checkpoints the last is newest."""
    newest = models[-1]
    return UsedModel(
        model=name,
        kind=ModelKind.RUN,
        architecture=newest.config.model.architecture,
        context=newest.context,
        parameters=sum(parameter.numel() for parameter in newest.model.parameters()),
        precision=newest.config.precision,
        half=newest.config.half,
        checkpoints=tuple(
            UsedCheckpoint(one.step, sha256(one.path / "model.safetensors")) for one in models
        ),
    )


def describe_pretrained(model: PretrainedModel) -> UsedModel:
    """Return what there is to say of a model of others."""
    return UsedModel(
        model=str(model.name),
        kind=model.name.kind,
        architecture=type(model.model).__name__,
        context=model.context,
        parameters=model.parameters,
        precision=model.precision,
        files={path.name: sha256(path) for path in model.files.files},
        commit=model.files.commit,
        tokenizer=model.tokenizer,
    )
