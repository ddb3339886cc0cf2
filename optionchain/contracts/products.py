"""What exchanges list, by name: terms, expirations, strikes and ticks of a product, from its public specification."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

from optionchain.contracts.product import Product
from optionchain.errors import InvalidInput
from optionchain.expirations.listed import Weekday
from optionchain.expirations.rules import (
    DailyRule,
    MonthDayRule,
    MonthEndRule,
    MonthlyRule,
    WeeklyRule,
    leaps,
    monthly_third_friday,
)

_NEW_YORK, _CHICAGO, _QUARTERLY = "America/New_York", "America/Chicago", (3, 6, 9, 12)
_WORKING_DAYS: tuple[Weekday, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri")
# NSE circular 176/2025: contracts that expire from here on do so on a Tuesday, earlier ones on a Thursday.
NIFTY_TUESDAYS = date(2025, 9, 1)
# NSE circulars of April 2024, October 2024 and October 2025: contracts that are listed from then on have this lot.
NIFTY_LOTS = (
    (date(2025, 12, 31), 65.0),
    (date(2024, 11, 20), 75.0),
    (date(2024, 4, 26), 25.0),
    (date.min, 50.0),
)


def product(name: str, on: date | None = None) -> Product:
    """A product by name: ``SPX``, ``SPY``, ``QQQ``, ``NDX``, ``VIX``, ``stock``, ``CL``, ``BTC``, ``ETH`` or
    ``NIFTY``.

    Args:
        name: Of the product.
        on: The day whose rules are asked for, with what they are known to become; None is the newest. It matters to
            NIFTY alone: its lot is that of contracts which are listed on the day.

    Raises:
        InvalidInput: ``product``: there is none of this name.

    Example:
        >>> [rule.rule_id for rule in product("SPX").rules]
        ['spx_monthly', 'spxw_daily', 'spxw_monthly', 'spxw_month_end']
    """
    if name not in PRODUCTS:
        raise InvalidInput("product", f"must be one of {', '.join(PRODUCTS)}")
    return PRODUCTS[name](on)


def _index(name: str, weekly_root: str, source: str) -> Product:
    """Cboe's index options: the root settles in the morning of the third Friday, the weekly root every afternoon."""
    return Product(
        name=name,
        source=source,
        timezone=_NEW_YORK,
        calendar="XNYS",
        rules=(
            MonthlyRule(
                rule_id=f"{name.lower()}_monthly",
                target_count=12,
                weekday="Fri",
                occurrence=3,
                settlement="AM",
                root=name,
                last_trade_sessions=1,
            ),
            WeeklyRule(
                rule_id=f"{weekly_root.lower()}_daily",
                target_count=20,
                weekdays=_WORKING_DAYS,
                settlement="PM",
                root=weekly_root,
            ),
            MonthlyRule(
                rule_id=f"{weekly_root.lower()}_monthly",
                target_count=6,
                weekday="Fri",
                occurrence=3,
                settlement="PM",
                root=weekly_root,
            ),
            MonthEndRule(
                rule_id=f"{weekly_root.lower()}_month_end", target_count=6, settlement="PM", root=weekly_root
            ),
        ),
        strike_rule="index",
        tick_size=0.05,
        tick_size_above=3.0,
        coarse_tick_size=0.1,
    )


def _fund(name: str) -> Product:
    return Product(
        name=name,
        source="Cboe, Equity and ETP options specification; The Options Clearing Corporation, weekly options",
        timezone=_NEW_YORK,
        calendar="XNYS",
        rules=(
            WeeklyRule(rule_id="daily", target_count=10, weekdays=_WORKING_DAYS),
            monthly_third_friday("monthly", 12),
            MonthEndRule(rule_id="quarterly", target_count=4, months=_QUARTERLY),
            leaps("leaps", 2),
        ),
        exercise="american",
        settlement="physical",
        strike_rule="fund",
        tick_size=0.01,
    )


