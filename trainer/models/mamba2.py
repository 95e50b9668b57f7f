"""Mamba-2: a selective state space in its chunked matrix form, SSD, arXiv 2405.21060.

A head of size P keeps a state S, P x N. Token t decays it, writes to it and reads from it:

    S_t = exp(dt_t A) S_{t-1} + dt_t x_t b_t^T        y_t = S_t c_t + D x_t

dt and A < 0 are numbers of a head; b and c are shared by all H heads (one group). A row of T tokens
is cut into K chunks of Q. Parameters are named, shaped and placed as in the authors' block.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.config.schema import ModelConfig
from trainer.models.language_model import EPSILON, Block, LanguageModel

EXPAND = 2  # inner size / width
TAPS = 4  # tokens that the convolution sees
CHUNK = 64  # longest chunk
# What dt of a token without input, and -A, are at first: drawn between these, dt on a log scale.
FIRST_STEPS = (1e-3, 1e-1)
FIRST_RATES = (1.0, 16.0)


def scan(
    x_BxTxHxP: Tensor, steps_BxTxH: Tensor, rates_H: Tensor, b_BxTxN: Tensor, c_BxTxN: Tensor
) -> Tensor:
    """Return y_BxTxHxP of the recurrence above, without D; `steps` is dt, `rates` is A.

    Tokens of one chunk reach each other by a Q x Q matrix a head; those of earlier chunks are in
    the state at the chunk's start. Decays keep the dtype of `steps` also under autocast.
    """
    size_T = x_BxTxHxP.shape[1]
    x, steps, b, c = (_cut(part) for part in (x_BxTxHxP, steps_BxTxH, b_BxTxN, c_BxTxN))
    written_BxKxQxHxP = x * steps[..., None]
    # Logarithm of what is left, after each token, of the state at the chunk's start.
    left_BxKxQxH = (steps * rates_H).cumsum(2)
    y_BxKxQxHxP = _mix(written_BxKxQxHxP, left_BxKxQxH, b, c)
    if steps.shape[1] > 1:
        collected_BxKxHxPxN = _collect(written_BxKxQxHxP, left_BxKxQxH, b)
        states_BxKxHxPxN = _carry(collected_BxKxHxPxN, left_BxKxQxH[:, :, -1])
        y_BxKxQxHxP = y_BxKxQxHxP + _read(states_BxKxHxPxN, left_BxKxQxH, c)
    return y_BxKxQxHxP.flatten(1, 2)[:, :size_T]


def plan_chunks(size_T: int) -> tuple[int, int]:
    """Return K and Q: as few chunks as can be, of equal length, so that little is padded."""
    count_K = math.ceil(size_T / CHUNK)
    return count_K, math.ceil(size_T / count_K)


def _cut(part_BxTx: Tensor) -> Tensor:
    """Return BxKxQx...; a padded token has dt 0, which leaves the state as it is."""
    count_K, size_Q = plan_chunks(part_BxTx.shape[1])
    missing = count_K * size_Q - part_BxTx.shape[1]
    if missing:
        part_BxTx = F.pad(part_BxTx, (0, 0) * (part_BxTx.ndim - 2) + (0, missing))
    return part_BxTx.view(len(part_BxTx), count_K, size_Q, *part_BxTx.shape[2:])


def _mix(written_BxKxQxHxP: Tensor, left_BxKxQxH: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return what each token reads of its own chunk, BxKxQxHxP.

    Sums of a segment are differences of sums from the start: where a token forgets all, those of
    the rest of its chunk are rounded at that size, in float32 to some 1e-5 of them.
    """
    left_BxKxHxQ = left_BxKxQxH.transpose(2, 3)
    between_BxKxHxQxQ = left_BxKxHxQ[..., :, None] - left_BxKxHxQ[..., None, :]
    # Masked before exp: above the diagonal the differences are positive and could overflow.
    later = torch.ones_like(between_BxKxHxQxQ[0, 0, 0], dtype=torch.bool).triu(1)
    decays = between_BxKxHxQxQ.masked_fill(later, -math.inf).exp()
    scores_BxKxQxQ = c @ b.transpose(2, 3)
    mixed_BxKxHxQxP = (scores_BxKxQxQ[:, :, None] * decays) @ written_BxKxQxHxP.transpose(2, 3)
    return mixed_BxKxHxQxP.transpose(2, 3)


def _collect(written_BxKxQxHxP: Tensor, left_BxKxQxH: Tensor, b_BxKxQxN: Tensor) -> Tensor:
    """Return what each chunk by itself leaves in the state at its end, BxKxHxPxN."""
    fade_BxKxQxH = (left_BxKxQxH[:, :, -1:] - left_BxKxQxH).exp()
    faded = (written_BxKxQxHxP * fade_BxKxQxH[..., None]).flatten(3)
    states_BxKxHPxN = faded.transpose(2, 3) @ b_BxKxQxN
    size_B, size_K, _, *sizes = written_BxKxQxHxP.shape
    return states_BxKxHPxN.view(size_B, size_K, *sizes, -1)


