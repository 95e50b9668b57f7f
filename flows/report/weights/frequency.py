"""Frequency against weight: what policies make of the types, from the commonest to the rarest."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
from markupsafe import Markup

from flows.report.charts.density import Patch, density

PER_OCTAVE = (1, 4)  # bins of the plot: of counts, of weights
LEAST = 2.0**-6  # weights below are drawn as this
COUNT = 10  # least occurrences of a type that is listed
TYPES = 12


class Extreme(NamedTuple):
    """A type whose mean weight is far from `usual`, the median of those about as frequent."""

    token: str
    token_id: int
    occurrences: int
    weight: float
    usual: float


class Frequency(NamedTuple):
    """The plot, None where no token weighs anything; the extreme types; weight by decile."""

    plot: Markup | None
    extremes: Sequence[Extreme]
    deciles: Sequence[dict[str, Any]]


def read_frequency(connection: duckdb.DuckDBPyConnection, eos_id: int) -> Frequency:
    """Return what the section shows, of all types but the end-of-text token `eos_id`."""
    patches = [Patch(*row) for row in connection.execute(_PATCHES, [eos_id]).fetchall()]
    medians = connection.execute(_MEDIANS, [eos_id]).fetchall()
    extremes = connection.execute(_EXTREMES, [eos_id]).fetchall()
    deciles = connection.execute(
        """
        SELECT decile, token_share, mass_share, mean_weight
        FROM decile_mass WHERE source IS NULL ORDER BY decile
        """
    )
    names = [column[0] for column in deciles.description]
    return Frequency(
        density(patches, medians) if patches else None,
        [Extreme(*row) for row in extremes],
        [dict(zip(names, row, strict=True)) for row in deciles.fetchall()],
    )


_TYPES = f"""
    SELECT
        token, token_id, decile, mean_weight,
        count_train + count_validation AS count, greatest(mean_weight, {LEAST}) AS drawn
    FROM tokens WHERE decile IS NOT NULL AND mean_weight IS NOT NULL AND token_id <> ?
"""
_PATCHES = f"""
    SELECT
        floor(log2(count) * {PER_OCTAVE[0]}) / {PER_OCTAVE[0]} AS x,
        floor(log2(drawn) * {PER_OCTAVE[1]}) / {PER_OCTAVE[1]} AS y,
        1 / {PER_OCTAVE[0]}, 1 / {PER_OCTAVE[1]},
        count(*) AS types, sum(count)::BIGINT AS tokens
    FROM ({_TYPES}) GROUP BY x, y ORDER BY x, y
"""
# The line runs through the middle of each decile's types.
_MEDIANS = f"""
    SELECT log2(median(count)), log2(median(drawn)) FROM ({_TYPES})
    GROUP BY decile ORDER BY decile DESC
"""
_EXTREMES = f"""
    SELECT token, token_id, count, mean_weight, usual
    FROM (
        SELECT *, median(drawn) OVER (PARTITION BY floor(log2(count))) AS usual
        FROM ({_TYPES}) WHERE count >= {COUNT}
    )
    ORDER BY abs(ln(drawn / usual)) DESC, token_id LIMIT {TYPES}
"""
