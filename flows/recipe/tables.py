"""Tables of a recipe that are settings of a job: read strictly into a dataclass, by its knobs.

The dataclass says what there is: keys, types, defaults, bounds, help (`weighting.knobs`). From it a
pydantic model is made, which reads the table as TOML gives it and names what is wrong; a knob more
is a key more.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, asdict, dataclass, is_dataclass
from functools import cache, partial, reduce
from operator import or_
from pathlib import Path
from types import GenericAlias, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    create_model,
)
from pydantic_core import CoreSchema, core_schema

from flows.recipe.problems import name_choices
from pipelines.edits.pii import KINDS
from pipelines.languages.published import list_known
from pipelines.readers.pages.extract import EXTRACTORS
from pipelines.readers.registry import list_file_readers
from pipelines.rules.registry import FAMILIES, RULES
from weighting.errors import AssayError
from weighting.knobs import Knob, Names, list_knobs
from weighting.storage.urls import LOCAL_ONLY, find_url

T = TypeVar("T")
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
BOUNDS = {"least": "ge", "most": "le", "above": "gt", "below": "lt"}  # pydantic's words


class Section(BaseModel):
    """A table of the recipe; unknown keys and values of another type are errors."""

    model_config = ConfigDict(**STRICT, use_attribute_docstrings=True)


@dataclass(frozen=True)
class FromKnobs:
    """In an Annotated type: the dataclass is read from a table by its knobs.

    `check` may raise AssayError for what a recipe may not say and the job could still do.
    """

    check: Callable[[Any], None] | None = None

    def __get_pydantic_core_schema__(self, kind: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how pydantic reads the dataclass, and writes it as a table."""
        return core_schema.no_info_after_validator_function(
            partial(_build, kind, self.check),
            handler.generate_schema(model_of(kind)),
            serialization=core_schema.plain_serializer_function_ser_schema(asdict),
        )


def read_table(kind: type[T], fields: Mapping[str, Any]) -> T:
    """Return the dataclass that a table stands for.

    Raises:
        ValidationError: a key or value is not valid.
    """
    table = cast("type[T]", Annotated[kind, FromKnobs()])
    return TypeAdapter(table).validate_python(fields)


@cache
def model_of(kind: type) -> type[BaseModel]:
    """Return the pydantic model of a dataclass's knobs."""
    hints = get_type_hints(kind, include_extras=True)
    fields: dict[str, Any] = {}
    for name, (found, one) in list_knobs(kind).items():
        default: dict[str, Any] = {"default_factory": found.default_factory}
        if found.default_factory is MISSING:
            default = {} if found.default is MISSING else {"default": found.default}
        fields[name] = (_translate(hints[name], one), Field(**default, description=one.help))
    return create_model(kind.__name__, __config__=STRICT, __doc__=kind.__doc__, **fields)


def list_keys_of(names: Names, kind: type) -> list[str]:
    """Return the keys of a dataclass's knobs whose values name such things."""
    hints = get_type_hints(kind, include_extras=True)
    return [key for key in list_knobs(kind) if _mentions(hints[key], names)]


def _mentions(hint: object, names: Names) -> bool:
    return hint == names or any(_mentions(part, names) for part in get_args(hint))


def _build(kind: type[T], check: Callable[[T], None] | None, table: BaseModel) -> T:
    """Return the dataclass of a table that was read.

    Raises:
        ValueError: its values do not go together.
    """
    values = {name: getattr(table, name) for name in type(table).model_fields}
    try:
        built = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
        if check is not None:
            check(built)
    except AssayError as error:
        raise ValueError(str(error)) from None
    return built


def _translate(hint: object, one: Knob) -> object:
    """Return a type as pydantic is to read it: TOML's arrays and tables, and what is valid."""
    if is_dataclass(hint):
        return Annotated[hint, FromKnobs()]
    if hint in (int, float):
        return Annotated[hint, Field(**_list_bounds(one))]
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (None, Literal):
        return hint
    if origin is Annotated:
        return Annotated[_translate(parts[0], one), *map(check_name, parts[1:])]
    inner = [_translate(part, one) for part in parts if part is not ...]
    if origin in (Union, UnionType):
        return reduce(or_, inner)
    return GenericAlias(list if origin is tuple else dict, tuple(inner))


def _list_bounds(one: Knob) -> dict[str, Any]:
    """Return a knob's bounds in pydantic's words."""
    bounds = {theirs: getattr(one, ours) for ours, theirs in BOUNDS.items()}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def check_name(names: Names) -> object:
    """Return what checks that a text names something that there is."""
    if names.kind in VALID:
        return AfterValidator(partial(_check_choice, names.kind))
    return OTHERS[names.kind]


def _check_choice(kind: str, name: str) -> str:
    valid = VALID[kind]
    if name not in valid:
        raise ValueError(name_choices(f"{kind} {name!r}", valid, name))
    return name


def _anchor(path: str, info: ValidationInfo) -> str:
    """Return the path of a file, absolute; relative ones start where the recipe lies.

    Only a recipe that is read from TOML has such a folder: what a run remembers stays as it is.
    """
    if info.context is None:
        return path
    anchored = Path(info.context["folder"], path).absolute()
    if not anchored.is_file():
        url = find_url(anchored)
        raise ValueError(f"{url}: {LOCAL_ONLY}" if url else f"no such file: {anchored}")
    return str(anchored)


def _anchor_tokenizer(path: str, info: ValidationInfo) -> str:
    """Return the path of a tokenizer.json, absolute; a model's folder stands for the one in it."""
    if info.context is not None and Path(info.context["folder"], path).is_dir():
        path = str(Path(path, "tokenizer.json"))
    return _anchor(path, info)


def _check_language(code: str) -> str:
    if not re.fullmatch("[a-z]{2,3}", code):
        raise ValueError(f"must be an ISO 639 code such as en, is {code!r}")
    if code not in (known := list_known()):
        raise ValueError(
            f"{code!r} is not among the codes of the {len(known)} languages that are told apart; "
            "where a language has a code of two letters, give that one"
        )
    return code


# What a text may name, by the kind that its type says (`weighting.knobs.Names`).
VALID: Mapping[str, Collection[str]] = {
    "extractor": EXTRACTORS,
    "family": FAMILIES,
    "format": list_file_readers(),
    "kind": KINDS,
    "rule": RULES,
}
OTHERS: Mapping[str, object] = {
    "file": AfterValidator(_anchor),
    "language": AfterValidator(_check_language),
    "tokenizer": AfterValidator(_anchor_tokenizer),
    "set": StringConstraints(min_length=1),
}
