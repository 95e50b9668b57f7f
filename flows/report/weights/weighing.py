"""How the weights came about: policy, scale, reference, and what the reference says of tokens."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb
import numpy as np

from flows.database.stored_tables import flatten
from flows.report.tokens.token_sample import Sample
from weighting.contracts.counts import SplitScale, WeighingFacts
from weighting.policies.masks import find_keys
from weighting.policies.registry import POLICIES, read_params
from weighting.signals.trajectory import TRAJECTORIES, Trajectory


class Census(NamedTuple):
    """A class of trajectories: share of the tokens, of the weight, and what Rho-1 found."""

    name: str
    meaning: str
    tokens: int
    token_share: float
    mass_share: float
    published: float


class KeyTokens(NamedTuple):
    """The share of key tokens in a sample of `tokens` of the text, and the thresholds, in nats."""

    share: float
    tokens: int
    gain: float
    nll: float


class Weighing(NamedTuple):
    """The policy with its effective parameters, the scale of each split, and the reference."""

    policy: str
    summary: str
    params: Sequence[Mapping[str, Any]]
    splits: Mapping[str, SplitScale]
    reference: Sequence[Mapping[str, Any]]


def describe_weighing(weighing: WeighingFacts, reference: Mapping[str, Any] | None) -> Weighing:
    """Return what the manifest says of the weighing and of the reference."""
    return Weighing(
        policy=weighing.policy,
        summary=POLICIES[weighing.policy].summary,
        params=_list_pairs(weighing.params),
        splits=weighing.splits,
        reference=_list_pairs(reference or {}),
    )


def _list_pairs(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in flatten(tree)]


def take_census(connection: duckdb.DuckDBPyConnection) -> list[Census]:
    """Return the classes of trajectories, in their order; empty without checkpoints."""
    rows = connection.execute(
        """
        SELECT trajectory, sum(tokens)::BIGINT, sum(weight_mass)
        FROM trajectories GROUP BY trajectory
        """
    ).fetchall()
    found = {name: (tokens, mass) for name, tokens, mass in rows}
    tokens, mass = (
        (sum(column) for column in zip(*found.values(), strict=True)) if found else (0, 0)
    )
    return [
        _take(one, *found.get(one.name, (0, 0.0)), tokens, mass) for one in TRAJECTORIES if tokens
    ]


def _take(one: Trajectory, tokens: int, mass: float, all_tokens: int, all_mass: float) -> Census:
    return Census(
        name=one.name,
        meaning=f"{one.losses}: {one.meaning}",
        tokens=tokens,
        token_share=tokens / all_tokens,
        mass_share=mass / all_mass if all_mass else 0.0,
        published=one.published,
    )


def find_key_tokens(sample: Sample | None, weighing: WeighingFacts) -> KeyTokens | None:
    """Return the share of key tokens (LongPPL's rule) in a sample; None where it has no context.

    A token is key where its loss is below `key_nll` and far context lowers it by over `key_gain`
    (arXiv 2410.23771, which finds under 10 % of such tokens in long reports).
    """
    if sample is None or not {"nll", "context_gain"} <= set(sample.signals):
        return None
    params = read_params(weighing.policy, weighing.params)
    text_N = ~sample.special_N
    if not text_N.any():
        return None
    key_N = find_keys(sample.signals, params)[text_N]
    return KeyTokens(
        share=float(np.mean(key_N)), tokens=len(key_N), gain=params.key_gain, nll=params.key_nll
    )
