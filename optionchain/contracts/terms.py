"""The terms of an option contract, declared once: when it can be exercised, what that brings, and of how much.

Multiplier and currency change no price, nor does settlement but in coin. Whoever leaves terms out has said nothing, and
sees nothing of them.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from optionchain.contracts.carry import (
    DIVIDEND_MODELS,
    PREMIUM_PAYMENTS,
    UNDERLYINGS,
    DividendModel,
    PremiumPayment,
    Underlying,
)
from optionchain.declared.fields import Choice, Days, Number, Omission, Pairs, Text
from optionchain.errors import InvalidInput

Exercise: TypeAlias = Literal["european", "american", "bermudan"]
EXERCISES: tuple[Exercise, ...] = get_args(Exercise)
Settlement: TypeAlias = Literal["cash", "physical", "coin"]
SETTLEMENTS: tuple[Settlement, ...] = get_args(Settlement)
MAX_MULTIPLIER = 1e9

MOST_DIVIDENDS, MOST_NODES, MOST_EXERCISE_DATES = 400, 64, 400
MOST_FUTURES, HIGHEST_SEASON = 120, 100.0
# Of the variance of a usual day.
MOST_EVENTS, HIGHEST_EVENT = 400, 1000.0
LONGEST_CURVE_YEARS = 100.0
HIGHEST_RATE = 10.0

_UNSAID = Omission("leaves it unsaid", is_silent=True)

ExerciseTerm: TypeAlias = Annotated[
    Exercise,
    Choice(
        "When options can be exercised: at expiration, at any time before it, or before it on `exercise_dates`",
        EXERCISES,
    ),
    Omission(is_silent=True),
]
SettlementTerm: TypeAlias = Annotated[
    Settlement | None,
    Choice(
        "What exercise brings: money, the underlying, or coins of it, in which prices are then", SETTLEMENTS
    ),
    _UNSAID,
]
MultiplierTerm: TypeAlias = Annotated[
    float | None,
    Number(
        "Units of the underlying that a contract is on; quotes are of one unit",
        high=MAX_MULTIPLIER,
        above=True,
    ),
    _UNSAID,
]
CurrencyTerm: TypeAlias = Annotated[
    str | None, Text("Currency of all prices, a code of ISO 4217", 3, example="USD"), _UNSAID
]

_SILENT = Omission(is_silent=True)
UnderlyingTerm: TypeAlias = Annotated[
    Underlying,
    Choice("What prices are of: a spot, or a future, which options are then priced off", UNDERLYINGS),
    _SILENT,
]
PremiumTerm: TypeAlias = Annotated[
    PremiumPayment,
    Choice("Whether options on a future are paid for at once, or settled daily like it", PREMIUM_PAYMENTS),
    _SILENT,
]
RateCurveTerm: TypeAlias = Annotated[
    tuple[tuple[float, float], ...] | None,
    Pairs(
        "Years and the continuous rate to then, ascending, linear between and flat outside; in place of "
        "`risk_free_rate` for options",
        Number("Years", high=LONGEST_CURVE_YEARS, above=True),
        Number("Continuous, per year", low=-HIGHEST_RATE, high=HIGHEST_RATE),
        MOST_NODES,
    ),
    Omission("means `risk_free_rate` at all times", is_silent=True),
]
FuturesTerm: TypeAlias = Annotated[
    tuple[tuple[str, float], ...] | None,
    Pairs(
        "Dates on which futures expire, ascending, and their seasons: the price at expiration in prices of the "
        "underlying. Options are on the first that expires no earlier; repeated each year",
        None,
        Number("Ratio", high=HIGHEST_SEASON, above=True),
        MOST_FUTURES,
    ),
    Omission("means that all options are on the one price", is_silent=True),
]
FuturesCarryTerm: TypeAlias = Annotated[
    float,
    Number(
        "How much dearer futures are the later they expire, per year", low=-HIGHEST_RATE, high=HIGHEST_RATE
    ),
    _SILENT,
]
BorrowTerm: TypeAlias = Annotated[
    float,
    Number("What borrowing the share costs, continuous, per year", low=-HIGHEST_RATE, high=HIGHEST_RATE),
    _SILENT,
]
DividendsTerm: TypeAlias = Annotated[
    tuple[tuple[str, float], ...] | None,
    Pairs(
        "Dividends in cash: ex-dates, ascending, and amounts in currency units; the price falls by them",
        None,
        Number("Currency units", above=True),
        MOST_DIVIDENDS,
    ),
    Omission("means none", is_silent=True),
]
DividendGrowthTerm: TypeAlias = Annotated[
    float | None,
    Number(
        "Repeats the dividends of the last year each year after, grown by this rate", low=-0.99, high=10.0
    ),
    Omission("repeats none", is_silent=True),
]
DividendModelTerm: TypeAlias = Annotated[
    DividendModel,
    Choice(
        "How dividends in cash are priced: on the spot without those to come, or on strikes with them",
        DIVIDEND_MODELS,
    ),
    _SILENT,
]
ExerciseDatesTerm: TypeAlias = Annotated[
    tuple[str, ...] | None,
    Days(
        "Dates on which bermudan options can be exercised, at the time of day at which they expire",
        MOST_EXERCISE_DATES,
    ),
    Omission("means none", is_silent=True),
]
ClosedDaysTerm: TypeAlias = Annotated[
    float | None,
    Number("What a day without a session adds to variance, a day with one being 1", high=1.0),
    Omission("counts every day alike", is_silent=True),
]
NightTerm: TypeAlias = Annotated[
    float | None,
    Number(
        "What an hour outside the session adds to variance on a day with one, an hour within it being 1",
        high=1.0,
    ),
    Omission("counts every hour alike", is_silent=True),
]
EventsTerm: TypeAlias = Annotated[
    tuple[tuple[str, float], ...] | None,
    Pairs(
        "Dates, ascending, on which more happens than on others (or less), and how many days' variance each has",
        None,
        Number("Days", high=HIGHEST_EVENT),
        MOST_EVENTS,
    ),
    Omission("means none", is_silent=True),
]
AnnualDaysTerm: TypeAlias = Annotated[
    float | None,
    Number(
        "Days of a year by which moves of a replayed history are annualised: 252, or 365", low=1.0, high=366.0
    ),
    Omission("means 365", is_silent=True),
]


def checked_exercise(exercise: Exercise) -> Exercise:
    """Return it.

    Raises:
        InvalidInput: It is none.
    """
    if exercise not in EXERCISES:
        raise InvalidInput("exercise", f"must be {' or '.join(EXERCISES)}")
    return exercise
