"""Arms of an ablation: a name, and the fields of the config in which it differs; and its seeds."""

from collections.abc import Iterable, Mapping

from trainer.config.flat import FlatConfig, Value, parse_value
from weighting.errors import AssayError

DEFAULT_ARMS: Mapping[str, FlatConfig] = {
    "plain": {"objective": "plain"},
    "weighted": {"objective": "weighted"},
}


def read_arms(ready_made: str, given: Iterable[str]) -> Mapping[str, FlatConfig]:
    """Return arms by name: ready-made ones (`NAME,NAME`), then those that are written out.

    Raises:
        AssayError: no such ready-made arm, a name that is given twice, or an arm that `parse_arm`
            refuses.
    """
    names = [name.strip() for name in ready_made.split(",") if name.strip()]
    unknown = [name for name in names if name not in DEFAULT_ARMS]
    if unknown:
        raise AssayError(f"no arm {unknown[0]!r}; ready-made arms are {', '.join(DEFAULT_ARMS)}")
    arms: dict[str, FlatConfig] = {}
    ready = [(name, DEFAULT_ARMS[name]) for name in names]
    for name, overrides in (*ready, *map(parse_arm, given)):
        if name in arms:
            raise AssayError(f"arm {name!r} is given twice")
        arms[name] = overrides
    return arms or DEFAULT_ARMS


def parse_arm(text: str) -> tuple[str, FlatConfig]:
    """Read `NAME:field=value,field=value`.

    Raises:
        AssayError: it is not of that form, or a field or value is not valid.
    """
    name, _, rest = text.partition(":")
    overrides: dict[str, Value] = {}
    for part in filter(None, map(str.strip, rest.split(","))):
        field_name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise AssayError(f"arm {text!r}: {part!r} is not of the form field=value")
        if field_name in overrides:
            raise AssayError(f"arm {text!r}: {field_name} is given twice")
        try:
            overrides[field_name] = parse_value(field_name, value)
        except AssayError as error:
            raise AssayError(f"arm {text!r}: {error}") from None
    return name.strip(), overrides


def read_seeds(text: str) -> tuple[int, ...]:
    """Read `0,1,2`.

    Raises:
        AssayError: something in it is no seed.
    """
    try:
        seeds = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise AssayError(f"seeds are {text!r}, must be whole numbers, as 0,1,2") from None
    if min(seeds) < 0:
        raise AssayError(f"seeds are {text!r}, must be ≥ 0")
    return seeds