def _carry(collected_BxKxHxPxN: Tensor, left_BxKxH: Tensor) -> Tensor:
    """Return the state at each chunk's start, BxKxHxPxN."""
    keep_KxBxHx1x1 = left_BxKxH.exp()[..., None, None].unbind(1)
    state = torch.zeros_like(collected_BxKxHxPxN[:, 0])
    states = [state]
    for keep, collected in zip(keep_KxBxHx1x1, collected_BxKxHxPxN.unbind(1), strict=True):
        state = state * keep + collected
        states.append(state)
    return torch.stack(states[:-1], dim=1)


def _read(states_BxKxHxPxN: Tensor, left_BxKxQxH: Tensor, c_BxKxQxN: Tensor) -> Tensor:
    """Return what each token reads of the state at its chunk's start, BxKxQxHxP."""
    read_BxKxQxHP = c_BxKxQxN @ states_BxKxHxPxN.flatten(2, 3).transpose(2, 3)
    return read_BxKxQxHP.view(*left_BxKxQxH.shape, -1) * left_BxKxQxH.exp()[..., None]


class CausalConvolution(nn.Conv1d):
    """A filter of TAPS for each channel, over a token and those before it."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, TAPS, groups=channels)

    def forward(self, x_BxTxC: Tensor) -> Tensor:
        """Return the filtered channels, BxTxC."""
        assert self.bias is not None
        padded = F.pad(x_BxTxC, (0, 0, TAPS - 1, 0))
        total = self.bias
        # In place of conv1d, which wants TxC transposed and takes half as long again on a CPU.
        for tap in range(TAPS):
            moved = padded[:, tap : tap + x_BxTxC.shape[1]]
            total = torch.addcmul(total, moved, self.weight[:, 0, tap])
        return total


class Mixer(nn.Module):
    """Projections, convolution, recurrence and a gated norm round each other."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inner = EXPAND * config.width
        self.inner, self.state = inner, config.state
        self.sizes = [inner, inner + 2 * config.state, config.heads]  # z; x, b and c; dt
        self.in_proj = nn.Linear(config.width, sum(self.sizes), bias=False)
        self.conv1d = CausalConvolution(self.sizes[1])
        self.dt_bias = nn.Parameter(torch.empty(config.heads))
        self.A_log = nn.Parameter(torch.empty(config.heads))
        self.D = nn.Parameter(torch.empty(config.heads))
        self.norm = nn.RMSNorm(inner, EPSILON)
        self.out_proj = nn.Linear(inner, config.width, bias=False)

    def forward(self, x_BxTxC: Tensor) -> Tensor:
        """Return what is added to the residual stream, BxTxC."""
        gate, mixed, steps = self.in_proj(x_BxTxC).split(self.sizes, dim=-1)
        sizes = [self.inner, self.state, self.state]
        x, b, c = torch.split(F.silu(self.conv1d(mixed)), sizes, dim=-1)
        steps_BxTxH = F.softplus(steps + self.dt_bias)
        x_BxTxHxP = x.view(*steps_BxTxH.shape, -1)
        y = scan(x_BxTxHxP, steps_BxTxH, -self.A_log.exp(), b, c) + self.D[:, None] * x_BxTxHxP
        return self.out_proj(self.norm(y.flatten(2) * F.silu(gate)))  # type: ignore[no-any-return]


class Mamba2Block(Block):
    """A mixer on a normalised view of the residual stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(config.width, EPSILON)
        self.mixer = Mixer(config)

    def forward(self, x_BxTxC: Tensor) -> Tensor:
        """Return the residual stream after this block, BxTxC."""
        return x_BxTxC + self.mixer(self.norm(x_BxTxC))  # type: ignore[no-any-return]

    def initialise(self, generator: torch.Generator) -> None:
        """Draw filters, steps and rates as the authors do; the output is zero."""
        mixer = self.mixer
        assert mixer.conv1d.bias is not None
        mixer.conv1d.weight.uniform_(-(TAPS**-0.5), TAPS**-0.5, generator=generator)
        mixer.conv1d.bias.zero_()
        low, high = map(math.log, FIRST_STEPS)
        steps_H = mixer.dt_bias.uniform_(low, high, generator=generator).exp()
        mixer.dt_bias.copy_(steps_H.expm1().log())  # softplus of it is the step
        mixer.A_log.copy_(mixer.A_log.uniform_(*FIRST_RATES, generator=generator).log())
        mixer.D.fill_(1.0)
        mixer.out_proj.weight.zero_()

    def mixing_flops(self, context: int) -> float:
        """Return those of the scan's products, padded tokens included."""
        count_K, size_Q = plan_chunks(context)
        inner, state = self.mixer.inner, self.mixer.state
        scored, mixed = size_Q * state, size_Q * inner
        collected = read = inner * state if count_K > 1 else 0
        padding = count_K * size_Q / context
        return 2 * (scored + mixed + collected + read) * padding


class Mamba2(LanguageModel):
    """Knows positions by recurrence; each row is one sequence."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size, (Mamba2Block(config) for _ in range(config.layers)))
