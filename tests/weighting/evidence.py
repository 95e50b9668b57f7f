"""Made-up tokens with every signal, for the laws of what makes weights of them."""

import numpy as np
from hypothesis import strategies as st

from weighting.arrays import Bools, Float32s, Int32s, Uint16s
from weighting.hashing import mix_bits
from weighting.policies.controls import key_tokens
from weighting.policies.params import PolicyParams
from weighting.policies.policy import Evidence
from weighting.policies.quantiles import count_values, cut_share
from weighting.policies.registry import (
    POLICIES,
    find_seed,
    find_share,
    list_params,
    list_ranked,
    read_params,
    weigh_raw,
)
from weighting.signals.quantum import quantise
from weighting.signals.registry import SIGNALS, Signals
from weighting.signals.signal import Facts
from weighting.signals.token_types import Types

VOCAB = 12
EOS = 0
Seen = tuple[Uint16s, dict[str, Float32s]]  # ids, and stored signals by name
STORED = [name for name, signal in SIGNALS.items() if signal.stored]

policies = st.sampled_from(list(POLICIES))
general = {
    "mix": st.none() | st.floats(0, 1),
    "least_effective": st.floats(0, 0.9),
    "duplicate": st.floats(0, 2),
    "contaminated": st.floats(0, 1),
}
# What any policy can be told; each reads some of it.
told = st.fixed_dictionaries(
    {
        "dials": st.dictionaries(st.sampled_from(list(SIGNALS)), st.floats(-1, 1), max_size=3),
        "cap": st.floats(1, 50),
        "alpha": st.floats(0, 2),
        "threshold": st.floats(1e-5, 1),
        "signal": st.sampled_from(list(SIGNALS)),
        "share": st.floats(0.05, 1),
        "shift": st.floats(0.1, 3),
        "of": st.sampled_from([name for name in POLICIES if name != "shuffled"]),
        "seed": st.integers(0, 9),
        **general,
    }
)
params = st.builds(PolicyParams, **general)


def tell(name, told):
    """What is told of it that a policy reads."""
    reads = list_params(name, told["of"])
    return read_params(name, {key: value for key, value in told.items() if key in reads})


def weigh_by(names):
    """A policy and what it is told."""
    return st.tuples(names, told).map(lambda pair: (pair[0], tell(*pair)))


weighings = weigh_by(policies)


def make_types(counts=None, documents=9) -> Types:
    """Counts of VOCAB types, the end of text among them."""
    counts = np.arange(VOCAB) ** 2 if counts is None else np.asarray(counts, np.int64)
    counts[EOS] = documents
    return Types(counts, np.minimum(counts, documents), documents)


def keys_of(seed, size):
    """A key for each of `size` tokens of one document."""
    document = mix_bits(np.array([seed], np.uint64))
    return key_tokens(document, np.array([0, size]))


def see(ids, stored, types, name="uniform", params=None) -> Evidence:
    """What is known of tokens that are a whole split."""
    signals = Signals(types, ids, stored)
    special = ids == EOS
    params = params or PolicyParams()
    share = find_share(name, params)
    cuts = {
        signal: cut_share(count_values(signals[signal], special), share, lowest)
        for signal, lowest in list_ranked(name, params).items()
    }
    facts = Facts(dict.fromkeys(SIGNALS, 1.0), types.rare_surprisal)
    keys = keys_of(find_seed(name, params), len(ids))
    return Evidence(ids, signals, types, facts, EOS, cuts, keys)


def weigh_ones(name, params=None, **signals):
    """Raw weights of text tokens of type 1 with these values of signals."""
    params = params or PolicyParams()
    values = {key: np.array(value, np.float32) for key, value in signals.items()}
    ids = np.ones(len(next(iter(values.values()))), np.uint16)
    return weigh_raw(name, see(ids, values, make_types(), name, params), params).tolist()


def make_tokens(size: int, seed: int) -> Seen:
    """Ids, the last the end of text, and stored signals of a split; many values are equal."""
    rng = np.random.default_rng(seed)
    ids = np.append(rng.integers(1, VOCAB, size), EOS).astype(np.uint16)
    spread = rng.choice([0.5, 5.0, 30.0])
    values = rng.uniform(-spread, spread, (len(STORED), size + 1))
    values = np.where(rng.random(values.shape) < 0.3, np.rint(values), values)
    return ids, dict(zip(STORED, quantise(values), strict=True))


def make_marks(size: int, seed: int) -> tuple[Int32s, Bools]:
    """Copies and contamination of tokens; the first is never contaminated."""
    rng = np.random.default_rng(seed)
    copies = rng.integers(1, 9, size).astype(np.int32)
    contaminated = rng.random(size) < 0.4
    contaminated[:1] = False
    return copies, contaminated


seeds = st.integers(0, 2**32)
tokens = st.builds(make_tokens, st.integers(1, 60), seeds)
