"""The prices of a sweep whose model is historical: of the history, where the caller gives too few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, Self

from optionchain.context import Context
from optionchain.draws.philox import MAX_WORD
from optionchain.errors import InvalidInput
from optionchain.models import Historical, model_from_wire
from optionchain.models.wire import model_to_wire
from optionchain.parameters import MAX_STEPS
from optionchain.time_frame import TimeFrame
from optionchain.validation import whole


class Closes(Protocol):
    """What the history service is asked for here."""

    def on_behalf_of(self, context: Context) -> Self: ...
    async def closes(self, asset: str, timeframe: TimeFrame, steps: int, seed: int) -> tuple[float, ...]: ...


async def with_prices(document: Mapping[str, Any], history: Closes, context: Context) -> Mapping[str, Any]:
    """The document of a sweep with the prices that its base lacks; another base is returned as it is.

    They become a part of the definition: what is imported later makes another sweep.

    Raises:
        InvalidInput: The base is wrong, or the history has too few prices.
    """
    base = document.get("base")
    if not isinstance(base, Mapping) or not isinstance(base.get("method"), Mapping):
        return document
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
