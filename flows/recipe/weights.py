"""The table `weights` of a recipe, whose keys are the knobs that its policy reads.

There is one class for each policy (and for `shuffled` one for each policy that it permutes), made
from the declarations of the knobs in `weighting.policies`: a policy of an installed package has its
keys here too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field
from functools import cache, partial
from typing import Annotated, Any, Self, cast, get_type_hints

import pydantic
from pydantic import AfterValidator, BeforeValidator, SerializeAsAny, ValidationError, create_model
from pydantic_core import InitErrorDetails, PydanticCustomError

from flows.recipe.problems import name_choices
from flows.recipe.tables import Section
from weighting.errors import AssayError
from weighting.knobs import Knob, check_knob
from weighting.policies.params import PolicyParams
from weighting.policies.registry import (
    POLICIES,
    check_policy,
    list_kinds,
    list_params,
    read_params,
)


class Weights(Section):
    """The policy that weighs tokens, and its knobs."""

    policy: str = "soft"
    """How tokens are weighed; docs/weighting.md has all policies."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        try:
            check_policy(self.policy, self.params(), None)
        except AssayError as error:
            raise ValueError(str(error)) from None
        return self

    def params(self) -> PolicyParams:
        """Return the knobs as the policies take them."""
        return read_params(self.policy, self.model_dump(exclude={"policy"}))


def choose_weights(table: object) -> object:
    """Return a table as the class of its policy; what is no table stays what it is.

    Raises:
        ValidationError: the policy does not read a key, or a value is not valid.
        ValueError: there is no such policy.
    """
    if not isinstance(table, Mapping):
        return table
    policy, of = table.get("policy", "soft"), table.get("of")
    if not isinstance(policy, str):
        return Weights.model_validate({"policy": policy})
    try:
        model = _make_model(policy, of if isinstance(of, str) else None)
    except AssayError as error:
        raise ValueError(str(error)) from None
    return _validate(model, policy, table)


WeightsTable = Annotated[SerializeAsAny[Weights], BeforeValidator(choose_weights)]


def default_weights() -> Weights:
    """Return the table of a recipe that has none."""
    return _make_model("soft", None)()


@cache
def _make_model(policy: str, of: str | None) -> type[Weights]:
    """Return the class of a policy, a field for each knob that it reads.

    Raises:
        AssayError: there is no such policy.
    """
    types: dict[str, Any] = {}
    for kind in reversed(list_kinds(policy, of)):
        types |= get_type_hints(kind)
    fields: dict[str, Any] = {
        name: (
            Annotated[types[name], AfterValidator(partial(_check_value, knob))],
            _declare(field, knob),
        )
        for name, (field, knob) in list_params(policy, of).items()
    }
    return create_model("Weights", __base__=Weights, __doc__=Weights.__doc__, **fields)


def _declare(field: Field[Any], knob: Knob) -> Any:  # noqa: ANN401 - pydantic's own marker
    """Return a knob as a field of pydantic."""
    if field.default_factory is not MISSING:
        return pydantic.Field(default_factory=field.default_factory, description=knob.help)
    return pydantic.Field(default=field.default, description=knob.help)


def _check_value(knob: Knob, value: Any) -> Any:  # noqa: ANN401 - of the knob's type
    """Return a value that its knob admits; of a mapping each one, named in the message."""
    for key, item in value.items() if isinstance(value, Mapping) else [("", value)]:
        try:
            check_knob(key, item, knob)
        except AssayError:
            raise ValueError(f"{key} must be {knob.describe()}, is {item}".strip()) from None
    return value


def _validate(model: type[Weights], policy: str, table: Mapping[str, Any]) -> Weights:
    """Return the table as the model has it; all that is wrong with it is told at once."""
    read = {key: value for key, value in table.items() if key in model.model_fields}
    wrong = [
        InitErrorDetails(
            type=PydanticCustomError("value_error", "{message}", {"message": message}),
            loc=(key,),
            input=table[key],
        )
        for key, message in _list_unread(policy, [key for key in table if key not in read], model)
    ]
    try:
        made = model.model_validate(read)
    except ValidationError as error:
        wrong = [*wrong, *cast("list[InitErrorDetails]", error.errors())]
    if wrong:
        raise ValidationError.from_exception_data("Weights", wrong)
    return made


def _list_unread(policy: str, keys: Sequence[str], model: type[Weights]) -> list[tuple[str, str]]:
    """Return what is wrong with keys that a policy does not read."""
    valid = list(model.model_fields)
    knobs = {knob for name in POLICIES for knob in list_params(name)}
    return [
        (
            key,
            f"policy {policy} does not read {key}; it reads {', '.join(valid[1:])}"
            if key in knobs
            else name_choices("key", valid, key),
        )
        for key in keys
    ]
