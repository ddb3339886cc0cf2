"""What a measure is called and what it is, for the result's columns and the sweep's identity."""

from __future__ import annotations

import functools
import hashlib
import re
import types
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from optionchain.errors import InvalidInput
from optionchain.measures import Measure

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")


def measure_name(measure: Measure) -> str:
    """The measure's `name`, or the function's own.

    Raises:
        InvalidInput: It has none, or one that is no column's.
    """
    name = getattr(measure, "name", None) or getattr(measure, "__name__", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(
            "measures", f"{measure!r} needs a name: define it with `def`, or give it an attribute `name`"
        )
    return name


def is_profit(measure: Measure) -> bool:
    """Whether the measure is a profit and loss, whose tail is a risk."""
    return bool(getattr(measure, "is_profit_and_loss", False))


def fingerprint(value: Any) -> str:
    """A text that is the same for the same definition, in any process.

    A function counts by its code, its defaults and what it closes over, not by where it is written; a frozen
    dataclass by its class and its fields.
    """
    return hashlib.sha256(repr(_content(value)).encode()).hexdigest()


def _content(value: Any) -> object:
    match value:
        case types.FunctionType():
            content: object = _function_content(value)
        case types.CodeType():
            content = _code_content(value)
        case None | bool() | int() | float() | complex() | str() | bytes():
            content = repr(value)
        case list() | tuple():
            content = [_content(each) for each in value]
        case dict():
            content = [(_content(name), _content(each)) for name, each in value.items()]
        case set() | frozenset():
            content = sorted(repr(_content(each)) for each in value)
        case np.ndarray():
            content = [str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
        case _ if isinstance(value, type) or hasattr(value, "__qualname__"):
            content = [value.__module__, value.__qualname__]
        case _:
            content = [_type_name(value), _content(_attributes(value))]
    return content


def _attributes(value: Any) -> object:
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    return vars(value) if hasattr(value, "__dict__") else repr(value)


def _function_content(function: types.FunctionType) -> object:
    cells = function.__closure__ or ()
    return [
        _code_content(function.__code__),
        _content(function.__defaults__),
        _content(function.__kwdefaults__),
        [_content(cell.cell_contents) for cell in cells],
    ]


def _code_content(code: types.CodeType) -> object:
    return [code.co_code.hex(), code.co_names, code.co_varnames, [_content(each) for each in code.co_consts]]


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
