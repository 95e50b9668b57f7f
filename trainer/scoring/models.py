"""The models of some settings, loaded: the reference, those it is compared with, and the second."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trainer.run import checkpoint
from trainer.scoring.carrier import ModelTokenizer
from trainer.scoring.model_tokenizer import read_tokenizer
from trainer.scoring.pretrained import PretrainedModel, load_pretrained
from trainer.scoring.reference import OwnModel, load_own
from trainer.scoring.used import UsedModel, UsedModels, describe_own, describe_pretrained
from weighting.arrays import AnyArray
from weighting.errors import AssayError
from weighting.signals.model_names import ModelName, parse_model
from weighting.signals.model_settings import ModelSettings

AnyModel = OwnModel | PretrainedModel


@dataclass(frozen=True)
class Models:
    """Models that score together, and the tokenizers of those of others, by SHA-256.

    `earlier` begins with the weakest or oldest; `steps` are theirs, and last the reference's.
    """

    settings: ModelSettings
    reference: AnyModel
    earlier: tuple[AnyModel, ...]
    steps: tuple[int, ...]
    second: AnyModel | None
    tokenizers: dict[str, ModelTokenizer]

    def __iter__(self) -> Iterator[AnyModel]:
        """Yield all of them."""
        yield from (*self.earlier, self.reference)
        if self.second is not None:
            yield self.second

    @property
    def own(self) -> list[OwnModel]:
        """Those of training runs, which read the run's ids."""
        return [model for model in self if isinstance(model, OwnModel)]

    def check_end(self, eos_id: int) -> None:
        """Check that own models were trained on documents that end as those to be scored do.

        Raises:
            AssayError: they ended with another token of the same tokenizer.
        """
        for one in self.own:
            if one.eos_id != eos_id:
                raise AssayError(
                    f"{one.path}: trained on documents that end with id {one.eos_id}, and the "
                    f"text's end with {eos_id}; set tokenizer.end_of_text to the former's token"
                )

    def check_ids(self, ids_N: AnyArray, eos_id: int) -> None:
        """Raise AssayError where the run has an id that an own model has no type for."""
        largest = int(ids_N.max(initial=eos_id))
        for model in self.own:
            if largest >= model.types:
                raise AssayError(
                    f"{model.path}: the model has {model.types} types, and the text "
                    f"holds id {largest}; give a model of the text's tokenizer"
                )

    def describe(self) -> UsedModels:
        """Return what the values depend on, for a manifest."""
        wanted, trained = self.settings, self.earlier if not self.settings.earlier else ()
        reference = _describe(wanted.reference, [*trained, self.reference])
        earlier = zip(wanted.earlier, self.earlier, strict=False)
        return UsedModels(
            **vars(reference),
            short=wanted.short,
            earlier=tuple(_describe(name, [model]) for name, model in earlier),
            second=_describe(str(wanted.second), [self.second]) if self.second else None,
            device=self.reference.device,
        )


def load_models(
    settings: ModelSettings, tokenizer_sha256: str, device: str, threads: int
) -> Models:
    """Load the models of some settings, for the ids of a run's tokenizer.

    Raises:
        AssayError: one is not there or damaged, of another tokenizer, too few checkpoints, a short
            context that is not short, a second model that reads or sees otherwise, or no such
            device.
    """
    loader = _Loader(settings, tokenizer_sha256, device, threads)
    trained: list[AnyModel]
    reference = parse_model(settings.reference)
    if settings.earlier or reference.pretrained:
        trained = [loader.load(name) for name in (*settings.earlier, settings.reference)]
        steps = tuple(range(len(trained)))
    else:
        paths = checkpoint.find_spread(Path(settings.reference), settings.checkpoints)
        own = [loader.load_checkpoint(path) for path in paths]
        trained, steps = [*own], tuple(one.step for one in own)
    models = Models(
        settings=settings,
        reference=trained[-1],
        earlier=tuple(trained[:-1]),
        steps=steps,
        second=None if settings.second is None else loader.load(settings.second),
        tokenizers=loader.tokenizers,
    )
    _check_contexts(models)
    return models


@dataclass
class _Loader:
    """Loads models, each once."""

    settings: ModelSettings
    tokenizer_sha256: str
    device: str
    threads: int
    tokenizers: dict[str, ModelTokenizer] = field(default_factory=dict)
    loaded: dict[ModelName, AnyModel] = field(default_factory=dict)

    def load(self, named: str) -> AnyModel:
        name = parse_model(named)
        if name not in self.loaded:
            self.loaded[name] = (
                self._load_pretrained(name)
                if name.pretrained
                else self.load_checkpoint(checkpoint.find_newest(Path(name.place)))
            )
        return self.loaded[name]

    def load_checkpoint(self, path: Path) -> OwnModel:
        return load_own(path, self.tokenizer_sha256, self.device, self.threads)

    def _load_pretrained(self, name: ModelName) -> PretrainedModel:
        tokenizer = read_tokenizer(name)
        self.tokenizers[tokenizer.sha256] = tokenizer
        model = load_pretrained(name, tokenizer.sha256, self.device, self.settings.context)
        if tokenizer.size > model.types:
            raise AssayError(
                f"{name}: its tokenizer has {tokenizer.size} types, the model {model.types}; they "
                "do not belong together"
            )
        return model


def _describe(name: str, models: list[AnyModel]) -> UsedModel:
    newest = models[-1]
    if isinstance(newest, PretrainedModel):
        return describe_pretrained(newest)
    return describe_own(name, [one for one in models if isinstance(one, OwnModel)])


def _check_contexts(models: Models) -> None:
    wanted, context = models.settings, models.reference.context
    if 4 * wanted.short > context:
        raise AssayError(
            f"short is {wanted.short}: {wanted.reference} sees {context} tokens, of which a "
            f"short context is at most a quarter; give at most {context // 4}"
        )
    second = models.second
    if second is None:
        return
    if second.tokenizer != models.reference.tokenizer:
        raise AssayError(
            f"{wanted.second}: the second model reads by another tokenizer than "
            f"{wanted.reference}; predictions are compared type by type, so give one of the same"
        )
    if second.context < context:
        raise AssayError(
            f"{wanted.second}: the second model sees {second.context} tokens, the reference "
            f"{context}; give one that sees as many, or let them change places"
        )
