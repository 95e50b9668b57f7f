"""Knobs: one declaration gives a setting its default, its bounds, its help and its key.

A knob is a field of a dataclass. Recipes, command lines, error messages and tables of the docs are
made of what it declares here.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from weighting.errors import AssayError

METADATA = "knob"
RESULT, PLACE, NOTHING = "result", "place", "nothing"  # effects of a knob
EFFECTS = (RESULT, PLACE, NOTHING)


@dataclass(frozen=True)
class Names:
    """In an Annotated type: the text names one of a kind, such as a rule, a language, a file."""

    kind: str


@dataclass(frozen=True)
class Knob:
    """What is known of a setting beside its name, type and default. Bounds hold for each number.

    `effect` is what another value makes of a result: another result, the same one read from another
    place, or the same one, with more or fewer notes and copies of it.
    """

    help: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    effect: str = RESULT

    def describe(self) -> str:
        """Return what values are valid, as the end of "must be …"."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.least is not None and self.most is not None:
            return f"from {_show(self.least)} to {_show(self.most)}"
        signs = (("≥", self.least), (">", self.above), ("≤", self.most), ("<", self.below))
        bounds = [f"{sign} {_show(bound)}" for sign, bound in signs if bound is not None]
        return " and ".join(bounds if len(bounds) > 1 else [*bounds, "finite"])

    def admits(self, value: float) -> bool:
        """Say whether a number is finite and within the bounds; whole numbers are exact."""
        return (
            (isinstance(value, int) or math.isfinite(value))
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


def _show(bound: float) -> str:
    """Return a bound, whole numbers digit for digit."""
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


def knob(
    default: Any = MISSING,  # noqa: ANN401 - of the field's type
    help: str = "",
    *,
    choices: Sequence[str] = (),
    default_factory: Callable[[], Any] | Any = MISSING,  # noqa: ANN401 - dataclasses' own marker
    effect: str = RESULT,
    **bounds: float,
) -> Any:  # noqa: ANN401 - a placeholder for a value of the field's type
    """Return a dataclass field with a default, its help text and its valid values.

    `effect` is one of EFFECTS, see `Knob`. `bounds` are `least`, `most`, `above` (exclusive) and
    `below` (exclusive).
    """
    metadata = {METADATA: Knob(help, tuple(choices), effect=effect, **bounds)}
    if default_factory is not MISSING:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def as_in(kind: type, name: str) -> dict[str, Any]:
    """Return the arguments of `knob` for a field that means what one of another dataclass does."""
    found, one = list_knobs(kind)[name]
    bounds = {key: getattr(one, key) for key in ("least", "most", "above", "below")}
    return {
        "default": found.default,
        "default_factory": found.default_factory,
        "help": one.help,
        "choices": one.choices,
        **{key: bound for key, bound in bounds.items() if bound is not None},
    }


def list_knobs(kind: Any) -> dict[str, tuple[Field[Any], Knob]]:  # noqa: ANN401 - a dataclass
    """Return the knobs of a dataclass, or of an instance, by name, in order."""
    found = ((item, item.metadata.get(METADATA)) for item in fields(kind))
    return {item.name: (item, one) for item, one in found if one is not None}


def check_knobs(settings: Any, prefix: str = "") -> None:  # noqa: ANN401 - of a dataclass
    """Raise AssayError where a knob of a dataclass has a value that it does not admit.

    Of a mapping every value is checked; None is a value of its own, and always valid.
    """
    for name, (_, one) in list_knobs(settings).items():
        value = getattr(settings, name)
        for key, item in value.items() if isinstance(value, dict) else [("", value)]:
            check_knob(f"{prefix}{name}" + (f".{key}" if key else ""), item, one)


def check_knob(name: str, value: object, one: Knob) -> None:
    """Raise AssayError where one value is none that a knob admits; `name` is what it is called."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = value in one.choices if isinstance(value, str) and one.choices else True
    if number:
        fits = one.admits(value)  # type: ignore[arg-type]
    if not fits:
        raise AssayError(f"{name} is {value!r}, must be {one.describe()}")
