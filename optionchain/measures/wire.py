"""A measure as JSON: its name, or an object of its name with its terms."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from optionchain.errors import InvalidInput
from optionchain.measures.names import MEASURES_WITH_TERMS, PLAIN_MEASURES, load_entry_points
from optionchain.measures.path_block import Measure
from optionchain.measures.strategies import Terms
from optionchain.wire.documents import named_values, refuse_unknown, single


def measure_from_wire(wire: object, field: str) -> Measure:
    """Read ``"terminal_price"`` or ``{"short_strangle": {"delta": 0.16}}``.

    Raises:
        InvalidInput: It is no known measure, or its terms are wrong.
    """
    name, terms = (wire, {}) if isinstance(wire, str) else single(field, wire)
    if name not in PLAIN_MEASURES and name not in MEASURES_WITH_TERMS:
        load_entry_points()
    if name in PLAIN_MEASURES and not terms:
        return PLAIN_MEASURES[name]
    if name not in MEASURES_WITH_TERMS:
        known = [*PLAIN_MEASURES, *MEASURES_WITH_TERMS]
        raise InvalidInput(field, f"unknown measure {name}: one of {', '.join(known)}")
    make, path = MEASURES_WITH_TERMS[name], f"{field}.{name}"
    given = named_values(path, terms)
    refuse_unknown(path, given, terms_of(make))
    try:
        return make(**given)
    except InvalidInput as error:
        raise error.under(path) from None
    except TypeError as error:
        raise InvalidInput(path, f"has wrong terms: {error}") from None


def terms_of(make: Callable[..., Measure]) -> list[str]:
    """The terms that a named measure has."""
    names = list(inspect.signature(make).parameters)
    return [name for name in names if name != "terms"] + (
        list(Terms.__annotations__) if "terms" in names else []
    )
