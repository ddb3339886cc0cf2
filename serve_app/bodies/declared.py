"""The declared parameters of a simulation as fields of bodies, so that each is declared in the domain alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema, create_model

from optionchain.declared.parameters import Declared, configurable_defaults, declared_parameters

DEFAULTS: Mapping[str, Any] = configurable_defaults() | {
    each.name: each.default
    for each in declared_parameters().values()
    if each.omission is not None and (each.default is not None or each.is_silent)
}
"""What an omitted parameter is where no configuration says anything; the others are drawn."""


def resolved(name: str, value: Any, configured: Mapping[str, Any]) -> Any:
    """The value of a parameter for one of a request, where null asks for what its omission means, or for the default.

    Raises:
        InvalidInput: It is not allowed.
    """
    declared = declared_parameters()[name]
    if value is not None:
        return declared.parameter.check(name, value)
    if declared.omission is None:
        return declared.default
    if name in configured:
        return configured[name]
    return DEFAULTS[name] if name in DEFAULTS else secrets.randbits(64)


def whole_body() -> type[BaseModel]:
    """All of them: those that may be omitted may be null."""
    return _model("WholeBody", _asked)


def whole_body_as_in_python() -> type[BaseModel]:
    """All of them: what has a default in Python may be null as well."""
    return _model("WholeBodyAsInPython", _asked_as_in_python)


def partial_body() -> type[BaseModel]:
    """Any of them: null keeps the value, or clears one that may be omitted."""
    return _model("PartialBody", lambda each: _nullable(each, each.if_null))


def shown_body() -> type[BaseModel]:
    """All of them, as they are."""
    return _model("ShownBody", _shown)


def _asked(each: Declared) -> Any:
    if each.omission is not None:
        return _nullable(each, each.about)
    return _annotated(each), Field(description=each.about)


def _asked_as_in_python(each: Declared) -> Any:
    if each.omission is None and each.default is not None:
        return _nullable(each, f"{each.about}; null means {each.default:g}")
    return _asked(each)


def _shown(each: Declared) -> Any:
    if each.is_silent:
        return each.kind | None, Field(
            None, description=f"{each.parameter.about}; absent where {each.default}"
        )
    may_be_null = each.omission is not None and each.name in DEFAULTS and each.default is None
    return (each.kind | None if may_be_null else each.kind), Field(description=each.parameter.about)


def _nullable(each: Declared, description: str | None) -> Any:
    return _annotated(each) | None, Field(None, description=description)


def _annotated(each: Declared) -> Any:
    schema = {name: value for name, value in each.parameter.schema().items() if name != "description"}
    return Annotated[each.kind, WithJsonSchema(schema)]


def _model(name: str, field: Callable[[Declared], Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {each.name: field(each) for each in declared_parameters().values()}
    return create_model(name, **fields)
