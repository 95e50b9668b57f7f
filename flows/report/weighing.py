"""How the weights came about: policy, scale, reference, and what the reference says of tokens."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb
import numpy as np

from flows.database.catalog import flatten
from flows.report.disputes import Sample
from weighting.contracts.counts import SplitScale, WeighingFacts
from weighting.policies.registry import GENERAL, POLICIES, SHUFFLED
from weighting.signals.trajectory import CLASSES

# Of the tokens of continual pretraining on web mathematics: Rho-1, arXiv 2404.07965, section 2.1.
PUBLISHED: Mapping[str, float] = {"HL": 0.26, "LL": 0.51, "HH": 0.11, "LH": 0.12}
MEANINGS: Mapping[str, str] = {
    "HL": "learnt: its loss falls",
    "LL": "known: its loss is low throughout",
    "HH": "hard: its loss is high throughout",
    "LH": "forgotten: its loss rises",
}


class Trajectory(NamedTuple):
    """A class of the census: share of the tokens, of the weight, and what Rho-1 found."""

    name: str
    meaning: str
    tokens: int
    token_share: float
    mass_share: float
    published: float


class Keys(NamedTuple):
    """The share of key tokens among `tokens` of the text, and the thresholds, in nats."""

    share: float
    tokens: int
    gain: float
    nll: float
    of: str  # what these tokens are


class Weighing(NamedTuple):
    """The policy with its effective parameters, the scale of each split, and the reference."""

    policy: str
    summary: str
    params: Sequence[Mapping[str, Any]]
    splits: Mapping[str, SplitScale]
    reference: Sequence[Mapping[str, Any]]


def describe_weighing(weighing: WeighingFacts, reference: Mapping[str, Any] | None) -> Weighing:
    """Return what the manifest says of the weighing and of the reference."""
    name, params = weighing.policy, weighing.params
    names = {*GENERAL, *POLICIES[name].reads}
    if name == SHUFFLED:
        names |= {*POLICIES[params["of"]].reads}
    return Weighing(
        name,
        POLICIES[name].summary,
        _list_pairs({key: value for key, value in params.items() if key in names}),
        weighing.splits,
        _list_pairs(reference or {}),
    )


def _list_pairs(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in flatten(tree)]


def take_census(connection: duckdb.DuckDBPyConnection) -> list[Trajectory]:
    """Return the classes of trajectories, in the order of CLASSES; none without checkpoints."""
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
        Trajectory(
            name,
            MEANINGS[name],
            found.get(name, (0, 0.0))[0],
            found.get(name, (0, 0.0))[0] / tokens,
            found.get(name, (0, 0.0))[1] / mass if mass else 0.0,
            PUBLISHED[name],
        )
        for name in (CLASSES if tokens else ())
    ]


def count_keys(sample: Sample | None, params: Mapping[str, Any]) -> Keys | None:
    """Return the share of key tokens (LongPPL's rule) in a sample; None where it has no context.

    A token is key where its loss is below `key_nll` and far context lowers it by over `key_gain`
    (arXiv 2410.23771, which finds under 10 % of such tokens in long reports).
    """
    if sample is None or not {"context_gain", "nll"} <= set(sample.signals):
        return None
    gain, nll = params["key_gain"], params["key_nll"]
    key_N = (sample.signals["context_gain"] > gain) & (sample.signals["nll"] < nll)
    text_N = ~sample.special_N
    if not text_N.any():
        return None
    return Keys(float(np.mean(key_N[text_N])), int(text_N.sum()), gain, nll, "a sample of")


def find_keys(
    connection: duckdb.DuckDBPyConnection, sample: Sample | None, weighing: WeighingFacts
) -> Keys | None:
    """Return the share of key tokens: of all text where those are the golden ones, or a sample."""
    params = weighing.params
    if weighing.golden != "key":
        return count_keys(sample, params)
    golden, special, tokens = connection.execute(
        """
        SELECT
            coalesce(sum(tokens) FILTER (reason = 'golden'), 0),
            coalesce(sum(tokens) FILTER (reason = 'special'), 0),
            (SELECT sum(tokens) FROM splits)
        FROM reasons
        """
    ).fetchall()[0]
    text = int(tokens - special)
    return Keys(golden / max(text, 1), text, params["key_gain"], params["key_nll"], "all")
