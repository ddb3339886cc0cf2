"""What parameters say of a time that has yet to come: the run's date, the last close, a calibration.

Without them the second night would find the first night's parameters. A reference stands for a value:
``{"$run": "date"}``, ``{"$last_close": "SPX"}``; and ``"$calibration": {"asset": "SPX"}`` in a base stands for the
parameters that start a simulation as the market stood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import orjson

from optionchain.errors import InvalidInput, NotFound
from optionchain.history.chains import DateRange, HistoricalChain, asset_name
from optionchain.ports import HistoricalDataRepository
from optionchain.time_frame import TimeFrame
from optionchain.wire.instants import instant_to_wire
from optionchain.wire.parameters import fields_to_wire

RUN, LAST_CLOSE, CALIBRATION = "$run", "$last_close", "$calibration"
OF_RUN: Mapping[str, Callable[[datetime], Any]] = {
    "date": lambda moment: f"{moment:%Y-%m-%d}",
    "instant": instant_to_wire,
    "number": lambda moment: int(moment.timestamp()),
}
FAMILIES = ("ssvi", "heston")
# Weekends and holidays lie between.
DAYS_BACK = timedelta(days=30)


Reference: TypeAlias = tuple[str, str]
"""Its name, and what it says as JSON."""
Answer: TypeAlias = Callable[[str, Any], Any]
"""What stands for the value of a reference, by its name and what it says."""


def sample(name: str, said: Any) -> Any:
    """A value that might stand there, to see whether parameters are sound before there is a run."""
    return 100.0 if name == LAST_CLOSE else {"volatility": 0.2}


class Stored:
    """The market of a store of history, as it stood before an instant.

    Args:
        repository: The store.
        moment: The instant.
    """

    def __init__(self, repository: HistoricalDataRepository, moment: datetime) -> None:
        self._repository = repository
        self._moment = moment

    async def answer(self, name: str, said: Any) -> Any:
        """The value of a reference; raises as the two below."""
        return await (self.last_close(said) if name == LAST_CLOSE else self.calibration(said))

    async def last_close(self, asset: str) -> float:
        """The last close of a day that had begun.

        Raises:
            NotFound: None of the last thirty days is stored.
        """
        day = self._moment.astimezone(UTC).date()
        close: float | None = None
        async for part in self._repository.query_time_series(
            asset, DateRange(day - DAYS_BACK, day), TimeFrame.from_wire("Day")
        ):
            before = part.times <= np.datetime64(self._moment.astimezone(UTC).replace(tzinfo=None))
            if before.any():
                close = float(part.close[before][-1])
        if close is None:
            raise NotFound("a close of the last 30 days", asset)
        return close

    async def calibration(self, terms: Mapping[str, Any]) -> Mapping[str, Any]:
        """Parameters fitted to the last chain of the last thirty days.

        Raises:
            NotFound: There is no chain.
            InvalidInput: It cannot be fitted.
        """
        from optionchain.calibration import fit  # noqa: PLC0415  it needs the optimisers, a third of a second

        chain = await self._last_chain(terms["asset"])
        rates = {name: terms.get(name) for name in ("risk_free_rate", "dividend_yield")}
        fitted = fit(chain, terms.get("family", "ssvi"), **rates)
        return fields_to_wire(fitted.parameters)

    async def _last_chain(self, asset: str) -> HistoricalChain:
        day = self._moment.astimezone(UTC).date()
        for back in range(DAYS_BACK.days):
            with suppress(NotFound):
                return await self._repository.get_historical_chain(asset, day - timedelta(days=back))
        raise NotFound("a chain of the last 30 days", asset)


async def resolved_now(value: Any, moment: datetime, repository: HistoricalDataRepository) -> Any:
    """A JSON value with what the history says in place of references.

    Args:
        value: As the task has it.
        moment: The time that the run is for.
        repository: The history.

    Raises:
        InvalidInput: A reference is none that is known.
        NotFound: The history does not have what it refers to.
    """
    asked: dict[Reference, Any] = {}

    def ask(name: str, said: Any) -> Any:
        asked[_key(name, said)] = said
        return sample(name, said)

    resolved(value, moment, ask)
    stored = Stored(repository, moment)
    answers = {key: await stored.answer(key[0], said) for key, said in asked.items()}
    return resolved(value, moment, lambda name, said: answers[_key(name, said)])


def resolved(value: Any, moment: datetime, answer: Answer, path: str = "") -> Any:
    """A JSON value with values in place of references.

    Args:
        value: As the task has it.
        moment: The time that the run is for.
        answer: Gives the values.
        path: Of the value, for messages.

    Raises:
        InvalidInput: A reference is none that is known.

    Example:
        >>> from datetime import UTC
        >>> base = {"symbol": "SPX", "initial_price": {"$last_close": "SPX"}, "seed": {"$run": "number"}}
        >>> resolved(base, datetime(2026, 1, 5, tzinfo=UTC), sample)
        {'symbol': 'SPX', 'initial_price': 100.0, 'seed': 1767571200}
    """
    if isinstance(value, list):
        return [resolved(each, moment, answer, f"{path}[{at}]") for at, each in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1 and (name := next(iter(value))) in (RUN, LAST_CLOSE):
        return _value_of(name, value[name], moment, answer, path)
    plain = {
        name: resolved(each, moment, answer, f"{path}.{name}" if path else name)
        for name, each in value.items()
        if name != CALIBRATION
    }
    if CALIBRATION not in value:
        return plain
    # What stands beside it counts more.
    return dict(answer(CALIBRATION, _terms(value[CALIBRATION], path))) | plain


def _value_of(name: str, said: Any, moment: datetime, answer: Answer, path: str) -> Any:
    if name == RUN:
        if said not in OF_RUN:
            raise InvalidInput(f"{path}.{RUN}", f"must be one of {', '.join(OF_RUN)}")
        return OF_RUN[said](moment)
    try:
        return answer(LAST_CLOSE, asset_name(said, LAST_CLOSE))
    except InvalidInput as error:
        raise error.under(path) from None


def _key(name: str, said: Any) -> Reference:
    return name, orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()


def _terms(said: Any, path: str) -> Mapping[str, Any]:
    field = f"{path}.{CALIBRATION}" if path else CALIBRATION
    if not isinstance(said, Mapping) or not set(said) <= {
        "asset",
        "family",
        "risk_free_rate",
        "dividend_yield",
    }:
        raise InvalidInput(field, "must be an object of asset, family, risk_free_rate and dividend_yield")
    try:
        asset_name(said.get("asset"), "asset")
    except InvalidInput as error:
        raise error.under(field) from None
    if said.get("family", "ssvi") not in FAMILIES:
        raise InvalidInput(f"{field}.family", f"must be one of {', '.join(FAMILIES)}")
    return said