def _stock(name: str) -> Product:
    return Product(
        name=name,
        source="Cboe, Equity options specification",
        timezone=_NEW_YORK,
        calendar="XNYS",
        rules=(
            WeeklyRule(rule_id="weekly", target_count=6, weekdays=("Fri",)),
            monthly_third_friday("monthly", 6),
            leaps("leaps", 2),
        ),
        exercise="american",
        settlement="physical",
        strike_rule="stock",
        tick_size=0.05,
        tick_size_above=3.0,
        coarse_tick_size=0.1,
    )


def _vix() -> Product:
    return Product(
        name="VIX",
        source="Cboe, VIX options specification: 30 days before the third Friday of the month after, in the morning",
        timezone=_CHICAGO,
        calendar="XNYS",
        rules=(
            MonthlyRule(
                rule_id="vix_monthly",
                target_count=6,
                weekday="Fri",
                occurrence=3,
                lead_days=30,
                settlement="AM",
                root="VIX",
                last_trade_sessions=1,
            ),
        ),
        strike_rule="volatility_index",
        tick_size=0.01,
    )


def _crude_oil() -> Product:
    return Product(
        name="CL",
        source="CME Group, Crude Oil options specification (LO), six sessions before the 25th; NYMEX rulebook, 310",
        timezone=_NEW_YORK,
        calendar="XNYS",
        expiration_time=time(14, 30),
        rules=(MonthDayRule(rule_id="monthly", target_count=6, day=25, sessions_before=6, root="LO"),),
        exercise="american",
        settlement="physical",
        underlying="future",
        multiplier=1000.0,
        strike_rule="crude_oil",
        tick_size=0.01,
    )


def _coin(name: str) -> Product:
    return Product(
        name=name,
        source="Deribit, Bitcoin and Ether options specification: 08:00 UTC; daily, weekly, monthly, quarterly",
        timezone="UTC",
        calendar="24/7",
        expiration_time=time(8),
        rules=(
            DailyRule(rule_id="daily", target_count=4),
            WeeklyRule(rule_id="weekly", target_count=4, weekdays=("Fri",)),
            MonthlyRule(rule_id="monthly", target_count=3, weekday="Fri", occurrence=-1),
            MonthlyRule(rule_id="quarterly", target_count=4, weekday="Fri", occurrence=-1, months=_QUARTERLY),
        ),
        settlement="coin",
        multiplier=1.0,
        currency=name,
        strike_rule=name.lower(),
        spread=0.0,
        tick_size=0.0001,
        tick_size_above=0.005,
        coarse_tick_size=0.0005,
    )


def _nifty(on: date | None) -> Product:
    is_before = on is not None and on < NIFTY_TUESDAYS
    weekday: Weekday = "Thu" if is_before else "Tue"
    change: dict[str, Any] = {"changed_on": NIFTY_TUESDAYS, "changed_to": "Tue"} if is_before else {}
    return Product(
        name="NIFTY",
        source="NSE, Nifty 50 options contract specification, and its circulars on expiry days and market lots",
        timezone="Asia/Kolkata",
        calendar="XBOM",
        rules=(
            WeeklyRule(rule_id="weekly", target_count=4, weekdays=(weekday,), **change),
            MonthlyRule(rule_id="monthly", target_count=3, weekday=weekday, occurrence=-1, **change),
        ),
        multiplier=next(lot for first, lot in NIFTY_LOTS if on is None or on >= first),
        currency="INR",
        strike_rule="nifty",
        tick_size=0.05,
    )


PRODUCTS: dict[str, Callable[[date | None], Product]] = {
    "SPX": lambda _: _index("SPX", "SPXW", "Cboe, SPX options specification"),
    "NDX": lambda _: _index("NDX", "NDXP", "Nasdaq, NDX options specification"),
    "VIX": lambda _: _vix(),
    "SPY": lambda _: _fund("SPY"),
    "QQQ": lambda _: _fund("QQQ"),
    "stock": lambda _: _stock("stock"),
    "CL": lambda _: _crude_oil(),
    "BTC": lambda _: _coin("BTC"),
    "ETH": lambda _: _coin("ETH"),
    "NIFTY": _nifty,
}
"""The products by name."""
