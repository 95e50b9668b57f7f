"""An LSTM: residual blocks round one-layer recurrences, one fused call a layer.

Sources: Hochreiter and Schmidhuber 1997; forget gates that start open, Jozefowicz et al. 2015.
"""

import torch
from torch import Tensor, nn

from trainer.config.schema import ModelConfig
from trainer.models.language_model import EPSILON, Block, LanguageModel

NARROW = ("DEFAULT", "AVX2")  # processors on which oneDNN has no LSTM in bfloat16 and fails


def lacks_bfloat16(device: torch.device) -> bool:
    """Say whether autocast asks for an LSTM that this processor cannot compute."""
    if device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
        return False
    return torch.backends.cpu.get_cpu_capability() in NARROW


class LSTMBlock(Block):
    """A recurrence of the width's size, from a zero state at each row's start.

    The output matrix lets it begin at zero; without it, a wider one of equal size stands high
    learning rates less well, and its best loss is higher.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(config.width, EPSILON)
        self.lstm = nn.LSTM(config.width, config.width, batch_first=True)
        self.output = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x_BxTxC: Tensor) -> Tensor:
        """Return the residual stream after this block, BxTxC."""
        normed_BxTxC = self.norm(x_BxTxC)
        if lacks_bfloat16(x_BxTxC.device):
            with torch.autocast("cpu", enabled=False):
                states_BxTxC, _ = self.lstm(normed_BxTxC.float())
        else:
            states_BxTxC, _ = self.lstm(normed_BxTxC)
        return x_BxTxC + self.output(states_BxTxC)  # type: ignore[no-any-return]

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the gates' matrices; forget gates start open, the output is zero."""
        parameters = dict(self.lstm.named_parameters())
        for parameter in parameters.values():
            if parameter.ndim > 1:
                parameter.normal_(0.0, self.lstm.hidden_size**-0.5, generator=generator)
            else:
                parameter.zero_()
        # Of input, forget, cell and output gate; the second bias is added to this one.
        parameters["bias_ih_l0"].chunk(4)[1].fill_(1.0)
        self.output.weight.zero_()


class LSTM(LanguageModel):
    """Knows positions by recurrence; each row is one sequence."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size, (LSTMBlock(config) for _ in range(config.layers)))
