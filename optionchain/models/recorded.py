"""Days of chains that were stored, one a step: their quotes, and no prices of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import numpy as np

from optionchain.declared.fields import Parameter, settle
from optionchain.draws.philox import Draws
from optionchain.errors import InvalidInput
from optionchain.history.chains import DateRange, asset_name
from optionchain.history.recording import Recording
from optionchain.models.model import SampledPaths, market_model

RECORDED = "Recorded"
RECORDING = "recording"


class AssetParameter(Parameter):
    """Whose chains."""

    def check(self, field: str, value: object) -> str:
        return asset_name(value, field)

    def to_wire(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,32}$", "description": "Asset of the history."}


class DayParameter(Parameter):
    """A day.

    Args:
        called: In JSON.
        about: Which day.
    """

    def __init__(self, called: str, about: str) -> None:
        self.called = called
        self._about = about

    def check(self, field: str, value: object) -> date:
        if isinstance(value, date):
            return value
        with suppress(TypeError, ValueError):
            if len(value) == len("2024-01-02"):  # type: ignore[arg-type]  # what has no length is refused below
                return date.fromisoformat(value)  # type: ignore[arg-type]
        raise InvalidInput(field, "must be a date such as 2024-01-02")

    def to_wire(self, value: date) -> str:
        return value.isoformat()

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date", "description": self._about}


class RecordingParameter(Parameter):
    """The chains themselves. Nobody sends them: whoever serves history finds them."""

    is_internal = True

    def check(self, field: str, value: object) -> Recording:
        if isinstance(value, str):
            value = Recording(value)
        if not isinstance(value, Recording):
            raise InvalidInput(field, "must be a recording of chains")
        return value

    def to_wire(self, value: Recording) -> str:
        return value.packed

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@market_model
@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The chains of stored days, a day a step: quotes as they were stored, on days that have any."""

    asset: Annotated[str, AssetParameter()]
    first: Annotated[date, DayParameter("from", "The first day.")]
    last: Annotated[date, DayParameter("to", "The last day, included.")]
    recording: Annotated[Recording | None, RecordingParameter()] = None

    def __post_init__(self) -> None:
        settle(self)
        _ = self.period

    @property
    def period(self) -> DateRange:
        """The days that are asked for."""
        return DateRange(self.first, self.last)

    @property
    def days(self) -> Recording:
        """The chains.

        Raises:
            InvalidInput: They are not there.
        """
        if self.recording is None:
            raise InvalidInput(RECORDING, "the chains are missing: in Python, `recorded(chains)` has them")
        return self.recording

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """The prices of the first `steps` days, the same on every path; as `MarketModel.sample`.

        Raises:
            InvalidInput: There are fewer days than steps.
        """
        if len(self.days) < steps:
            raise InvalidInput(RECORDING, f"has {len(self.days)} days, and {steps} steps need one each")
        paths = (draws.paths, 1)
        columns = (self.days.days.prices[:steps], self.days.volatilities[:steps])
        return SampledPaths(*(np.tile(column, paths) for column in columns))

    def gaps(self, sessions: Iterable[date]) -> list[date]:
        """The sessions of the period of which no chain is stored.

        Args:
            sessions: Of an exchange, ascending, from the first day on.
        """
        stored = {instant.date() for instant in self.days.instants}
        gaps = []
        for day in sessions:
            if day > self.last:
                break
            if day not in stored:
                gaps.append(day)
        return gaps


def without_recording(method: Mapping[str, Any]) -> dict[str, Any]:
    """A method as JSON for people: what names its chains, and not the chains."""
    return {
        name: {key: value for key, value in body.items() if key != RECORDING} if name == RECORDED else body
        for name, body in method.items()
    }
