"""What a sweep takes from the history: prices of a historical model, and the chains of recorded days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, Self

from optionchain.chains.recorded import recorded_rule
from optionchain.context import Context
from optionchain.declared.checks import whole
from optionchain.draws.philox import MAX_WORD
from optionchain.errors import InvalidInput
from optionchain.expirations.wire import rule_to_wire, time_to_wire
from optionchain.history.chains import DateRange
from optionchain.history.recording import Recording
from optionchain.models import Historical, model_from_wire
from optionchain.models.recorded import RECORDED, Recorded
from optionchain.models.wire import model_to_wire
from optionchain.parameters import MAX_STEPS
from optionchain.recorded_days import CLOSE, values_of_days
from optionchain.time_frame import TimeFrame
from optionchain.wire.parameters import fields_to_wire


class Past(Protocol):
    """What the history service is asked for here."""

    def on_behalf_of(self, context: Context) -> Self: ...
    async def closes(self, asset: str, timeframe: TimeFrame, steps: int, seed: int) -> tuple[float, ...]: ...
    async def recording(self, asset: str, period: DateRange) -> str: ...


async def with_past(document: Mapping[str, Any], history: Past, context: Context) -> Mapping[str, Any]:
    """The document of a sweep with the prices or chains that its base lacks; another base is returned as it is.

    They become a part of the definition: what is imported later makes another sweep.

    Raises:
        InvalidInput: The base is wrong, or the history has too few prices or no chains.
    """
    base = document.get("base")
    if not isinstance(base, Mapping) or not isinstance(base.get("method"), Mapping):
        return document
    if RECORDED in base["method"]:
        try:
            return {**document, "base": await _recorded(base, history, context)}
        except InvalidInput as error:
            raise error.under("base") from None
    if "Historical" not in base["method"]:
        return document
    try:
        method = model_from_wire(base["method"])
        steps = whole("steps", base.get("steps"), low=1, high=MAX_STEPS)
        given_seed = document.get("seed")
        seed = whole("seed", base.get("seed", 0) if given_seed is None else given_seed, low=0, high=MAX_WORD)
        symbol = method.symbol or base.get("symbol") if isinstance(method, Historical) else None
        if not isinstance(method, Historical) or not isinstance(symbol, str) or len(method.prices) >= steps:
            return document
        closes = await history.on_behalf_of(context).closes(symbol, method.timeframe, steps, seed)
    except InvalidInput as error:
        raise error.under("base") from None
    return {**document, "base": {**base, "method": model_to_wire(replace(method, prices=closes))}}


async def _recorded(base: Mapping[str, Any], history: Past, context: Context) -> dict[str, Any]:
    """A base of recorded days, with what these say of everything that it leaves out."""
    method = await with_recording(base["method"], history, context)
    days = fields_to_wire(values_of_days(method))
    listed = {
        "timezone": "UTC",
        "expiration_time": time_to_wire(CLOSE),
        "schedules": [rule_to_wire(recorded_rule())],
    }
    given = {name: value for name, value in base.items() if value is not None}
    return days | listed | given | {"method": days["method"]}


async def with_recording(method: Mapping[str, Any], history: Past, context: Context) -> Recorded:
    """The method of a request with the chains that it names.

    Raises:
        InvalidInput: It names none that are stored.
    """
    given = method[RECORDED]
    if isinstance(given, Mapping):
        for key in given:
            if key not in ("asset", "from", "to"):
                raise InvalidInput(f"method.{RECORDED}.{key}", "is not a known key")
    named = model_from_wire(method)
    if not isinstance(named, Recorded):
        raise InvalidInput("method", f"must be {RECORDED}")
    packed = await history.on_behalf_of(context).recording(named.asset, named.period)
    return replace(named, recording=Recording(packed))
