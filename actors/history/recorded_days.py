"""The chains of a period that a simulation shows, read from the store."""

from __future__ import annotations

from optionchain.errors import InvalidInput
from optionchain.history.chains import DateRange, asset_name
from optionchain.history.recording import MAX_DAYS, MAX_ROWS, Recording
from optionchain.models.recorded import RECORDED
from optionchain.ports import HistoricalDataRepository

METHOD = f"method.{RECORDED}"


async def recorded_days(repository: HistoricalDataRepository, asset: str, period: DateRange) -> str:
    """The chains of all days of a period that have one, packed; they are counted before any is read.

    Args:
        repository: The store.
        asset: Whose chains.
        period: First and last day.

    Raises:
        InvalidInput: There are none, or too many; the reason says what is there.
    """
    try:
        stored = await repository.chain_days(asset_name(asset), period)
        if not stored:
            reason = f"has no chain from {period.first} to {period.last}: import them, or choose other days"
            raise InvalidInput("asset", f"{asset} {reason}")
        if len(stored) > MAX_DAYS or sum(stored.values()) > MAX_ROWS:
            reason = (
                f"{asset} has {len(stored)} days with {sum(stored.values())} strikes over all expirations there: "
                f"at most {MAX_DAYS} and {MAX_ROWS}, so choose fewer days"
            )
            raise InvalidInput("to", reason)
        chains = [await repository.get_historical_chain(asset, day) for day in stored]
        return Recording.of(chains).packed
    except InvalidInput as refusal:
        raise refusal.under(METHOD) from None
