"""The tokens of a story as columns: what the tokenize, signals and weigh stages would find."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, cast

import numpy as np

from tests.flows.stories import (
    EOS,
    SPLITS,
    VOCAB,
    Doc,
    Story,
    encode,
    mark,
    measure,
    name_doc,
    weigh,
)
from weighting.contracts.counts import SplitScale, WeighingFacts
from weighting.contracts.reasons import Reason
from weighting.policies.controls import key_documents, key_tokens, shuffle
from weighting.policies.golden import (
    choose_golden,
    count_gains,
    find_golden,
    find_least_gain,
    flag,
)
from weighting.policies.normalisation import (
    Scale,
    dampen,
    find_scale,
    normalize,
    sum_weights,
)
from weighting.policies.params import PolicyParams
from weighting.policies.policy import Evidence
from weighting.policies.quantiles import Cut, count_values, cut_share
from weighting.policies.registry import (
    find_seed,
    find_share,
    list_ranked,
    resolve_params,
    weigh_raw,
)
from weighting.signals.registry import Signals
from weighting.signals.signal import Facts
from weighting.signals.token_types import Types, cut_deciles


class Weighed(NamedTuple):
    """The tokens of a split, and what they follow from."""

    weights_N: np.ndarray
    scale: Scale
    cuts: dict[str, Cut]


class Census:
    """N tokens of all kept documents, in their order.

    Without a policy they weigh what `stories.weigh` says, all are golden, and the scale says
    something else.
    """

    def __init__(self, story: Story) -> None:
        self.story = story
        self.docs: dict[int, Doc] = {
            number: doc for number, doc in enumerate(story.docs) if doc.verdict == "kept"
        }
        ids = [encode(doc.text) for doc in self.docs.values()]
        lengths = [*map(len, ids)]
        self.offsets_D1 = np.cumsum([0, *lengths])
        self.ids_N = np.array([i for one in ids for i in one] or [], np.int64)
        self.split_N = np.repeat([doc.split for doc in self.docs.values()], lengths)
        self.source_N = np.repeat([doc.source for doc in self.docs.values()], lengths)
        # In a shard: not left out by the selection.
        self.chosen_N = np.repeat([number not in story.left for number in self.docs], lengths)
        marks = [mark(doc) for doc in self.docs.values()]
        self.copies_N = _join([copies_N for copies_N, _ in marks], np.int32)
        self.contaminated_N = _join([contaminated_N for _, contaminated_N in marks], bool)
        values = [measure(one) for one in ids]
        self.stored = {
            name: _join([one[name] for one in values], np.float32) for name in story.signals
        }

    @property
    def policy(self) -> str:
        """What the manifest calls the policy."""
        return self.story.policy or "soft"

    @property
    def params(self) -> PolicyParams:
        """The effective parameters."""
        return resolve_params(self.policy, self.story.params)

    @property
    def text_N(self) -> np.ndarray:
        """True at text tokens."""
        return self.ids_N != EOS

    def find(self, number: int) -> slice:
        """Return where the tokens of a document are."""
        at = list(self.docs).index(number)
        return slice(self.offsets_D1[at], self.offsets_D1[at + 1])

    @cached_property
    def counts_2V(self) -> np.ndarray:
        """Occurrences of the types, by split."""
        return np.stack(
            [np.bincount(self.ids_N[self.split_N == split], minlength=VOCAB) for split in SPLITS]
        )

    @cached_property
    def types(self) -> Types:
        """What the signals of types follow from."""
        train = [doc for doc in self.docs.values() if doc.split == "train"]
        holders_V = np.zeros(VOCAB, np.int64)
        for doc in train:
            holders_V[np.unique(encode(doc.text))] += 1
        return Types(self.counts_2V[0], holders_V, len(train))

    @cached_property
    def deciles_V(self) -> np.ndarray:
        """The frequency decile of each type, 0 of those that do not occur."""
        return cut_deciles(self.counts_2V.sum(axis=0))

    @cached_property
    def signals(self) -> Signals:
        """The signals of all tokens."""
        return Signals(self.types, self.ids_N, self.stored)

    @cached_property
    def facts(self) -> Facts:
        """What policies measure tokens against."""
        train_N = self.text_N & (self.split_N == "train")
        means = {name: average(values, train_N) for name, values in self.signals.items()}
        # None where the train split has no text, as in a manifest.
        return Facts(cast("Mapping[str, float]", means), self.types.rare_surprisal)

    @cached_property
    def golden(self) -> str:
        """The rule of the golden flag."""
        return choose_golden(self.story.params.golden, list(self.story.signals))

    @cached_property
    def splits(self) -> dict[str, Weighed]:
        """The weights of each split that has tokens."""
        return {split: self._weigh(split) for split in SPLITS if self._hold(split).any()}

    @cached_property
    def weights_N(self) -> np.ndarray:
        """The weights of all tokens, 0 where a document was left out."""
        weights_N = np.zeros(len(self.ids_N), np.float32)
        for split, weighed in self.splits.items():
            weights_N[self._hold(split)] = weighed.weights_N
        return weights_N

    @cached_property
    def least_gains(self) -> dict[str, float | None]:
        """The gains from which tokens are golden, by split; what the selection left counts."""
        params, gains = self.story.params, {}
        for split in SPLITS:
            special_N = ~self.text_N | (self.split_N != split)
            counts_B1 = count_gains(self.signals, special_N, self.golden, params)
            gains[split] = find_least_gain(counts_B1, params.golden_share)
        return gains

    @cached_property
    def golden_N(self) -> np.ndarray:
        """Which tokens are golden."""
        golden_N = np.zeros(len(self.ids_N), bool)
        for split, least in self.least_gains.items():
            found_N = find_golden(self.signals, self.golden, self.story.params, least)
            golden_N |= found_N & (self.split_N == split)
        return golden_N

    @cached_property
    def reasons_N(self) -> np.ndarray:
        """The reason bits of all tokens."""
        marks = (~self.text_N, self.copies_N, self.contaminated_N)
        rare_N = self.types.rare_V[self.ids_N]
        reasons_N = flag(self.golden_N, rare_N, *marks)
        if self.story.policy is None:
            marks_N = reasons_N & np.uint8(Reason.DUPLICATE_SPAN | Reason.CONTAMINATED)
            reasons_N = np.where(self.text_N, marks_N | np.uint8(Reason.GOLDEN), reasons_N)
        return reasons_N

    def describe_weighing(self) -> WeighingFacts:
        """Return what the manifest says of the weighing."""
        splits = {
            split: SplitScale(
                **weighed.scale._asdict(),
                cuts={name: [*cut] for name, cut in weighed.cuts.items()},
                golden_from=self.least_gains[split],
            )
            for split, weighed in self.splits.items()
        }
        return WeighingFacts(
            policy=self.policy,
            params=self.params.to_dict(),
            splits=splits,
            golden=self.golden,
            borders=None,
        )

    def _hold(self, split: str) -> np.ndarray:
        return self.chosen_N & (self.split_N == split)

    def _weigh(self, split: str) -> Weighed:
        policy, params, held_N = self.policy, self.params, self._hold(split)
        if self.story.policy is None:
            weights_N = _join([weigh(encode(doc.text)) for doc in self.docs.values()], np.float32)
            return Weighed(weights_N[held_N], Scale(1.0, 0.25, 1.0, 0.8), {})
        ids_N, special_N = self.ids_N[held_N], ~self.text_N[held_N]
        signals = {name: values[held_N] for name, values in self.signals.items()}
        share = find_share(policy, params)
        cuts = {
            name: cut_share(count_values(signals[name], special_N), share, lowest)
            for name, lowest in list_ranked(policy, params).items()
        }
        keys_N = self._key(find_seed(policy, params))[held_N]
        seen = Evidence(ids_N, signals, self.types, self.facts, EOS, cuts, keys_N)
        raw_N = weigh_raw(policy, seen, params)
        marks = (self.copies_N[held_N], self.contaminated_N[held_N])
        factor_N = dampen(policy, *marks, params)
        mass = sum_weights(raw_N, factor_N, special_N)
        scale = find_scale(mass, policy, params)
        weights_N = normalize(raw_N, factor_N, special_N, scale)
        if policy == "shuffled":
            weights_N = shuffle(weights_N, factor_N, special_N, keys_N)
        return Weighed(weights_N, scale, cuts)

    def _key(self, seed: int) -> np.ndarray:
        keys_D = key_documents([name_doc(number) for number in self.docs], seed)
        return key_tokens(keys_D, self.offsets_D1)


def average(values_N: np.ndarray, chosen_N: np.ndarray) -> float | None:
    """Return the mean of the chosen values; None where there are none."""
    return float(values_N[chosen_N].mean()) if chosen_N.any() else None


def _join(parts: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(parts).astype(dtype) if parts else np.empty(0, dtype)
