"""What changes while a run goes on, and how it goes to a checkpoint and comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.optim import Optimizer

from trainer.config.schema import ResolvedConfig
from trainer.models import build_model
from trainer.models.language_model import LanguageModel
from trainer.objectives.type_statistics import TypeStatistics
from trainer.run import checkpoint
from trainer.run.optim import build_optimizers


@dataclass
class State:
    """All that a resume needs; everything else is a function of the config and the step."""

    model: LanguageModel
    optimizers: list[Optimizer]
    types: TypeStatistics | None  # where the objective reads them
    step: int = 0  # updates done
    tokens: int = 0  # targets seen, of all processes

    def files(self) -> dict[str, dict[str, Tensor]]:
        """Return the tensors of a checkpoint by file."""
        files = {
            "model": self.model.state_dict(),
            "optimizer": name_tensors(self.model, self.optimizers),
        }
        return files | ({"types": self.types.tensors()} if self.types else {})

    def load(self, path: Path) -> None:
        """Go back to what a checkpoint holds.

        Raises:
            AssayError: it is damaged, or of another model.
        """
        record = checkpoint.read_record(path)
        checkpoint.load_model(path, self.model)
        load_optimizers(checkpoint.read_tensors(path, "optimizer"), self.model, self.optimizers)
        if self.types:
            self.types.load(checkpoint.read_tensors(path, "types"))
        self.step, self.tokens = record.step, record.tokens


def build_state(config: ResolvedConfig, vocab_size: int) -> State:
    """Return the state of a run that has not begun, on the config's device."""
    model = build_model(config.model, vocab_size, config.seed).to(config.device)
    reads_types = "types" in config.objectives.chosen.reads
    types = TypeStatistics.start(vocab_size, config.device) if reads_types else None
    return State(model, build_optimizers(model, config), types)


def name_tensors(model: LanguageModel, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Return the tensors of all optimizers as KIND/PARAMETER."""
    return {
        f"{kind}/{name}": tensor
        for optimizer in optimizers
        for name, parameter in model.named_parameters()
        if parameter in optimizer.state
        for kind, tensor in optimizer.state[parameter].items()
    }


def load_optimizers(
    tensors: dict[str, Tensor], model: LanguageModel, optimizers: Sequence[Optimizer]
) -> None:
    """Fill the tensors of optimizers that were built for `model`."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    by_name: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        kind, name = key.split("/", 1)
        by_name.setdefault(name, {})[kind] = tensor
    for optimizer in optimizers:
        ordered = [names[p] for group in optimizer.param_groups for p in group["params"]]
        state = {number: by_name[name] for number, name in enumerate(ordered)}
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
