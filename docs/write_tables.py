"""Write the tables of docs/weighting.md anew from the records: python docs/write_tables.py.

A table stands between `<!-- table: NAME -->` and `<!-- end -->`. A test compares.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any

from weighting.knobs import Knob, list_knobs
from weighting.policies.golden import GOLDEN
from weighting.policies.params import PolicyParams
from weighting.policies.registry import POLICIES
from weighting.signals.registry import SIGNALS

PAGE = Path(__file__).parent / "weighting.md"


def tabulate_signals() -> Iterator[list[str]]:
    """Yield a row for each signal."""
    yield ["signal", "what it says", "formula", "given by", "source"]
    for name, signal in SIGNALS.items():
        follows = f"`{signal.derived.sql}`" if signal.derived else str(signal.given_by)
        yield [f"`{name}`", signal.meaning, signal.formula, follows, signal.paper]


def tabulate_policies() -> Iterator[list[str]]:
    """Yield a row for each policy."""
    yield ["policy", "raw weight", "mix", "knobs", "published as"]
    for name, policy in POLICIES.items():
        mix = f"{policy.mix:g}" if policy.of_types or policy.of_tokens else "its"
        knobs = " ".join(f"`{knob}`" for knob in list_knobs(policy.params))
        yield [f"`{name}`", policy.formula, mix, knobs, policy.paper]


def tabulate_knobs() -> Iterator[list[str]]:
    """Yield a row for each knob: those of all policies, then those of one or several."""
    yield ["knob", "read by", "default", "valid", "what it does"]
    readers: dict[tuple[str, Knob], list[str]] = {}
    fields: dict[tuple[str, Knob], Field[Any]] = {}
    general = list_knobs(PolicyParams)
    for name, (field, knob) in general.items():
        readers[name, knob], fields[name, knob] = ["all"], field
    for policy, record in POLICIES.items():
        for name, (field, knob) in list_knobs(record.params).items():
            if name not in general:
                readers.setdefault((name, knob), []).append(f"`{policy}`")
                fields[name, knob] = field
    for (name, knob), read_by in readers.items():
        default = _show_default(fields[name, knob])
        yield [f"`{name}`", " ".join(read_by), default, _show_valid(knob), knob.help]


def tabulate_golden() -> Iterator[list[str]]:
    """Yield a row for each rule of the golden flag."""
    yield ["rule", "golden tokens are", "found where", "highest first by"]
    for name, rule in GOLDEN.items():
        yield [f"`{name}`", rule.words, rule.formula, f"`{rule.gain}`"]


TABLES: Mapping[str, Callable[[], Iterable[list[str]]]] = {
    "signals": tabulate_signals,
    "policies": tabulate_policies,
    "knobs": tabulate_knobs,
    "golden": tabulate_golden,
}


def renew(page: str) -> str:
    """Return a page with every table written anew."""
    return re.sub(
        r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}\n{_write(TABLES[found[2]]())}\n{found[3]}",
        page,
        flags=re.DOTALL,
    )


def _write(rows: Iterable[list[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|---" * (lines[0].count(" | ") + 1) + "|")
    return "".join(f"{line}\n" for line in lines)


def _show_default(field: Field[Any]) -> str:
    if field.default_factory is not MISSING:
        pairs = (f"{key} {value:g}" for key, value in field.default_factory().items())
        return ", ".join(pairs)
    return "" if field.default is None else f"{field.default}"


def _show_valid(knob: Knob) -> str:
    bounds = (knob.least, knob.most, knob.above, knob.below)
    return knob.describe() if knob.choices or any(b is not None for b in bounds) else ""


if __name__ == "__main__":
    PAGE.write_text(renew(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
